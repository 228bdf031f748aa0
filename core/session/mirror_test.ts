// What an app gets of a mirrored connection, and in which order: real sockets on the app's side, the client's
// bytes as the agent would bring them.

import assert from "node:assert/strict";
import { deadline } from "../../tests/support/deadline.ts";
import { answer, request, Stage } from "../../tests/support/mirrored_client.ts";

Deno.test("the next request is sent when the app has answered the one before", async () => {
  await using stage = await new Stage().start();
  stage.client.say(request("/1") + request("/2").slice(0, 9));
  stage.client.say(request("/2").slice(9) + request("/3"));
  const app = await stage.accept();
  for (const path of ["/1", "/2", "/3"]) {
    assert.equal(await app.until("\r\n\r\n"), request(path));
    assert.equal(app.unread, "");
    await app.say(answer);
  }
  stage.client.end();
  assert.equal(await app.rest(), "");
});

Deno.test("an app that closes after each answer gets each request on a new connection", async () => {
  await using stage = await new Stage().start();
  stage.client.say(request("/1") + request("/2") + request("/3"));
  stage.client.end();
  for (const path of ["/1", "/2", "/3"]) {
    const app = await stage.accept();
    assert.equal(await app.until("\r\n\r\n"), request(path));
    await app.say("HTTP/1.0 200 OK\r\n\r\nuntil the end");
    app.close();
  }
  await stage.playing;
  assert.ok(stage.client.ended);
});

Deno.test("an idle connection that the app closed is followed by another", async () => {
  await using stage = await new Stage().start();
  stage.client.say(request("/1"));
  const first = await stage.accept();
  await first.until("\r\n\r\n");
  await first.say(answer);
  first.close();
  // Whether or not the session knows of it by now.
  stage.client.say(request("/2"));
  const second = await stage.accept();
  assert.equal(await second.until("\r\n\r\n"), request("/2"));
});

Deno.test("a request that meets the app's closing of an idle connection is sent again, once", async () => {
  await using stage = await new Stage().start();
  stage.client.say(request("/1"));
  const first = await stage.accept();
  await first.until("\r\n\r\n");
  await first.say(answer);
  stage.client.say(request("/2"));
  await first.until("/2");
  first.close();
  const second = await stage.accept();
  assert.equal(await second.until("\r\n\r\n"), request("/2"));
  second.close();
  stage.client.end();
  await stage.playing;
});

Deno.test("a client that left does not take its request back", async () => {
  await using stage = await new Stage().start();
  stage.client.say(request("/slow"));
  stage.client.end();
  const app = await stage.accept();
  await app.until("\r\n\r\n");
  await app.say("HTTP/1.1 100 Continue\r\n\r\n");
  await app.say(answer);
  assert.equal(await app.rest(), "");
});

Deno.test("a request that the app answers before it read all does not hold up the next", async () => {
  await using stage = await new Stage().start();
  const size = 4 << 20;
  stage.client.say(`POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
  stage.client.say("x".repeat(size));
  stage.client.say(request("/next"));
  const first = await stage.accept();
  await first.until("\r\n\r\n");
  await first.say("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  first.close();
  const second = await stage.accept();
  assert.equal(await second.until("\r\n\r\n"), request("/next"));
});

Deno.test("after an upgrade bytes pass as they come", async () => {
  await using stage = await new Stage().start();
  stage.client.say("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  stage.client.say("\x02early");
  const app = await stage.accept();
  await app.until("\r\n\r\n");
  await app.say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x02");
  await app.until("\x02early");
  stage.client.say("more");
  await app.until("more");
  stage.client.end();
  assert.equal(await app.rest(), "");
});

Deno.test("what is no HTTP passes as it comes, half-close and all, and its answers are dropped", async () => {
  await using stage = await new Stage().start();
  const app = await stage.accept();
  await app.say("220 who speaks first\r\n");
  stage.client.say("*1\r\n$4\r\nPI");
  await app.until("PI");
  stage.client.say("NG\r\n");
  await app.until("NG\r\n");
  await app.say("+PONG\r\n");
  stage.client.end();
  assert.equal(await app.rest(), "");
  app.close();
  await stage.playing;
  assert.ok(stage.client.ended);
});

Deno.test("an app that ends what is no HTTP is asked no more", async () => {
  await using stage = await new Stage().start();
  stage.client.say("\x00binary");
  const app = await stage.accept();
  await app.until("binary");
  app.close();
  const saying = setInterval(() => stage.client.say("more"), 1);
  try {
    assert.equal(await deadline(stage.client.wasReset.promise, "the session resets"), "reset");
  } finally {
    clearInterval(saying);
  }
});

Deno.test("an app that listens no more ends the mirror", async () => {
  await using stage = await new Stage().start();
  stage.client.say(request("/1") + request("/2"));
  const app = await stage.accept();
  stage.stopListening();
  await app.until("\r\n\r\n");
  app.close();
  assert.equal(await deadline(stage.client.wasReset.promise, "the session resets"), "reset");
});

Deno.test("a mirror that ends in the middle of a request resets the app's connection", async () => {
  await using stage = await new Stage().start();
  stage.client.say("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345");
  const app = await stage.accept();
  await app.until("12345");
  stage.client.reset();
  await assert.rejects(app.rest(), Deno.errors.ConnectionReset);
});
