// Filtered stealing: each request of a connection goes to the app or to the original, and every form of
// HTTP/1 passes byte for byte. Requests with the header "X-User: me" are the app's.

import assert from "node:assert/strict";
import { mine, ok, Pod, post, serveApp } from "./http_pod.ts";
import { get, Talk } from "./talk.ts";

Deno.test("requests of one connection go where the filter says, each by itself", async () => {
  await using pod = await Pod.create();
  serveApp(pod);
  using peer = await pod.dial();
  for (let i = 0; i < 20; i++) {
    assert.match(await peer.ask(get(`/${i}`)), new RegExp(`^original 1 GET /${i} 0 `));
    assert.equal(await peer.ask(get(`/${i}`, mine)), `app 1 GET /${i} 0`);
    assert.equal(await peer.ask(post(`/${i}`, "x".repeat(i * 1000), mine)), `app 1 POST /${i} ${i * 1000}`);
    assert.match(
      await peer.ask(post(`/${i}`, "x".repeat(i * 1000))),
      new RegExp(`^original 1 POST /${i} ${i * 1000} `),
    );
  }
});

Deno.test("what does not match reaches the original byte for byte", async () => {
  await using pod = await Pod.create("bytes");
  using peer = await pod.dial();
  const head = "GET /raw HTTP/1.1\r\nhOsT:pod\r\nX-Odd:   kept  \r\nA: 1\r\nA: 2\r\nx-user: not me\r\n\r\n";
  assert.equal(await peer.ask(head), head);
  for (const part of [head.slice(0, 9), head.slice(9, -1), head.slice(-1)]) await peer.say(part);
  assert.equal((await peer.response()).body, head);
});

Deno.test("the app gets a matching request byte for byte, in however many pieces it came", async () => {
  await using pod = await Pod.create();
  using peer = await pod.dial();
  const request = `POST /x HTTP/1.1\r\nHost: pod\r\nx-USER:  me\r\nTransfer-Encoding: chunked\r\n\r\n` +
    "3\r\nabc\r\n5;ext=1\r\ndefgh\r\n0\r\nTrailer: 1\r\n\r\n";
  const matching = request.replace("x-USER:  me", "x-USER: me");
  for (const char of matching) await peer.say(char);
  const app = await pod.app();
  assert.equal(await app.until("Trailer: 1\r\n\r\n"), matching);
  await app.say(ok("done"));
  assert.equal((await peer.response()).body, "done");
});

Deno.test("chunked answers with trailers, HEAD and 204 keep the connection usable", async () => {
  await using pod = await Pod.create();
  serveApp(pod);
  using peer = await pod.dial();
  await peer.say(get("/chunked"));
  const chunked = await peer.until("X-Trailer: yes\r\n\r\n");
  assert.ok(chunked.endsWith("3\r\none\r\n3;x=y\r\ntwo\r\n0\r\nX-Trailer: yes\r\n\r\n"));
  await peer.say("HEAD /head HTTP/1.1\r\nHost: pod\r\n\r\n");
  assert.match(await peer.until("\r\n\r\n"), /Content-Length: [1-9]/);
  assert.equal(await peer.ask(get("/after", mine)), "app 1 GET /after 0");
});

Deno.test("pipelined requests are answered in order, each by the side it belongs to", async () => {
  await using pod = await Pod.create();
  serveApp(pod);
  using peer = await pod.dial();
  await peer.say(
    get("/1") + get("/2", mine) + post("/3", "abc", mine) + post("/4", "abcd") + get("/5", mine),
  );
  const answers = [];
  for (let i = 0; i < 5; i++) answers.push((await peer.response()).body.replace(/ \d+ [0-9a-f]{8}$/, ""));
  assert.deepEqual(answers, [
    "original 1 GET /1",
    "app 1 GET /2 0",
    "app 1 POST /3 3",
    "original 1 POST /4",
    "app 1 GET /5 0",
  ]);
});

