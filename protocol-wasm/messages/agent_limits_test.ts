// The rules of both links: each message has one, messages of a real peer pass, and each kind of nonsense ends
// the link.

import assert from "node:assert/strict";
import { agentDoor, agentLimits } from "./agent_limits.ts";
import { agentMessages } from "./agent_messages.ts";
import { type Body, encode } from "./codec.ts";
import { NonsenseError, RemoteError } from "../errors.ts";
import { packFolderEntry } from "./folder_entries.ts";
import { layerLimits } from "./layer_limits.ts";
import { layerMessages } from "./layer_messages.ts";
import { Link } from "../link/link.ts";
import { sockets } from "../../tests/support/link_pair.ts";
import { connStream } from "../link/stream.ts";

type Table = typeof agentMessages;
type Kind = keyof Table & string;

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const somewhere = { address: "10.0.0.1", port: 80 };
const nowhere = { address: "", port: 0 };

/** struct statx, of a regular file by default. */
function status(mode = 0o100644, size = 5n): Uint8Array {
  const into = new Uint8Array(256);
  new DataView(into.buffer).setUint16(28, mode, true);
  new DataView(into.buffer).setBigUint64(40, size, true);
  return into;
}

/** struct linux_dirent64, `length` bytes of it. */
function entry(name: string, length = (19 + name.length + 8) & ~7): Uint8Array {
  const into = new Uint8Array(Math.max(24, length));
  into.set(text(name), 19);
  new DataView(into.buffer).setUint16(16, into.length, true);
  return into;
}

const unending = entry("x", 24).map((byte, at) => at >= 19 ? 0x61 : byte);
/** An entry of a scan. */
function named(name: string, attributes = bytes()): Uint8Array {
  const into = new Uint8Array(600);
  return into.subarray(0, packFolderEntry({ name: text(name), status: attributes }, into, 0));
}
const scanned = { end: true, certain: true, cursor: 0n, folder: status(0o040755), entries: bytes() };
const open = { dir: 0, flags: 0, mode: 0, whole: 100, ahead: 10, path: text("/x") };
const opened = { file: 1, end: false, status: status(), content: text("begin") };
const path = { dir: 0, flags: 0, path: text("/x") };
const host = { ending: 0, name: "a.b", aliases: "c\0", addresses: new Uint8Array(17).fill(4, 0, 1) };
const resolve = { flags: 0, class: 1, type: 1, room: 512, name: "a", query: bytes() };
const change = { what: 1, first: 0n, second: 0n, third: 0n, fourth: 0n, ...path };
const write = { file: 1, offset: 10n, content: text("12345") };
const subscribe = { port: 80, mode: 1, filter: "", probes: false };

