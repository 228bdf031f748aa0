// Filtered stealing: each request of a connection goes to the app or to the original, and whatever is no HTTP/1 is the
// original's. Requests with the header "X-User: me" are the app's.

import assert from "node:assert/strict";
import { FakeClient, type Offered } from "../support/fake_client.ts";
import { Netns } from "../support/netns.ts";
import { get, type Original, startOriginal, Talk } from "./talk.ts";

const filter = '{"header": "^x-user: me$"}';
const mine = "X-User: me";

/** A namespace with an HTTP original on port 80 that is stolen by the filter. */
class Pod implements AsyncDisposable {
  readonly netns: Netns;
  readonly original: Original | null;
  readonly client: FakeClient;

  private constructor(netns: Netns, original: Original | null, client: FakeClient) {
    this.netns = netns;
    this.original = original;
    this.client = client;
  }

  static async create(kind: string | null = "http"): Promise<Pod> {
    const netns = await Netns.create();
    const original = kind === null ? null : await startOriginal(netns, kind, 80);
    const client = await FakeClient.start(netns);
    await client.subscribe(80, filter);
    return new Pod(netns, original, client);
  }

  dial(): Promise<Talk> {
    return Talk.dial(this.netns, 80);
  }

  /** The next connection offered, taken: the app's end of it. */
  async app(): Promise<Talk> {
    const offered = await this.client.offered();
    assert.equal(offered.http, true);
    await offered.take();
    return new Talk(offered.channel);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
    await this.original?.end();
    await this.netns[Symbol.asyncDispose]();
  }
}

/** An app that answers each request, until its peer closes, with its own number, the request line and the body's length. */
function serveApp(pod: Pod): void {
  let number = 0;
  pod.client.handle(async (offered: Offered) => {
    await offered.take();
    const app = new Talk(offered.channel);
    const own = ++number;
    try {
      for (;;) {
        const { head, body } = await app.response();
        await app.say(ok(`app ${own} ${head.split(" HTTP")[0]} ${body.length}`));
      }
    } catch {
      await offered.channel.closeWrite().catch(() => {}); // the peer closed
    }
  });
}

