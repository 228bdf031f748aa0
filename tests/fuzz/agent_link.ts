// What a proven client says to the agent: the agent's real Client, with its floors, in a network namespace of
// its own and beside a target of another user whose root is a scratch folder. A client is trusted with its
// session; it must not crash the agent, take its memory, or keep what it is told to give back. Clients run
// side by side, with ports of their own. Most share their file threads, since a thread costs more than a
// hundred cases; some have their own, which end with them.

import { Client } from "../../agent/client.ts";
import { FileThreads } from "../../agent/files/threads.ts";
import { agentDoor, agentLimits, agentMessages, type Door, encode, Link } from "../../protocol-wasm/mod.ts";
import {
  type Frame,
  FrameReader,
  framesBytes,
  kindsOf,
  mutated,
  randomBody,
  randomText,
  type Values,
} from "./frames.ts";
import { type Fuzz, type Order, turn } from "./fuzz.ts";
import { MemoryStream } from "./memory_stream.ts";
import type { Random } from "./random.ts";

type Kind = keyof typeof agentMessages;

/** All that a client says, other than bytes of connections and credit for them. */
const requests = (Object.keys(agentMessages) as Kind[]).filter((name) =>
  name === "ping" || ["client", "either"].includes(agentLimits[name].by)
);
/** Of these the agent answers none. */
const tellings: readonly string[] = ["owner", "reach", "probe", "data", "credit"];
const kinds = kindsOf(agentMessages);
/** Frames that one client says at most, before it goes. */
const mostFrames = 400;
/** Numbers of files that a client names; as many are open at most, usually. */
const openFiles = 6;
const clientsAtOnce = 8;
/** One client in so many has file threads of its own. */
const ownThreadsOnce = 64;
/** Turns that a client gives the agent for its answers: a pipe or a peer may keep one back for long. */
const patientTurns = 64;

/** A path in the client's folder `home`, or elsewhere in the target. */
function pathIn(home: string, random: Random): Uint8Array {
  const paths = ["/", "/data", "/data/f", "data/f", "..", "", "/proc/self/environ", "/dev/null", "/tmp/fifo"];
  const own = ["", "/a", "/b", "/c", "/d", "/d/a", "/f"].map((name) => home + name);
  const text = random.once(6) ? `/${randomText(random)}` : random.pick([...paths, "/etc/hosts", ...own]);
  return new TextEncoder().encode(text);
}
const file = (random: Random): number => random.once(6) ? 0 : 1 + random.below(openFiles);
const dir = (random: Random): number => random.once(4) ? file(random) : 0;

/** What a client would say, more or less. */
const values: Values = {
  file,
  dir,
  fromDir: dir,
  toDir: dir,
  how: (random) => 1 + random.below(4),
  key: (random) => random.bytes(32),
  signature: (random) => random.bytes(64),
  version: (random) => 1 + random.below(5),
  nodes: (random) => random.pick(["", "10.0.0.1", "10.0.0.1\nfd00::1", "x"]),
  // Mirroring is begun and ended while the kernel waits for all its processors: half as often as stealing.
  mode: (random) => random.once(2) ? random.pick([1, 1, 2]) : random.below(4096),
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
  seconds: (random) => random.below(3),
  covered: (random) => random.below(17),
  standIn: (random) => random.below(16),
};

/** One client: how it says what it says. */
interface Speaker {
  random: Random;
  values: Values;
  /** Once in so many times what it says is broken. */
  brokenOnce: number;
  nextId: () => number;
  /** The connections that it opened last. */
  opened: number[];
}

/** A client's frames: mostly right ones, some with a change; how many of them are answered. */
function speech(fuzz: Fuzz, speaker: Speaker): { bytes: Uint8Array; questions: number } {
  const { random, brokenOnce } = speaker;
  const frames: (Frame & { name: Kind })[] = [];
  for (let more = 1 + random.below(4); more > 0; more--) frames.push(word(speaker));
  for (const { name } of frames) fuzz.says(name);
  if (random.once(brokenOnce)) return { bytes: mutated(random, frames, kinds), questions: 0 };
  const questions = frames.filter(({ name }) => !tellings.includes(name)).length;
  return { bytes: framesBytes(frames), questions };
}