/** For each request the answer that makes sense, and some that make none. */
const answers: { asked: Kind; body: unknown; as?: Kind; right: unknown[]; wrong: unknown[] }[] = [
  {
    asked: "open",
    body: open,
    right: [
      opened,
      { ...opened, file: 0, end: true, content: new Uint8Array(100) },
      { ...opened, status: status(0o040755), content: entry("name") },
    ],
    wrong: [
      { ...opened, status: status().subarray(0, 12) },
      { ...opened, content: new Uint8Array(11) },
      { ...opened, file: 0, end: true, content: new Uint8Array(101) },
      { ...opened, file: 0, end: true, status: status(0o040755), content: bytes() },
      { ...opened, status: status(0o040755), content: unending },
      { ...opened, status: status(0o010644), content: text("x") },
      { ...opened, status: status(0o100644, 1n << 63n) },
    ],
  },
  { asked: "stat", body: path, right: [{ status: status() }], wrong: [{ status: bytes(1, 2) }] },
  { asked: "statfs", body: path, right: [{ status: new Uint8Array(120) }], wrong: [{ status: status() }] },
  {
    asked: "readLink",
    body: path,
    right: [{ target: text("to") }],
    wrong: [{ target: bytes(0x61, 0) }, { target: new Uint8Array(10_000).fill(0x61) }],
  },
  {
    asked: "enter",
    body: path,
    right: [{ physical: text("/x") }],
    wrong: [{ physical: text("x") }, { physical: bytes() }, { physical: bytes(0x2f, 0) }],
  },
  {
    asked: "list",
    body: { file: 1, cursor: 0n },
    right: [{ end: true, entries: bytes() }, { end: false, entries: entry("name") }],
    wrong: [
      { end: false, entries: bytes() },
      { end: true, entries: unending },
      { end: true, entries: entry("a/b") },
      { end: true, entries: entry("..").map((byte, at) => at === 19 ? 0x2f : byte) },
      { end: true, entries: entry("") },
      { end: true, entries: entry("name").subarray(0, 20) },
      { end: true, entries: entry("name").map((byte, at) => at === 16 ? 0 : byte) },
      { end: true, entries: new Uint8Array((1 << 18) + 1) },
    ],
  },
  {
    asked: "scan",
    body: { dir: 0, most: 2, cursor: 0n, path: text("/x") },
    right: [
      { ...scanned, entries: named("a", status()) },
      { ...scanned, entries: bytes(...named("a"), ...named("b", status())) },
      { ...scanned, end: false, certain: false, entries: bytes() },
    ],
    wrong: [
      { ...scanned, end: false },
      { ...scanned, folder: bytes(1) },
      { ...scanned, entries: bytes(...named("a"), ...named("b"), ...named("c")) },
      { ...scanned, entries: named("") },
      { ...scanned, entries: named("a/b") },
      { ...scanned, entries: named("a\0") },
      { ...scanned, entries: named("a", status()).subarray(0, 5) },
      { ...scanned, entries: bytes(1, 33, 0x61, ...new Uint8Array(33 * 8)) },
    ],
  },
  {
    asked: "read",
    body: { file: 1, offset: 0n, count: 4 },
    right: [{ content: bytes() }, { content: text("1234") }],
    wrong: [{ content: text("12345") }],
  },
  {
    asked: "write",
    body: write,
    right: [{ count: 5, offset: 15n }, { count: 0, offset: 10n }],
    wrong: [{ count: 6, offset: 16n }, { count: 5, offset: 10n }, { count: 5, offset: 1n << 63n }],
  },
  {
    asked: "seek",
    body: { file: 1, offset: 0n, whence: 2 },
    right: [{ offset: 7n }],
    wrong: [{ offset: 1n << 63n }, { offset: (1n << 64n) - 2n }],
  },
  { asked: "change", body: change, right: [{}], wrong: [] },
  { asked: "connect", body: { remote: somewhere }, ...betweenEnds() },
  { asked: "connectFrom", body: { remote: somewhere, source: somewhere }, ...betweenEnds() },
  { asked: "associate", body: { remote: somewhere }, ...betweenEnds() },
  { asked: "associateFrom", body: { remote: somewhere, source: somewhere }, ...betweenEnds() },
  {
    asked: "lookup",
    body: { name: "a", family: 4, flags: 0 },
    right: [host],
    wrong: [
      { ...host, ending: 5 },
      { ...host, aliases: "no end" },
      { ...host, name: "a\0b" },
      { ...host, name: "\u0142" },
      { ...host, addresses: new Uint8Array(16).fill(4) },
      { ...host, addresses: new Uint8Array(17).fill(9) },
    ],
  },
  {
    asked: "reverse",
    body: { address: somewhere },
    right: [{ ending: 1, name: "", aliases: "" }],
    wrong: [{ ending: 255, name: "", aliases: "" }, { ending: 0, name: "a", aliases: "b" }],
  },
  {
    asked: "hostName",
    body: {},
    right: [{ name: "pod-1", search: "a.b\nc" }],
    wrong: [{ name: "x".repeat(2000), search: "" }, { name: "a\0", search: "" }],
  },
  {
    asked: "resolve",
    body: resolve,
    right: [{ ending: 0, errno: 0, stream: false, reply: bytes(1) }],
    wrong: [
      { ending: 0, errno: 5, stream: false, reply: bytes() },
      { ending: 0, errno: 0, stream: true, reply: new Uint8Array(65_536) },
    ],
  },
  {
    asked: "netlink",
    body: { strict: false, request: bytes() },
    right: [{ messages: netlink(20) }, { messages: bytes() }],
    wrong: [{ messages: netlink(21) }, { messages: netlink(3) }, { messages: bytes(1) }],
  },
  {
    asked: "interface",
    body: { command: 0x8912, request: bytes() },
    right: [{ content: new Uint8Array(80) }],
    wrong: [{ content: new Uint8Array(81) }],
  },
  {
    asked: "interface",
    body: { command: 0x8913, request: new Uint8Array(40) },
    right: [{ content: new Uint8Array(40) }],
    wrong: [{ content: new Uint8Array(39) }],
  },
  {
    asked: "subscribe",
    as: "subscribe",
    body: subscribe,
    right: [subscribe],
    wrong: [{ ...subscribe, port: 81 }, { ...subscribe, mode: 2 }],
  },
  { asked: "packets", body: { ports: bytes(0, 80) }, right: [{}], wrong: [] },
  {
    asked: "listening",
    body: {},
    right: [{ ports: bytes() }, { ports: bytes(0, 80, 31, 144) }],
    wrong: [{ ports: bytes(0) }, { ports: bytes(0, 80, 0, 0) }],
  },
  {
    asked: "unsubscribe",
    as: "unsubscribe",
    body: { port: 80 },
    right: [{ port: 80 }],
    wrong: [{ port: 81 }],
  },
];

