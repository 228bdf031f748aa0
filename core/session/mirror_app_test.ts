// When a mirrored client closes its connection to the app, as a client of the app's own would: no app waits
// for that for ever, and every request is played.

import assert from "node:assert/strict";
import { answer, request, Stage } from "../../tests/support/mirrored_client.ts";

const ends: Record<string, string> = {
  "Connection: close": "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
  "Connection: close, in chunks":
    "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  "HTTP/1.0": "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
  "204 and Connection: close": "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
  "what is no HTTP": "\x00\x01\x02",
};
for (const [how, text] of Object.entries(ends)) {
  Deno.test(`an app that answers with ${how} and waits for its client sees it close, and every request`, async () => {
    await using stage = await new Stage().start();
    stage.client.say(request("/1") + request("/2"));
    for (const path of ["/1", "/2", "/3"]) {
      const app = await stage.accept();
      assert.equal(await app.until("\r\n\r\n"), request(path));
      await app.say(text);
      assert.equal(await app.rest(), "");
      if (path === "/2") stage.client.say(request("/3"));
    }
    stage.client.end();
    assert.deepEqual((await stage.played).lost, new Set());
    assert.ok(stage.client.ended);
  });
}

Deno.test("a client's own Connection: close ends the connection when it is answered", async () => {
  await using stage = await new Stage().start();
  stage.client.say("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const app = await stage.accept();
  await app.until("\r\n\r\n");
  await app.say(answer);
  assert.equal(await app.rest(), "");
});

for (const connection of ["close", "keep-alive"]) {
  Deno.test(`an early error with Connection: ${connection} of an app that reads no further ends its connection`, async () => {
    await using stage = await new Stage().start();
    const size = 32 << 20; // more than sockets hold
    stage.client.say(`POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
    for (let sent = 0; sent < size; sent += 1 << 20) stage.client.say("x".repeat(1 << 20));
    stage.client.say(request("/next"));
    const first = await stage.accept();
    await first.until("\r\n\r\n");
    await first.say(`HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: ${connection}\r\n\r\n`);
    const second = await stage.accept();
    assert.equal(await second.until("\r\n\r\n"), request("/next"));
  });
}

Deno.test("an early answer to the end of a connection leaves the next requests", async () => {
  await using stage = await new Stage().start();
  stage.client.say("POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n");
  const first = await stage.accept();
  await first.until("\r\n\r\n");
  await first.say("HTTP/1.0 413 Too Large\r\n\r\n");
  first.close();
  stage.client.say("123456" + request("/2"));
  const second = await stage.accept();
  assert.equal(await second.until("\r\n\r\n"), request("/2"));
});

Deno.test("an early answer that is no error leaves the app the rest of the request", async () => {
  await using stage = await new Stage().start();
  stage.client.say("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n");
  const app = await stage.accept();
  await app.until("\r\n\r\n");
  await app.say(answer);
  stage.client.say("123456" + request("/2"));
  await app.until("123456");
  assert.equal(await app.until("\r\n\r\n"), request("/2"));
});

Deno.test("what an app says unasked on an idle connection ends it", async () => {
  await using stage = await new Stage().start();
  stage.client.say(request("/1"));
  const first = await stage.accept();
  await first.until("\r\n\r\n");
  await first.say(answer);
  await first.say("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
  assert.equal(await first.rest(), "");
  stage.client.say(request("/2"));
  const second = await stage.accept();
  assert.equal(await second.until("\r\n\r\n"), request("/2"));
});

Deno.test("a stream of events ends when its client left", async () => {
  await using stage = await new Stage().start();
  stage.client.say(request("/events"));
  const app = await stage.accept();
  await app.until("\r\n\r\n");
  await app.say(
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
  );
  stage.client.end();
  assert.equal(await app.rest(), "");
  await stage.playing;
});

Deno.test("a change of protocol that the app refuses is reported, and its connection ends", async () => {
  await using stage = await new Stage().start();
  stage.client.say("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  const app = await stage.accept();
  await app.until("\r\n\r\n");
  await app.say(answer);
  stage.client.say("\x81frame");
  await assert.rejects(app.rest(), Deno.errors.ConnectionReset);
  assert.match([...(await stage.played).lost].join(), /did not change to another protocol/);
});

Deno.test("a large request that meets the app's closing of an idle connection is reported, and the next one comes", async () => {
  await using stage = await new Stage().start();
  stage.client.say(request("/1"));
  const first = await stage.accept();
  await first.until("\r\n\r\n");
  await first.say(answer);
  const size = 100_000;
  stage.client.say(`POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n${"x".repeat(size)}`);
  await first.until("x".repeat(size));
  first.close();
  stage.client.say(request("/2"));
  const second = await stage.accept();
  assert.equal(await second.until("\r\n\r\n"), request("/2"));
  await second.say(answer);
  stage.client.end();
  assert.match([...(await stage.played).lost].join(), /more than 65536 bytes/);
});

Deno.test("head and body that came together reach the app together", async () => {
  await using stage = await new Stage().start();
  const text = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody";
  stage.client.say(text);
  const app = await stage.accept();
  assert.equal(await app.once(), text);
});