function word({ random, values, nextId, opened, brokenOnce }: Speaker): Frame & { name: Kind } {
  const { data, credit } = agentMessages;
  const connection = opened.length > 0 ? random.pick(opened) : random.number(16);
  if (random.once(6)) {
    const flags = random.once(6) ? 1 : random.once(12) ? 2 : 0;
    return { name: "data", kind: data.kind, flags, id: connection, body: random.bytes(random.below(200)) };
  }
  if (random.once(12)) {
    const body = encode(credit, { bytes: random.number(16) });
    return { name: "credit", kind: credit.kind, flags: 0, id: connection, body };
  }
  const picked = random.pick(requests);
  // A goodbye is the end: rare, so that a client gets to say something.
  const name = picked === "goodbye" && !random.once(20) ? "ping" : picked;
  const message = agentMessages[name];
  const id = nextId();
  if ("opens" in message) {
    opened.push(id);
    if (opened.length > 16) opened.shift();
  }
  const body = randomBody(random, message, values, { anyOnce: brokenOnce });
  return { name, kind: message.kind, flags: 0, id, body };
}

export async function agentLink(fuzz: Fuzz, { target }: Order): Promise<void> {
  using threads = new FileThreads(() => target);
  await fuzz.rounds(clientsAtOnce, async (random, lane) => {
    const fileThreads = random.once(ownThreadsOnce) ? undefined : threads;
    const home = `/tmp/home${homes++}`;
    using _files = filesIn(`/proc/${target}/root${home}`);
    await oneClient(fuzz, random, { lane, home, target, fileThreads });
  });
  fuzz.checkSaid(requests);
}

let homes = 0;

/**
 * The files of a client's own: the same for each, whatever others did before. What a client left there, links
 * too, is never followed: this process is root, and has this machine's root directory.
 */
function filesIn(folder: string): Disposable {
  Deno.umask(0);
  Deno.mkdirSync(folder);
  Deno.mkdirSync(`${folder}/d`);
  Deno.writeTextFileSync(`${folder}/f`, "text\n".repeat(2000), { createNew: true });
  return {
    [Symbol.dispose]() {
      try {
        Deno.removeSync(folder, { recursive: true });
      } catch {
        // A file thread is late with what the client asked for last: it makes something there just now.
      }
    },
  };
}

interface Place {
  lane: number;
  /** A folder of the target's in which the client makes its files. */
  home: string;
  target: number;
  fileThreads: FileThreads | undefined;
}

async function oneClient(
  fuzz: Fuzz,
  random: Random,
  { lane, home, target, fileThreads }: Place,
): Promise<void> {
  const stream = new MemoryStream();
  const reader = new FrameReader();
  let answers = 0;
  stream.heard = (bytes) => answers += reader.take(bytes).length;
  const cut = random.once(4) ? 1 + random.below(20) : Infinity;
  stream.piece = () => cut;
  const door = agentDoor("client");
  const link = new Link(stream, agentMessages, {
    side: "agent",
    door: fuzz.plant === "deep" ? brokenDoor(door) : door,
  });
  const client = new Client(link, {
    owner: "fuzz",
    key: "fuzz",
    target: { pid: target },
    detectionMs: 100,
    heartbeatMs: 2000,
    ...(fileThreads === undefined ? {} : { fileThreads }),
  });
  const serving = client.serve(link.received()[Symbol.asyncIterator]());
  let over = false;
  void serving.finally(() => over = true);
  let last = -1;
  const ports = [0, 80 + lane, 8080 + lane, 9080 + lane, 65_535 - lane];
  const path = (random: Random) => pathIn(home, random);
  const brokenOnce = random.pick([8, 8, 60]);
  const speaker: Speaker = {
    random,
    values: { ...values, port: (random) => random.pick(ports), path, from: path, to: path },
    brokenOnce,
    nextId: () => random.once(4 * brokenOnce) ? random.number(32) : last += 2,
    opened: [],
  };
  for (let said = 0; said < mostFrames && !over && !fuzz.isOver; said++) {
    const { bytes, questions } = speech(fuzz, speaker);
    const before = answers;
    stream.say(bytes);
    await fuzz.case();
    await turn();
    // Some clients wait for their answers, some ask on.
    if (said % 2 === 0) continue;
    for (let turns = 0; turns < patientTurns && answers < before + questions && !over; turns++) await turn();
  }
  stream.end();
  await serving;
  await client[Symbol.asyncDispose]();
  await link[Symbol.asyncDispose]();
  fuzz.check(stream.isClosed, "the stream of a client that ended is open");
  fuzz.answers += answers;
}

/** A fault on purpose, deep inside: of a client that was given a port, a later message ends the agent. */
function brokenDoor(door: Door): Door {
  let hasPort = false;
  return {
    ...door,
    said: (kind, frame) => {
      door.said(kind, frame);
      if (hasPort && kind === "seek") queueMicrotask(() => Promise.reject(new Error("planted")));
      hasPort ||= kind === "subscribe";
    },
  };
}