function ok(body: string, header = ""): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${header}\r\n${body}`;
}

function post(path: string, body: string, header = ""): string {
  const more = header === "" ? "" : `${header}\r\n`;
  return `POST ${path} HTTP/1.1\r\nHost: pod\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`;
}

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

Deno.test("pipelined requests are answered in order by whom each belongs to", async () => {
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

Deno.test("a matching request that nobody takes is the original's", async () => {
  await using pod = await Pod.create();
  pod.client.handle((offered) => {
    offered.channel.reset();
    void offered.refuse();
  });
  using peer = await pod.dial();
  assert.match(await peer.ask(post("/mine", "body", mine)), /^original 1 POST \/mine 4 /);
  assert.match(await peer.ask(get("/mine", mine)), /^original 1 GET \/mine 0 /);
});

Deno.test("an app that dies in mid-answer shows as a reset", async () => {
  await using pod = await Pod.create();
  for (const end of ["closeWrite", "reset"] as const) {
    using peer = await pod.dial();
    await peer.say(get("/half", mine));
    const offered = await pod.client.offered();
    await offered.take();
    await new Talk(offered.channel).until("\r\n\r\n");
    await offered.channel.write(
      new TextEncoder().encode("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"),
    );
    await peer.until("half");
    await offered.channel[end]();
    assert.deepEqual(await peer.rest(), { heard: "", reset: true });
  }
});

Deno.test("an app that closes an idle connection gets the next request on a new one", async () => {
  await using pod = await Pod.create();
  using peer = await pod.dial();
  for (const number of [1, 2, 3]) {
    await peer.say(get("/", mine));
    const app = await pod.app();
    await app.until("\r\n\r\n");
    await app.say(ok(`app ${number}`));
    assert.equal((await peer.response()).body, `app ${number}`);
    await app.closeWrite();
    assert.equal((await app.rest()).reset, false);
  }
  assert.match(await peer.ask(get("/")), /^original 1 /);
});

Deno.test("a peer that resets while it waits is seen by the app", async () => {
  await using pod = await Pod.create();
  const peer = await pod.dial();
  await peer.say(get("/slow", mine));
  const app = await pod.app();
  await app.until("\r\n\r\n");
  peer[Symbol.dispose]();
  assert.equal((await app.rest()).heard, "");
});

Deno.test("an original that closes after its answer closes the peer's connection", async () => {
  await using pod = await Pod.create();
  using peer = await pod.dial();
  assert.equal(await peer.ask(get("/bye")), "bye");
  assert.deepEqual(await peer.rest(), { heard: "", reset: false });
});

Deno.test("an original that closes while a stolen request is under way is dialled again", async () => {
  await using pod = await Pod.create();
  using peer = await pod.dial();
  assert.match(await peer.ask(get("/first")), /^original 1 /);
  await peer.say(get("/stolen", mine));
  const app = await pod.app();
  await app.until("\r\n\r\n");
  await pod.original?.end();
  await using _next = await startOriginal(pod.netns, "http", 80);
  await app.say(ok("app"));
  assert.equal((await peer.response()).body, "app");
  assert.match(await peer.ask(get("/second")), /^original 1 GET \/second /);
});

Deno.test("an original that does not listen leaves the matching requests to the app", async () => {
  await using pod = await Pod.create(null);
  serveApp(pod);
  using peer = await pod.dial();
  assert.equal(await peer.ask(get("/", mine)), "app 1 GET / 0");
  await peer.say(get("/"));
  assert.deepEqual(await peer.rest(), { heard: "", reset: true });
});

Deno.test("a protocol whose server speaks first is the original's, and said so", async () => {
  await using pod = await Pod.create("greet");
  for (let i = 0; i < 2; i++) {
    using peer = await pod.dial();
    await peer.until("220 the original\r\n");
    await peer.say(get("/", mine));
    assert.equal(await peer.until("\r\n\r\n"), get("/", mine));
  }
  assert.equal(pod.client.notices.length, 1);
  assert.match(pod.client.notices[0] ?? "", /^Cannot filter all of port 80: its server speaks first/);
});

const strange = [
  { name: "HTTP/2", bytes: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", notice: /HTTP\/2/ },
  { name: "TLS", bytes: "\x16\x03\x01\x02\x00\x01", notice: /does not speak HTTP\/1/ },
  {
    name: "a head without end",
    bytes: `GET / HTTP/1.1\r\nX: ${"x".repeat(70_000)}`,
    notice: /head-too-large/,
  },
];
for (const { name, bytes, notice } of strange) {
  Deno.test(`${name} is the original's with every byte, and said so`, async () => {
    await using pod = await Pod.create("echo");
    using peer = await pod.dial();
    await peer.say(bytes);
    await peer.say("|the end|");
    assert.equal(await peer.until("|the end|"), bytes + "|the end|");
    assert.equal(pod.client.notices.length, 1);
    assert.match(pod.client.notices[0] ?? "", notice);
  });
}

Deno.test("a port given back routes nothing more, on connections that are open too", async () => {
  await using pod = await Pod.create();
  serveApp(pod);
  using peer = await pod.dial();
  assert.equal(await peer.ask(get("/", mine)), "app 1 GET / 0");
  await pod.client.unsubscribe(80);
  assert.match(await peer.ask(get("/", mine)), /^original 1 GET \/ 0 /);
  using fresh = await pod.dial();
  assert.match(await fresh.ask(get("/", mine)), /^original 2 GET \/ 0 /);
});

Deno.test("when the session ends the original's answers are finished, the app's are reset, idle peers are closed", async () => {
  await using pod = await Pod.create();
  using idle = await pod.dial();
  assert.match(await idle.ask(get("/idle")), /^original /);
  using theirs = await pod.dial();
  await theirs.say(post("/theirs", "0123456789").slice(0, -5));
  using mineToo = await pod.dial();
  await mineToo.say(get("/mine", mine));
  await (await pod.app()).until("\r\n\r\n");
  const done = pod.client.goodbye();
  assert.equal((await mineToo.rest()).reset, true);
  assert.deepEqual(await idle.rest(), { heard: "", reset: false });
  assert.match(await theirs.ask("56789"), /^original \d+ POST \/theirs 10 /);
  assert.equal(await done, 0);
  using fresh = await pod.dial();
  assert.match(await fresh.ask(get("/fresh", mine)), /^original /);
});

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
