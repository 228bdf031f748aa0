// The events of the requests of one stolen connection: what they tell of a head, when they come, and that no
// byte is changed on the way. The mirror's: mirror_requests_test.ts.

import assert from "node:assert/strict";
import type { ByteChannel } from "../../protocol-wasm/mod.ts";
import type { SessionEvent } from "./events.ts";
import { factsOf, Requests } from "./requests.ts";

type RequestEvent = Extract<SessionEvent, { type: "request" }>;

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));
const text = (all: Uint8Array[]): string =>
  all.map((one) => [...one].map((byte) => String.fromCharCode(byte)).join("")).join("");

/** A connection whose client has said `asked`, piece by piece; what the app answers is kept. */
class Connection {
  readonly written: Uint8Array[] = [];
  readonly got: Uint8Array[] = [];
  readonly events: RequestEvent[] = [];
  readonly watched: ReturnType<Requests["watch"]>;

  constructor(asked: string[], requests?: Requests) {
    const left = asked.map(bytes);
    const channel: ByteChannel = {
      read: () => Promise.resolve(left.shift() ?? null),
      release: (piece) => void piece.fill(0), // nobody may look at it later
      write: (piece) => Promise.resolve(void this.written.push(piece)),
      closeWrite: () => Promise.resolve(),
      reset: () => {},
    };
    const own = new Requests((event) => this.events.push(event as RequestEvent));
    const subscribed = { mode: "steal" as const, port: 80, peer: "10.0.0.9:1234" };
    this.watched = (requests ?? own).watch(channel, subscribed);
  }

  /** The app reads one piece. */
  async read(): Promise<void> {
    const piece = await this.watched.read();
    assert.ok(piece !== null);
    this.got.push(piece.slice());
    assert.ok(this.watched.release !== undefined);
    this.watched.release(piece);
  }

  async answer(...pieces: string[]): Promise<void> {
    for (const piece of pieces) await this.watched.write(bytes(piece));
  }

