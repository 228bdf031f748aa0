// What those who watch a session are told in detail: requests with heads, bodies and no secrets; names,
// connections and paths with the rule that decided. And that nothing is made of it for nobody.

import assert from "node:assert/strict";
import type { ByteChannel } from "../../protocol-wasm/mod.ts";
import { Decisions } from "./decisions.ts";
import { Details, type SessionDetail } from "./details.ts";
import { OutgoingRules } from "./outgoing_rules.ts";
import { bodyText, headText } from "./preview.ts";
import { Requests } from "./requests.ts";

type Exchange = Extract<SessionDetail, { type: "exchange" }>;

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const subscribed = { mode: "steal", port: 80, peer: "10.0.0.9:1234" } as const;

/** A connection whose client sends `asked`; `turn` lets the app read a piece and answer it. */
function connection(details: Details, asked: string[]) {
  const left = asked.map(bytes);
  const channel: ByteChannel = {
    read: () => Promise.resolve(left.shift() ?? null),
    write: () => Promise.resolve(),
    closeWrite: () => Promise.resolve(),
    reset: () => {},
  };
  const watched = new Requests(null, details).watch(channel, subscribed);
  return {
    async turn(...answers: string[]): Promise<void> {
      await watched.read();
      for (const answer of answers) await watched.write(bytes(answer));
    },
    [Symbol.dispose]: () => watched[Symbol.dispose](),
  };
}

Deno.test("a request is told when it comes and when it is answered, with both bodies and no secrets", async () => {
  const details = new Details();
  const told: Exchange[] = [];
  using _watching = details.watch((detail) => told.push(detail as Exchange));
  const fields = "Host: shop\r\nAuthorization: Bearer abc\r\nX-Api-Key: abc\r\nX-Plain: b\r\n";
  using app = connection(details, [
    `POST /cart?x=1 HTTP/1.1\r\n${fields}Content-Length: 9\r\n\r\n{"a":`,
    " 1}\n",
  ]);
  await app.turn();
  assert.deepEqual(told.map(({ isOver, status }) => [isOver, status]), [[false, null]]);
  await app.turn(
    "HTTP/1.1 201 Created\r\nSet-Cookie: id=abc\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
    "c\r\n2\r\nde\r\n0\r\n\r\n",
  );
  const [began, over, ...more] = told;
  assert.equal(more.length, 0);
  const { number, request, answer, status, milliseconds, ...rest } = over ?? assert.fail();
  assert.deepEqual(rest, { type: "exchange", isOver: true, ...subscribed });
  assert.equal(began?.number, number);
  assert.equal(status, 201);
  assert.ok(milliseconds >= 0);
  assert.deepEqual(request, {
    head: "POST /cart?x=1 HTTP/1.1\nHost: shop\nAuthorization: (hidden)\nX-Api-Key: (hidden)\n" +
      "X-Plain: b\nContent-Length: 9",
    body: '{"a": 1}\n',
    bytes: 9,
  });
  assert.equal(answer?.head, "HTTP/1.1 201 Created\nSet-Cookie: (hidden)\nTransfer-Encoding: chunked");
  assert.equal(answer?.body, "abcde");
  assert.equal(JSON.stringify(told).includes('abc"'), false);
});

Deno.test("who comes later sees a connection from its next request on", async () => {
  const details = new Details();
  const told: Exchange[] = [];
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: shop\r\n\r\n`;
  const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  using app = connection(details, [get("/one"), "no request", get("/two"), get("/three")]);
  await app.turn(ok);
  const watching = details.watch((detail) => told.push(detail as Exchange));
  await app.turn();
  assert.equal(told.length, 0);
  await app.turn(ok);
  assert.deepEqual(told.map(({ isOver, request }) => [isOver, request.head.split(" ")[1]]), [
    [false, "/two"],
    [true, "/two"],
  ]);
  watching[Symbol.dispose]();
  await app.turn(ok);
  assert.equal(told.length, 2);
});

Deno.test("a long body is counted and shown to its bound; a compressed or binary one is only counted", async () => {
  const details = new Details();
  const told: Exchange[] = [];
  using _watching = details.watch((detail) => told.push(detail as Exchange));
  using app = connection(details, [
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n${"x".repeat(10_000)}`,
  ]);
  await app.turn("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  assert.deepEqual(told[1]?.request.bytes, 10_000);
  assert.equal(told[1]?.request.body, "x".repeat(4096));
  assert.equal(bodyText("HTTP/1.1 200 OK\nContent-Encoding: gzip", bytes("text")), null);
  assert.equal(bodyText("HTTP/1.1 200 OK", Uint8Array.of(0, 1, 2)), null);
  assert.equal(bodyText("HTTP/1.1 200 OK", bytes("caf\u00e9").subarray(0, 4)), "caf");
});

Deno.test("a head of any names costs no more than its length", () => {
  const long = `GET / HTTP/1.1\r\n${"token".repeat(13_000)}`;
  assert.ok(headText(bytes(long)).length <= 8193);
});

Deno.test("a connection is told with the rule that decided, and nothing is asked for nobody", async () => {
  const details = new Details();
  const told: SessionDetail[] = [];
  const filter = { side: "local" as const, rules: ["10.0.0.0/8", "db:5432"] };
  const rules = new OutgoingRules({ tcp: true, udp: false, ignoreLocalhost: false, filter } as never, {
    names: false,
    namesOf: (address) => address === "192.0.2.7" ? ["db"] : [],
    ownSocket: () => Promise.resolve(null),
    dialsDebugger: () => null,
    isDebuggers: () => false,
    servers: () => Promise.resolve(null),
    emit: () => {},
    details,
  });
  const decide = (address: string, port: number, protocol: "tcp" | "udp" = "tcp") =>
    rules.decide({ address, port }, protocol, 7);
  await decide("10.1.2.3", 80);
  using _watching = details.watch((detail) => told.push(detail));
  await decide("10.1.2.3", 80);
  await decide("192.0.2.7", 5432);
  assert.equal(await decide("192.0.2.8", 80), "remote");
  await decide("192.0.2.8", 80, "udp");
  const key = "feature.network.outgoing";
  const one = { type: "connection", protocol: "tcp", names: [], pid: 7 };
  assert.deepEqual(told, [
    { ...one, peer: "10.1.2.3:80", whose: "machine", why: `${key}.filter.local "10.0.0.0/8"` },
    { ...one, peer: "192.0.2.7:5432", names: ["db"], whose: "machine", why: `${key}.filter.local "db:5432"` },
    { ...one, peer: "192.0.2.8:80", whose: "target", why: `no rule of ${key}.filter.local matches` },
    { ...one, protocol: "udp", peer: "192.0.2.8:80", whose: "machine", why: `${key}.udp is off` },
  ]);
});

Deno.test("a path is told with its rule and the process", () => {
  const details = new Details();
  const told: SessionDetail[] = [];
  const decisions = new Decisions(details);
  const use = { writes: false, process: { pid: 7, parent: 1, executable: "/usr/bin/cat" } };
  const decision = { place: "absent", rule: "a rule" } as const;
  decisions.note(bytes("/a"), use, decision);
  using _watching = details.watch((detail) => told.push(detail));
  decisions.note(bytes("/b"), use, decision);
  const rest = { writes: false, whose: "nobody", why: "a rule", pid: 7, executable: "/usr/bin/cat" };
  assert.deepEqual(told, [{ type: "file", path: "/b", ...rest }]);
});
