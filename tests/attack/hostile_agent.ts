// An agent that answers what makes no sense: speaks the real handshake over standard input and output, then
// what its scenario says. Started by agent_test.ts in the place of `sudo`, which mirrord starts its agent for
// a process by; no test itself.

import { makeDoorKeys, proveClient } from "../../agent/door.ts";
import { stdioStream } from "../../agent/sys/stdio.ts";
import { agentMessages, type Body, decode, encode } from "../../protocol-wasm/mod.ts";
import { type Frame, frameBytes } from "../fuzz/frames.ts";
import { Random } from "../fuzz/random.ts";
import { rightAnswer } from "../fuzz/session_stage.ts";

type Kind = keyof typeof agentMessages & string;
type Asked = Frame & { name: Kind };

const nothing = new Uint8Array();
const encoder = new TextEncoder();

/** A body of entry `kind`. */
function bodyOf<K extends Kind>(kind: K, body: Body<typeof agentMessages[K]>): Uint8Array {
  return encode<typeof agentMessages[K]>(agentMessages[kind], body);
}

/** What stands in the place of the answer to `asks`, as it travels; null: the right one. */
interface Scenario {
  asks: Kind;
  says: (right: Frame, asked: Asked) => Uint8Array | null;
}

const replaced = (asks: Kind, change: (right: Frame, asked: Asked) => Frame): Scenario => ({
  asks,
  says: (right, asked) => frameBytes(change(right, asked)),
});

/** struct linux_dirent64 whose name is `name` and nothing more: without an end where it fills the entry. */
function entry(name: string): Uint8Array {
  const into = new Uint8Array(Math.max(24, 19 + name.length));
  new DataView(into.buffer).setUint16(16, into.length, true);
  into.set(encoder.encode(name), 19);
  return into;
}

function folder(content: Uint8Array): Uint8Array {
  const status = new Uint8Array(256);
  new DataView(status.buffer).setUint16(28, 0o040755, true);
  return bodyOf("openReply", { file: 1, end: true, status, content });
}

const isFolder = ({ body }: Asked): boolean => decode(agentMessages.open, body).path.at(-1) === 0x64;

export const scenarios: Record<string, Scenario> = {
  "a short status": replaced("stat", (right) => ({
    ...right,
    body: bodyOf("statReply", { status: new Uint8Array(12) }),
  })),
  "a negative size": replaced("stat", (right) => {
    const status = new Uint8Array(256).fill(0xff, 40, 48);
    return { ...right, body: bodyOf("statReply", { status }) };
  }),
  "more content than asked": replaced("open", (right, asked) => {
    const { status } = decode(agentMessages.openReply, right.body);
    const content = new Uint8Array(600_000);
    return isFolder(asked)
      ? right
      : { ...right, body: bodyOf("openReply", { file: 0, end: true, status, content }) };
  }),
  "a name without an end": replaced(
    "open",
    (right, asked) => isFolder(asked) ? { ...right, body: folder(entry("x".repeat(60))) } : right,
  ),
  "a name that leads away": replaced(
    "open",
    (right, asked) => isFolder(asked) ? { ...right, body: folder(entry("../../../etc\0\0\0\0")) } : right,
  ),
  "an errno that Linux has not": replaced("stat", (right) => ({
    ...right,
    flags: 2,
    body: bodyOf("failure", { errno: 4000, text: "it fails" }),
  })),
  "an answer to nothing": replaced("stat", (right) => ({ ...right, id: right.id + 1000 })),
  "an answer of another kind": replaced("stat", (right) => ({ ...right, kind: agentMessages.access.kind })),
  "a body that is cut": replaced("stat", (right) => ({ ...right, body: right.body.subarray(0, 3) })),
  "an address list that is cut": replaced("lookup", (right) => ({
    ...right,
    body: bodyOf("lookupReply", { ending: 0, name: "a", aliases: "", addresses: new Uint8Array(16).fill(4) }),
  })),
  "a connection to nowhere": replaced("connect", (right) => ({
    ...right,
    body: bodyOf("connectReply", { local: { address: "", port: 0 }, peer: { address: "", port: 0 } }),
  })),
  "a notice that is no text": {
    asks: "stat",
    says: () =>
      frameBytes({
        kind: agentMessages.notice.kind,
        flags: 0,
        id: 0,
        body: Uint8Array.of(1, 2, 0, 0, 0, 0xff, 0xfe),
      }),
  },
  "noise": { asks: "stat", says: () => new Uint8Array(400).fill(0xa5) },
  "half a frame, and its end": { asks: "stat", says: (right) => frameBytes(right).subarray(0, 20) },
  "its end": { asks: "stat", says: () => nothing },
};

/** So many notices at once. */
const flood = 20_000;

async function main(): Promise<void> {
  const name = Deno.env.get("MIRRORD_HOSTILE") ?? "";
  const keys = await makeDoorKeys(Deno.args[Deno.args.indexOf("--public-key") + 1] ?? "", undefined);
  const stream = stdioStream();
  const proven = await proveClient(stream, keys, { intervalMs: 5000, limitMs: 15_000 });
  if (proven === null) throw new Error("the client has no key");
  const { link, join } = proven;
  const frames = link.received()[Symbol.asyncIterator]();
  await link.reply(join, "welcome", { version: link.version, kernel: "6.1.0" });
  const random = new Random(1);
  for (let next = await frames.next(); !next.done; next = await frames.next()) {
    const frame = next.value;
    const kind = agentMessages[frame.name].kind;
    const asked: Asked = { name: frame.name, kind, flags: frame.flags, id: frame.id, body: frame.body };
    if (frame.name === "envNames") {
      await link.send("envNames", frame.id, nothing, 1);
      continue;
    }
    if (frame.name === "env") {
      const value = name === "a huge variable" ? "x".repeat(200_000) : "1";
      const variables = encoder.encode(`TARGET=${value}\0`);
      for (let at = 0; at < variables.length; at += 65_536) {
        const isLast = at + 65_536 >= variables.length;
        await link.send("env", frame.id, variables.subarray(at, at + 65_536), isLast ? 1 : 0);
      }
      continue;
    }
    const right = rightWithout(random, asked);
    if (right === null) continue;
    if (name === "a flood of notices" && frame.name === "stat") {
      // All of them before the answer, which goes past the link: it would come into the middle of one.
      const notices = Array.from({ length: flood }, (_, i) => ({ level: 1, text: `notice ${i}` }));
      await Promise.all(notices.map((notice) => link.send("notice", 0, notice)));
    }
    const scenario = scenarios[name];
    // The program's first look at the target's root is the session's own.
    const isMeant = scenario?.asks === frame.name && !isRoot(asked);
    const said = isMeant ? scenario.says(right, asked) : null;
    await stream.write(said ?? frameBytes(right));
    if (isMeant && /its end$/.test(name)) return link.close();
  }
}

/** The right answer that is no failure, and has files whole: what is streamed would have to come. */
function rightWithout(random: Random, asked: Asked): Frame | null {
  for (;;) {
    const right = rightAnswer(random, asked);
    if (right === null) return null;
    const isFailed = (right.flags & 2) !== 0;
    const isPart = asked.name === "open" && !isFailed && !isFolder(asked) &&
      decode(agentMessages.openReply, right.body).file !== 0;
    if (!isFailed && !isPart) return right;
  }
}

function isRoot({ name, body }: Asked): boolean {
  return name === "stat" && decode(agentMessages.stat, body).path.length === 1;
}

if (import.meta.main) await main();