  /** The events without what every one of them has. */
  get told(): string[] {
    return this.events.map(({ type, mode, port, peer, milliseconds, ...rest }) => {
      assert.deepEqual({ type, mode, port, peer }, {
        type: "request",
        mode: "steal",
        port: 80,
        peer: "10.0.0.9:1234",
      });
      assert.ok(milliseconds >= 0 && Number.isFinite(milliseconds));
      return `${rest.method} ${rest.host} ${rest.path} ${rest.status}`;
    });
  }
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: shop.example\r\n\r\n`;
const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

Deno.test("each request of a connection is reported when its answer has ended", async () => {
  const connection = new Connection([get("/one?token=secret"), get("/two"), get("/three") + get("/four")]);
  using watched = connection.watched;
  await connection.read();
  assert.deepEqual(connection.told, []);
  await connection.answer("HTTP/1.1 200 OK\r\nContent-Le", "ngth: 2\r\n\r\no");
  assert.deepEqual(connection.told, []);
  await connection.answer("k");
  assert.deepEqual(connection.told, ["GET shop.example /one 200"]);
  await connection.read();
  await connection.answer(
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
  );
  await connection.read();
  await connection.answer(ok + "HTTP/1.1 204 No Content\r\n\r\n");
  assert.deepEqual(connection.told.slice(1), [
    "GET shop.example /two 404",
    "GET shop.example /three 200",
    "GET shop.example /four 204",
  ]);
  assert.equal(await watched.read(), null);
  assert.equal(JSON.stringify(connection.events).includes("secret"), false);
});

Deno.test("bodies and answers of every framing pass, byte by byte too", async () => {
  const asked = "POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" +
    "HEAD /head HTTP/1.1\r\nHost: a\r\n\r\nPUT /put HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
  const answers = "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" +
    "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nHTTP/1.1 500 Oh\r\nConnection: close\r\n\r\nto the end";
  const connection = new Connection([...asked]);
  for (const _ of asked) await connection.read();
  await connection.answer(...answers);
  assert.deepEqual(connection.told, ["POST a /up 201", "HEAD a /head 200"]);
  connection.watched[Symbol.dispose]();
  assert.deepEqual(connection.told.slice(2), ["PUT a /put 500"]);
  assert.equal(text(connection.got), asked);
  assert.equal(text(connection.written), answers);
});

Deno.test("an answer that never came has no status", async () => {
  const connection = new Connection([get("/one") + get("/two")]);
  await connection.read();
  await connection.answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  connection.watched[Symbol.dispose]();
  assert.deepEqual(connection.told, ["GET shop.example /one 200", "GET shop.example /two null"]);
});

Deno.test("a connection that leaves HTTP is reported when it does", async () => {
  const upgrade = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
  const connection = new Connection([upgrade, "\x81\x05hello", get("/no-request")]);
  using _watched = connection.watched;
  await connection.read();
  await connection.answer(
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81",
  );
  assert.deepEqual(connection.told, ["GET a /ws 101"]);
  await connection.read();
  await connection.read();
  await connection.answer(ok);
  assert.equal(connection.events.length, 1);
});

Deno.test("what is no HTTP/1 passes unread", async () => {
  const others = [
    "\x16\x03\x01\x02\x00",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "*1\r\n$4\r\nPING\r\n",
    "\0\0\0",
  ];
  for (const said of others) {
    const connection = new Connection([said, get("/late")]);
    await connection.read();
    await connection.read();
    await connection.answer("+PONG\r\n", ok);
    connection.watched[Symbol.dispose]();
    assert.deepEqual(connection.told, []);
    assert.equal(text(connection.got), said + get("/late"));
    assert.equal(text(connection.written), "+PONG\r\n" + ok);
  }
});

Deno.test("no more than 64 requests wait for an answer, and 1024 connections are read", async () => {
  const many = new Connection(Array.from({ length: 66 }, (_, at) => get(`/${at}`)));
  for (let read = 0; read < 66; read++) await many.read();
  assert.equal(many.events.length, 0);
  for (let answered = 0; answered < 66; answered++) await many.answer(ok);
  many.watched[Symbol.dispose]();
  assert.equal(many.events.length, 64);
  assert.ok(many.events.every(({ status }) => status === 200));

  const events: SessionEvent[] = [];
  const requests = new Requests((event) => events.push(event));
  const open = Array.from({ length: 1025 }, () => new Connection([get("/")], requests));
  const ask = async (connection: Connection) => {
    await connection.read();
    await connection.answer(ok);
  };
  for (const connection of open) await ask(connection);
  assert.equal(events.length, 1024);
  for (const { watched } of open) watched[Symbol.dispose]();
  const next = new Connection([get("/")], requests);
  using _watched = next.watched;
  await ask(next);
  assert.equal(events.length, 1025);
});

Deno.test("nothing is read where the events are not used", async () => {
  const requests = new Requests(null);
  assert.equal(requests.begin(bytes(get("/")), { mode: "mirror", port: 80, peer: "" }), null);
  const connection = new Connection([get("/")], requests);
  using _watched = connection.watched;
  await connection.read();
  await connection.answer(ok);
  assert.equal(text(connection.got), get("/"));
  assert.equal(text(connection.written), ok);
});

Deno.test("a head tells method, host and path, and nothing that may be a secret", () => {
  const told = (head: string) => {
    const { method, host, path } = factsOf(bytes(`${head}\r\n\r\n`));
    return `${method} ${host} ${path}`;
  };
  const cookie = "Cookie: host: secret\r\nAuthorization: Bearer secret";
  assert.equal(told(`GET /a?b=c HTTP/1.1\r\n${cookie}\r\nhOST:\t shop:8080 `), "GET shop:8080 /a");
  assert.equal(told("\r\nGET / HTTP/1.0"), "GET null /");
  assert.equal(
    told("GET Http://user:secret@shop.example:81/x#y?z HTTP/1.1\r\nHost: b"),
    "GET shop.example:81 /x",
  );
  assert.equal(told("GET http://shop.example?secret HTTP/1.1\r\nHost: b"), "GET shop.example /");
  assert.equal(told("CONNECT shop.example:443 HTTP/1.1\r\nHost: b"), "CONNECT shop.example:443 ");
  assert.equal(told("OPTIONS * HTTP/1.1\r\nHost: user:secret@b"), "OPTIONS b *");
  assert.equal(told("GET //double//slash HTTP/1.1\r\nHost: b"), "GET b //double//slash");
  const long = factsOf(
    bytes(`${"M".repeat(99)} /${"p".repeat(5000)} HTTP/1.1\r\nHost: ${"h".repeat(999)}\r\n\r\n`),
  );
  assert.deepEqual([long.method.length, long.path.length, long.host?.length], [32, 1024, 272]);
  assert.ok([long.method, long.path, long.host].every((one) => one?.endsWith("…")));
});