function betweenEnds(): { right: unknown[]; wrong: unknown[] } {
  const right = { local: somewhere, peer: somewhere };
  return { right: [right], wrong: [{ ...right, local: nowhere }, { ...right, peer: nowhere }] };
}

/** A netlink message of 20 bytes whose length field is `length`. */
function netlink(length: number): Uint8Array {
  const into = new Uint8Array(20);
  new DataView(into.buffer).setUint32(0, length, true);
  return into;
}

function encoded(kind: Kind, body: unknown): Uint8Array {
  return encode<Table[Kind]>(agentMessages[kind], body as Body<Table[Kind]>);
}

/** A session's end with the door, and an agent's without. */
async function pair(): Promise<AsyncDisposable & { client: Link<Table>; agent: Link<Table> }> {
  const [a, b] = await sockets("unix");
  const client = new Link(connStream(a), agentMessages, { side: "client", door: agentDoor("agent") });
  const agent = new Link(connStream(b), agentMessages, { side: "agent" });
  return {
    client,
    agent,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await agent[Symbol.asyncDispose]();
    },
  };
}

/** What the client makes of `answer`, given by hand to its request. */
async function outcome(
  asked: Kind,
  body: unknown,
  answer: { kind: Kind; body: Uint8Array; flags?: number },
): Promise<{ error: unknown; closed: boolean }> {
  await using at = await pair();
  const serving = (async () => {
    for await (const frame of at.agent.received()) {
      await at.agent.send(answer.kind, frame.id, answer.body, answer.flags ?? 1).catch(() => {});
    }
  })();
  const request = at.client.request(asked, body as Body<Table[Kind]>);
  const error = await request.then(() => null, (error) => error);
  const closed = error instanceof NonsenseError && await at.client.closed === error;
  at.client.close();
  await serving;
  return { error, closed };
}

Deno.test("every message of both links has a rule with a check, and no rule is without its message", () => {
  for (const [table, rules] of [[agentMessages, agentLimits], [layerMessages, layerLimits]] as const) {
    assert.deepEqual(Object.keys(rules).sort(), Object.keys(table).sort());
    for (const [name, rule] of Object.entries(rules)) assert.equal(typeof rule.check, "function", name);
  }
});

Deno.test("every request of the agent link that has an answer has a rule for it", () => {
  for (const [name, message] of Object.entries(agentMessages)) {
    const isAnswer = Object.entries(agentMessages).some(([asked, { kind }]) =>
      kind === message.kind && name === `${asked}Reply`
    );
    const rule = agentLimits[name as Kind];
    if (isAnswer) assert.ok(rule.answer !== undefined || rule.raw !== undefined, name);
  }
});

