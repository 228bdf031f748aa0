// What an app gets of a mirrored connection: real sockets on the app's side, the client's bytes as the agent would bring
// them.

import assert from "node:assert/strict";
import { deadline } from "../../tests/support/deadline.ts";
import type { ByteChannel } from "../base/relay.ts";
import { unwatched } from "../net/poll.ts";
import { dialTcp } from "../net/socket.ts";
import { play } from "./mirror.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The client's side: what `say` says comes out of `read`. */
class Client implements ByteChannel {
  #said: (Uint8Array | null)[] = [];
  #wake = Promise.withResolvers<void>();
  ended = false;
  readonly wasReset = Promise.withResolvers<"reset">();
  #failed = false;

  say(text: string): void {
    this.#said.push(encoder.encode(text));
    this.#wake.resolve();
  }
  end(): void {
    this.#said.push(null);
    this.#wake.resolve();
  }
  async read(): Promise<Uint8Array | null> {
    for (;;) {
      if (this.#failed) throw new Error("reset");
      const next = this.#said.shift();
      if (next !== undefined) return next;
      this.#wake = Promise.withResolvers();
      await this.#wake.promise;
    }
  }
  write(): Promise<void> {
    return Promise.reject(new Error("the session has nothing to say"));
  }
  closeWrite(): Promise<void> {
    this.ended = true;
    return Promise.resolve();
  }
  reset(): void {
    this.#failed = true;
    this.wasReset.resolve("reset");
    this.#wake.resolve();
  }
}

/** An app on a socket, and a mirrored connection to it. */
class Stage implements AsyncDisposable {
  readonly client = new Client();
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns: Deno.Conn[] = [];
  playing: Promise<unknown> = Promise.resolve();

  async start(): Promise<this> {
    const dial = () => dialTcp({ destination: { address: "127.0.0.1", port: this.#listener.addr.port } });
    this.playing = play(this.client, await dial(), () => dial().catch(() => null));
    return this;
  }

  async accept(): Promise<App> {
    const conn = await deadline(this.#listener.accept(), "the session dials the app");
    this.#conns.push(conn);
    return new App(conn);
  }

  stopListening(): void {
    this.#listener.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.end();
    for (const conn of this.#conns) {
      try {
        conn.close();
      } catch {
        // The app closed it.
      }
    }
    try {
      this.#listener.close();
    } catch {
      // A test closed it.
    }
    await deadline(this.playing, "the mirrored connection ends");
    await unwatched();
  }
}

class App {
  readonly #conn: Deno.Conn;
  #heard = "";

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  /** All up to and with `end`. */
  async until(end: string): Promise<string> {
    for (;;) {
      const at = this.#heard.indexOf(end);
      if (at >= 0) {
        const taken = this.#heard.slice(0, at + end.length);
        this.#heard = this.#heard.slice(at + end.length);
        return taken;
      }
      const more = await this.#read();
      assert.ok(more !== null, `ended before "${end}": "${this.#heard}"`);
      this.#heard += more;
    }
  }

  /** The rest until the session's end. */
  async rest(): Promise<string> {
    for (let more = await this.#read(); more !== null; more = await this.#read()) this.#heard += more;
    return this.#heard;
  }

  get unread(): string {
    return this.#heard;
  }

  async say(text: string): Promise<void> {
    await this.#conn.write(encoder.encode(text));
  }

  close(): void {
    this.#conn.close();
  }

  async #read(): Promise<string | null> {
    const buffer = new Uint8Array(65536);
    const count = await deadline(this.#conn.read(buffer), `more after "${this.#heard}"`);
    return count === null ? null : decoder.decode(buffer.subarray(0, count));
  }
}

const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

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
