// The events of the requests of a mirrored connection: the status is the app's, and a request that the app
// gets twice is reported once. The bytes: mirror_test.ts. A stolen connection's events: requests_test.ts.

import assert from "node:assert/strict";
import { deadline } from "../../tests/support/deadline.ts";
import { answer, request, Stage } from "../../tests/support/mirrored_client.ts";

/** "GET /path 200", for each event of the stage. */
function told({ events }: Stage): string[] {
  return events.map((event) => {
    assert.ok(event.type === "request");
    assert.deepEqual([event.mode, event.port, event.peer], ["mirror", 80, "10.0.0.9:1234"]);
    return `${event.method} ${event.path} ${event.status}`;
  });
}

Deno.test("each mirrored request is reported with the app's status", async () => {
  await using stage = await new Stage().start();
  stage.client.say(request("/1?secret") + request("/2") + request("/3"));
  const app = await stage.accept();
  await app.until("\r\n\r\n");
  await app.say(answer);
  await app.until("\r\n\r\n");
  await app.say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
  await app.until("\r\n\r\n");
  app.close();
  const second = await stage.accept(); // an idle connection that was just closed: once more
  await second.until("\r\n\r\n");
  second.close();
  stage.client.end();
  await deadline(stage.playing, "the mirrored connection ends");
  assert.deepEqual(told(stage), ["GET /1 200", "GET /2 503", "GET /3 null"]);
});

Deno.test("a request that is sent again is reported once", async () => {
  await using stage = await new Stage().start();
  stage.client.say(request("/1"));
  const first = await stage.accept();
  await first.until("\r\n\r\n");
  await first.say(answer);
  stage.client.say(request("/2"));
  await first.until("/2");
  first.close();
  const second = await stage.accept();
  await second.until("\r\n\r\n");
  await second.say(answer);
  stage.client.end();
  await second.rest();
  await deadline(stage.playing, "the mirrored connection ends");
  assert.deepEqual(told(stage), ["GET /1 200", "GET /2 200"]);
});

Deno.test("a request to leave HTTP, and one that breaks off, are reported", async () => {
  await using stage = await new Stage().start();
  stage.client.say(
    "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x02early",
  );
  const app = await stage.accept();
  await app.until("\r\n\r\n");
  await app.say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  await app.until("\x02early");
  assert.deepEqual(told(stage), ["GET /ws 101"]);

  await using other = await new Stage().start();
  other.client.say("POST /half HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345");
  await (await other.accept()).until("12345");
  other.client.reset();
  await deadline(other.playing, "the mirrored connection ends");
  assert.deepEqual(told(other), ["POST /half null"]);
});