for (const { asked, body, as = `${asked}Reply` as Kind, right, wrong } of answers) {
  Deno.test(`answers to "${asked}" that make sense pass, others end the link`, async () => {
    for (const answer of right) {
      const { error } = await outcome(asked, body, { kind: as, body: encoded(as, answer) });
      assert.equal(error, null, Deno.inspect(answer));
    }
    for (const answer of wrong) {
      const { error, closed } = await outcome(asked, body, { kind: as, body: encoded(as, answer) });
      assert.ok(error instanceof NonsenseError && closed, `${error}`);
      assert.match(error.message, new RegExp(`^Cannot accept the answer to "${asked}": `));
    }
  });
}

Deno.test("a failure has an errno of Linux's and a sentence", async () => {
  const failed = (errno: number, sentence: string) =>
    outcome("stat", path, {
      kind: "statReply",
      body: encoded("failure", { errno, text: sentence }),
      flags: 2,
    });
  const { error } = await failed(2, "statx: ENOENT");
  assert.ok(error instanceof RemoteError);
  for (const errno of [0, 134, 512, 4095, 0xffffffff]) {
    assert.ok((await failed(errno, "")).error instanceof NonsenseError, `${errno}`);
  }
  assert.ok((await failed(2, "x".repeat(5000))).error instanceof NonsenseError);
});

Deno.test("an answer of two parts where one is due, of another kind, or to nothing ends the link", async () => {
  const reply = encoded("statReply", { status: status() });
  const parts = await outcome("stat", path, { kind: "statReply", body: reply, flags: 0 });
  assert.match(String(parts.error), /goes on where it has one part only/);
  const other = await outcome("stat", path, { kind: "accessReply", body: bytes() });
  assert.match(String(other.error), /nobody asked for it|answers a request that nobody made/);
  for (const id of [1, 77, 0xffffffff]) {
    await using at = await pair();
    await at.agent.send("statReply", id, reply, 1);
    assert.ok(await at.client.closed instanceof NonsenseError, `${id}`);
  }
});

Deno.test("what the agent may not say unasked ends the link, a notice and a connection do not", async () => {
  const incoming = { port: 80, peer: somewhere, local: somewhere, http: false };
  for (
    const [kind, id, body] of [
      ["incoming", 2, { ...incoming, port: 0 }],
      ["incoming", 2, { ...incoming, peer: nowhere }],
      ["incoming", 3, incoming],
      ["incoming", 0, incoming],
      ["subscribe", 2, subscribe],
      ["connect", 2, { remote: somewhere }],
      ["notice", 0, { level: 3, text: "" }],
    ] as [Kind, number, unknown][]
  ) {
    await using at = await pair();
    await at.agent.send(kind, id, encoded(kind, body));
    assert.ok(await at.client.closed instanceof NonsenseError, `${kind} ${id} ${JSON.stringify(body)}`);
  }
  await using at = await pair();
  await at.agent.send("notice", 0, { level: 1, text: "hello" });
  await at.agent.send("incoming", 2, incoming);
  const frames = at.client.received()[Symbol.asyncIterator]();
  assert.equal((await frames.next()).value?.name, "notice");
  assert.equal((await frames.next()).value?.name, "incoming");
  // The same connection again: its bytes would be two readers'.
  await at.agent.send("incoming", 2, encoded("incoming", incoming));
  assert.ok(await at.client.closed instanceof NonsenseError);
});

Deno.test("the answer to a request that was given up is dropped", async () => {
  await using at = await pair();
  const controller = new AbortController();
  const asked = at.client.request("stat", path, { signal: controller.signal }).catch(() => {});
  const frame = (await at.agent.received()[Symbol.asyncIterator]().next()).value;
  controller.abort();
  await asked;
  await at.agent.send("statReply", frame?.id ?? 0, { status: status() }, 1);
  const answered = at.client.request("stat", path);
  const next = (await at.agent.received()[Symbol.asyncIterator]().next()).value;
  await at.agent.send("statReply", next?.id ?? 0, { status: status() }, 1);
  assert.equal((await answered).length, 1);
});
