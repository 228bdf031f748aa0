// What a proven client says to the agent: the agent's real Client, with its floors, in a network namespace of
// its own and beside a target of another user whose root is a scratch folder. A client is trusted with its
// session; it must not crash the agent, take its memory, or keep what it is told to give back.

import { Client } from "../../agent/client.ts";
import { agentDoor, agentMessages, encode, Link } from "../../protocol-wasm/mod.ts";
import {
  type Frame,
  frameBytes,
  FrameReader,
  kindsOf,
  mutated,
  randomBody,
  randomText,
  type Values,
} from "./frames.ts";
import type { Fuzz, Order } from "./fuzz.ts";
import { MemoryStream } from "./memory_stream.ts";
import type { Random } from "./random.ts";

type Kind = keyof typeof agentMessages;

const requests: readonly Kind[] = [
  ...[
    "env",
    "envNames",
    "unsent",
    "subscribe",
    "unsubscribe",
    "reach",
    "connect",
    "connectFrom",
    "associate",
  ] as const,
  ...["associateFrom", "held", "lookup", "reverse", "hostName", "resolve", "netlink", "interface"] as const,
  ...["open", "stat", "access", "readLink", "statfs", "list", "read", "write", "seek", "change"] as const,
  ...["move", "close", "stream", "enter", "goodbye", "incoming", "ping"] as const,
];
const kinds = kindsOf(agentMessages);
/** Frames that one client says at most, before it goes. */
const mostFrames = 400;
const openFiles = 12;

const path = (random: Random): Uint8Array => {
  const paths = [
    "/",
    "/data",
    "/data/f",
    "/tmp/a",
    "/tmp/b",
    "data/f",
    "..",
    "",
    "/proc/self/environ",
    "/dev/null",
  ];
  const text = random.once(6)
    ? `/${randomText(random)}`
    : random.pick(paths.concat("/tmp/fifo", "/etc/hosts"));
  return new TextEncoder().encode(text);
};
const file = (random: Random): number => random.once(6) ? 0 : random.below(openFiles);

/** What a client would say, more or less. */
const values: Values = {
  path,
  from: path,
  to: path,
  file,
  dir: file,
  fromDir: file,
  toDir: file,
  port: (random) => random.pick([0, 80, 8080, 8081, 65_535]),
  mode: (random) => random.once(2) ? random.pick([1, 2]) : random.below(4096),
  flags: (random) => random.pick([0, 1, 2, 0o100, 0o1101, 0o102, 0o200000, 0o4000, 0x100, 0x200, 1 << 21]),
  filter: (random) => random.pick(["", '{"path":"^/x"}', '{"header":"a: b"}', "{", '{"all_of":[]}', "[]"]),
  include: (random) => random.pick(["", "*", "A*\nB", "[", "*".repeat(100)]),
  exclude: (random) => random.pick(["", "PATH", "*"]),
  what: (random) => random.below(12),
  count: (random) => random.number(32),
  offset: (random) => random.once(3) ? (1n << 64n) - 1n : BigInt(random.number(16)),
  whole: (random) => random.number(32),
  ahead: (random) => random.number(32),
  family: (random) => random.pick([0, 4, 6, 9]),
  name: (random) => random.pick(["localhost", "a", "a.b.", "x".repeat(64), "", "é"]),
  covered: (random) => random.below(17),
  standIn: (random) => random.below(16),
};

/** A client's frames: mostly right ones, some with a change. */
function speech(random: Random, nextId: () => number, opened: number[]): Uint8Array {
  const frames: Frame[] = [];
  for (let more = 1 + random.below(4); more > 0; more--) frames.push(word(random, nextId, opened));
  if (random.once(8)) return mutated(random, frames, kinds);
  const all = frames.map((frame) => frameBytes(frame));
  return new Uint8Array(all.flatMap((bytes) => [...bytes]));
}

function word(random: Random, nextId: () => number, opened: number[]): Frame {
  const { data, credit } = agentMessages;
  const connection = opened.length > 0 ? random.pick(opened) : random.number(16);
  if (random.once(6)) {
    const flags = random.once(6) ? 1 : random.once(12) ? 2 : 0;
    return { kind: data.kind, flags, id: connection, body: random.bytes(random.below(200)) };
  }
  if (random.once(12)) {
    return {
      kind: credit.kind,
      flags: 0,
      id: connection,
      body: encode(credit, { bytes: random.number(16) }),
    };
  }
  const name = random.pick(requests);
  // A goodbye is the end: rare, so that a client gets to say something.
  const message = agentMessages[name === "goodbye" && !random.once(20) ? "ping" : name];
  const id = nextId();
  if ("opens" in message) {
    opened.push(id);
    if (opened.length > 16) opened.shift();
  }
  return { kind: message.kind, flags: 0, id, body: randomBody(random, message, values) };
}

export async function agentLink(fuzz: Fuzz, { target }: Order): Promise<void> {
  const { random } = fuzz;
  while (!fuzz.isOver) {
    await oneClient(fuzz, target, random);
    await fuzz.rest();
  }
}

async function oneClient(fuzz: Fuzz, target: number, random: Random): Promise<void> {
  const stream = new MemoryStream();
  const reader = new FrameReader();
  let answers = 0;
  stream.heard = (bytes) => answers += reader.take(bytes).length;
  const cut = random.once(4) ? 1 + random.below(20) : Infinity;
  stream.piece = () => cut;
  const link = new Link(stream, agentMessages, { side: "agent", door: agentDoor("client") });
  const client = new Client(link, {
    owner: "fuzz",
    key: "fuzz",
    target: { pid: target },
    detectionMs: 100,
    heartbeatMs: 2000,
  });
  const serving = client.serve(link.received()[Symbol.asyncIterator]());
  let over = false;
  void serving.finally(() => over = true);
  let last = -1;
  const nextId = () => random.once(30) ? random.number(32) : last += 2;
  const opened: number[] = [];
  for (let said = 0; said < mostFrames && !over && !fuzz.isOver; said++) {
    stream.say(speech(random, nextId, opened));
    await fuzz.case();
    // The agent has its turn; it reads no more than it can answer.
    if (said % 4 === 0) await new Promise((resolve) => setTimeout(resolve));
  }
  stream.end();
  await serving;
  await client[Symbol.asyncDispose]();
  await link[Symbol.asyncDispose]();
  fuzz.check(stream.isClosed, "the stream of a client that ended is open");
  fuzz.answers += answers;
}