Deno.test("a large body streams up while its answer streams down", async () => {
  await using pod = await Pod.create();
  using peer = await pod.dial();
  const size = 4 << 20;
  await peer.say(`POST /big HTTP/1.1\r\nHost: pod\r\nContent-Length: ${size}\r\n${mine}\r\n\r\n`);
  const app = await pod.app();
  await app.until("\r\n\r\n");
  await app.say(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
  await peer.until("\r\n\r\n");
  // Echoed piece by piece, with more than all windows and buffers together.
  for (let sent = 0; sent < size; sent += 65536) {
    await peer.say("a".repeat(65535) + "|");
    await app.say(await app.until("|"));
    await peer.until("|");
  }
  serveNext(app, "next");
  assert.equal(await peer.ask(get("/next", mine)), "next");
});

function serveNext(app: Talk, body: string): void {
  void app.until("\r\n\r\n").then(() => app.say(ok(body)));
}

for (const side of ["app", "original"] as const) {
  const header = side === "app" ? `${mine}\r\n` : "";

  Deno.test(`${side}: an upgrade makes the connection a tunnel`, async () => {
    await using pod = await Pod.create();
    using peer = await pod.dial();
    await peer.say(
      `GET /upgrade HTTP/1.1\r\nHost: pod\r\nConnection: Upgrade\r\nUpgrade: echo\r\n${header}\r\n`,
    );
    if (side === "app") {
      const app = await pod.app();
      await app.until("\r\n\r\n");
      await app.say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
      void app.until("\0\x01\x02").then((heard) => app.say(heard));
    }
    await peer.until("\r\n\r\n");
    await peer.say("GET / not a request\0\x01\x02");
    assert.equal(await peer.until("\0\x01\x02"), "GET / not a request\0\x01\x02");
  });

  Deno.test(`${side}: CONNECT makes the connection a tunnel`, async () => {
    await using pod = await Pod.create();
    using peer = await pod.dial();
    await peer.say(`CONNECT pod:1 HTTP/1.1\r\nHost: pod:1\r\n${header}\r\n`);
    if (side === "app") {
      const app = await pod.app();
      await app.until("\r\n\r\n");
      await app.say("HTTP/1.1 200 OK\r\n\r\n");
      void app.until("bytes").then((heard) => app.say(heard));
    }
    await peer.until("\r\n\r\n");
    await peer.say("opaque bytes");
    await peer.until("opaque bytes");
  });

  Deno.test(`${side}: 100-continue and then the answer`, async () => {
    await using pod = await Pod.create();
    using peer = await pod.dial();
    await peer.say(
      `POST /wait HTTP/1.1\r\nHost: pod\r\nContent-Length: 4\r\nExpect: 100-continue\r\n${header}\r\n`,
    );
    const app = side === "app" ? await pod.app() : null;
    await app?.until("\r\n\r\n");
    await app?.say("HTTP/1.1 100 Continue\r\n\r\n");
    assert.match(await peer.until("\r\n\r\n"), /^HTTP\/1.1 100 /);
    await peer.say("body");
    await app?.until("body");
    await app?.say(ok("app POST /wait 4"));
    assert.match((await peer.response()).body, /POST \/wait 4/);
  });

  Deno.test(`${side}: an answer that ends with the connection ends it`, async () => {
    await using pod = await Pod.create();
    using peer = await pod.dial();
    await peer.say(`GET /eof HTTP/1.1\r\nHost: pod\r\n${header}\r\n`);
    if (side === "app") {
      const app = await pod.app();
      await app.until("\r\n\r\n");
      await app.say("HTTP/1.1 200 OK\r\n\r\nuntil the end");
      await app.closeWrite();
    }
    const { heard, reset } = await peer.rest();
    assert.ok(heard.endsWith("\r\n\r\nuntil the end"));
    assert.equal(reset, false);
  });

  Deno.test(`${side}: an early answer reaches the peer though the body was not taken`, async () => {
    await using pod = await Pod.create();
    using peer = await pod.dial();
    await peer.say(`POST /early HTTP/1.1\r\nHost: pod\r\nContent-Length: 1000000\r\n${header}\r\n`);
    if (side === "app") {
      const app = await pod.app();
      await app.until("\r\n\r\n");
      await app.say("HTTP/1.1 413 No\r\nConnection: close\r\nContent-Length: 9\r\n\r\ntoo large");
      await app.closeWrite();
    }
    assert.equal((await peer.response()).body, "too large");
    assert.equal((await peer.rest()).heard, "");
  });

  Deno.test(`${side}: a peer that half-closes after its request gets the answer`, async () => {
    await using pod = await Pod.create();
    using peer = await pod.dial();
    await peer.say(`GET /last HTTP/1.1\r\nHost: pod\r\n${header}\r\n`);
    await peer.closeWrite();
    if (side === "app") {
      const app = await pod.app();
      assert.match((await app.rest()).heard, /^GET \/last/);
      await app.say(ok("app GET /last"));
      await app.closeWrite();
    }
    const { heard, reset } = await peer.rest();
    assert.match(heard, /GET \/last/);
    assert.equal(reset, false);
  });
}

Deno.test("100 connections with 20 mixed requests each are answered by the right side", async () => {
  await using pod = await Pod.create();
  serveApp(pod);
  const wrong = await Promise.all(Array.from({ length: 100 }, async (_, i) => {
    using peer = await pod.dial();
    let count = 0;
    for (let j = 0; j < 20; j++) {
      const toApp = (i + j) % 3 === 0;
      const answer = await peer.ask(get(`/${i}/${j}`, toApp ? mine : ""));
      const expected = toApp ? /^app \d+ GET / : /^original \d+ GET /;
      if (!expected.test(answer) || !answer.includes(` /${i}/${j} `)) count++;
    }
    return count;
  }));
  assert.equal(wrong.reduce((a, b) => a + b, 0), 0);
});
