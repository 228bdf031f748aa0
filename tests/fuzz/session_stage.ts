// A real session between an agent and processes that a fuzz body plays: the agent's end of the link is in
// memory, frame by frame, processes come by the real socket. Used by layer_link.ts and hostile_agent.ts.

import type { Emit } from "../../core/session/events.ts";
import { noPorts } from "../../core/session/incoming_rules.ts";
import { Session } from "../../core/session/session.ts";
import {
  agentDoor,
  agentMessages,
  type Body,
  decode,
  encode,
  folderEntryBytes,
  layerMessages,
  Link,
  packAddresses,
  packFolderEntry,
  tableHash,
} from "../../protocol-wasm/mod.ts";
import { filesConfig } from "../support/files_config.ts";
import { type Frame, frameBytes, FrameReader } from "./frames.ts";
import { MemoryStream } from "./memory_stream.ts";
import type { Random } from "./random.ts";

export type AgentKind = keyof typeof agentMessages & string;
type AgentFrame = Frame & { name: AgentKind };

const ends = { local: { address: "10.0.0.2", port: 5 }, peer: { address: "10.0.0.3", port: 80 } };
const names = new Map<number, AgentKind>();
for (const [name, { kind }] of Object.entries(agentMessages)) {
  if (!names.has(kind)) names.set(kind, name as AgentKind);
}

/** struct statx of a file of `size`, or of a folder. */
function status(size: number, isFolder = false): Uint8Array {
  const into = new Uint8Array(256);
  const view = new DataView(into.buffer);
  view.setUint16(28, isFolder ? 0o040755 : 0o100644, true);
  view.setBigUint64(40, BigInt(size), true);
  return into;
}

/** struct linux_dirent64. */
function entry(name: string): Uint8Array {
  const into = new Uint8Array((19 + name.length + 8) & ~7);
  const view = new DataView(into.buffer);
  view.setBigUint64(8, 1n, true);
  view.setUint16(16, into.length, true);
  into.set(new TextEncoder().encode(name), 19);
  return into;
}

function netlinkDone(): Uint8Array {
  const into = new Uint8Array(20);
  const view = new DataView(into.buffer);
  view.setUint32(0, 20, true);
  view.setUint16(4, 3, true);
  return into;
}

/** What a real agent might answer to a request; null: nothing. */
export function rightAnswer(random: Random, { name, id, kind, body }: AgentFrame): Frame | null {
  const failure = (errno: number): Frame => ({
    kind,
    flags: 2,
    id,
    body: encode(agentMessages.failure, { errno, text: "it fails" }),
  });
  const failed = random.once(12);
  if (failed && !["unsent", "env", "reach"].includes(name)) {
    return failure(random.pick([2, 13, 111, 110]));
  }
  const answer = <K extends AgentKind>(as: K, fields: Body<typeof agentMessages[K]>): Frame => ({
    kind,
    flags: 1,
    id,
    body: encode<typeof agentMessages[K]>(agentMessages[as], fields),
  });
  switch (name) {
    case "open": {
      const { path, ahead, whole } = decode(agentMessages.open, body);
      if (path.at(-1) === 0x64) {
        const end = random.once(2);
        return answer("openReply", { file: 1, end, status: status(0, true), content: entry("name") });
      }
      const isWhole = whole > 0 && random.once(2);
      const content = random.bytes(Math.min(isWhole ? whole : ahead, 30));
      return answer("openReply", { file: isWhole ? 0 : 2, end: isWhole, status: status(1000), content });
    }
    case "stat":
      return answer("statReply", { status: status(5) });
    case "statfs":
      return answer("statfsReply", { status: new Uint8Array(120) });
    case "readLink":
      return answer("readLinkReply", { target: new TextEncoder().encode("to") });
    case "list":
      return answer("listReply", { end: true, entries: random.once(2) ? new Uint8Array() : entry("name") });
    case "scan": {
      const into = new Uint8Array(folderEntryBytes);
      const told = {
        name: new TextEncoder().encode("name"),
        status: random.once(2) ? status(5) : new Uint8Array(),
      };
      const end = random.once(2);
      return answer("scanReply", {
        end,
        certain: end && random.once(2),
        cursor: 1n,
        folder: status(0, true),
        entries: into.subarray(0, random.once(4) ? 0 : packFolderEntry(told, into, 0)),
      });
    }
    case "read": {
      const { count } = decode(agentMessages.read, body);
      return answer("readReply", { content: random.bytes(Math.min(count, random.below(40))) });
    }
    case "write": {
      const { offset, content } = decode(agentMessages.write, body);
      const after = (offset < 1n << 63n ? offset : 0n) + BigInt(content.length);
      // As pwrite(2): no file reaches so far.
      return after < 1n << 63n ? answer("writeReply", { count: content.length, offset: after }) : failure(22);
    }
    case "seek":
      return answer("seekReply", { offset: BigInt(random.below(1000)) });
    case "enter":
      return answer("enterReply", { physical: new TextEncoder().encode("/data/d") });
    case "connect":
    case "connectFrom":
    case "associate":
    case "associateFrom":
      return answer(`${name}Reply`, ends);
    case "held":
      return answer("heldReply", { own: random.once(2) });
    case "served":
      return answer("servedReply", { inode: random.below(2) });
    case "reached":
      return answer("reachedReply", { reach: random.below(16) });
    case "lookup":
      return answer("lookupReply", {
        ending: 0,
        name: "a.full",
        aliases: "b\0",
        addresses: packAddresses(["10.0.0.9", "fd00::9"]),
      });
    case "reverse":
      return answer("reverseReply", { ending: 0, name: "a.full", aliases: "" });
    case "hostName":
      return answer("hostNameReply", { name: "pod-1", search: "a.b\nc" });
    case "resolve":
      return answer("resolveReply", { ending: 0, errno: 0, stream: false, reply: random.bytes(20) });
    case "netlink":
      return answer("netlinkReply", { messages: netlinkDone() });
    case "interface": {
      const { request } = decode(agentMessages.interface, body);
      return answer("interfaceReply", {
        content: new Uint8Array(request.length === 0 ? 80 : Math.max(40, request.length)),
      });
    }
    case "subscribe":
      return answer("subscribe", decode(agentMessages.subscribe, body));
    case "unsubscribe":
      return answer("unsubscribe", decode(agentMessages.unsubscribe, body));
    case "unsent":
      return answer("unsentReply", { peer: { address: "", port: 0 }, bytes: 0n });
    case "ping":
      return { kind, flags: 1, id, body };
    case "access":
    case "change":
    case "move":
    case "close":
    case "stream":
    case "goodbye":
      return { kind, flags: 1, id, body: new Uint8Array() };
  }
  return null;
}

/** What a real agent says behind that answer: bytes of the connection that it opened. */
export function rightBytes(random: Random, { name, id }: AgentFrame, { flags }: Frame): Frame[] {
  const opens = name === "stream" || name === "connect" || name === "associate";
  if (!opens || (flags & 2) !== 0 || (name !== "stream" && random.once(2))) return [];
  const { kind } = agentMessages.data;
  const frames: Frame[] = [];
  while (random.once(2)) frames.push({ kind, flags: 0, id, body: random.bytes(random.below(400)) });
  // A file that is read ahead ends; a peer may go on, end, or reset.
  const flagsAtEnd = name === "stream" ? 1 : random.below(3);
  if (flagsAtEnd !== 0) frames.push({ kind, flags: flagsAtEnd, id, body: new Uint8Array() });
  return frames;
}

export interface Stage extends AsyncDisposable {
  readonly session: Session;
  /** The session's end of the agent link. */
  readonly link: Link<typeof agentMessages>;
  /** The agent says this. */
  say(bytes: Uint8Array): void;
  /** The agent's end of the link closes. */
  endAgent(): void;
  /** A process's connection; `hello` identifies it. */
  connect(): Promise<Deno.Conn>;
}

export interface StageOptions {
  /** What the agent says when it is asked. */
  answer: (asked: AgentFrame) => Uint8Array | null;
  /** Without a door the session believes all: for the faults that are planted. */
  hasDoor?: boolean;
  /** What happens in the session. */
  emit?: Emit;
}

let stages = 0;

export function openStage({ answer, hasDoor = true, emit = () => {} }: StageOptions): Stage {
  const folder = Deno.makeTempDirSync({ prefix: "mirrord-fuzz-" });
  const stream = new MemoryStream();
  const reader = new FrameReader();
  stream.heard = (bytes) => {
    for (const frame of reader.take(bytes)) {
      const name = names.get(frame.kind);
      const isAnswer = (frame.flags & 3) !== 0;
      if (name === undefined || name === "data" || name === "credit" || isAnswer) continue;
      const said = answer({ ...frame, name });
      if (said !== null) stream.say(said);
    }
  };
  const door = hasDoor ? { door: agentDoor("agent") } : {};
  const link = new Link(stream, agentMessages, { side: "client", ...door });
  link.version = 3;
  const socketPath = `${folder}/${stages++}.sock`;
  const session = new Session({
    agent: link,
    incoming: { ...noPorts, ports: null, heartbeatMs: 2000 },
    outgoing: { tcp: true, udp: true, ignoreLocalhost: false, filter: null },
    dns: { enabled: true, filter: null, hostname: true },
    files: {
      config: filesConfig({ mode: "write", readAhead: 64, cache: "walk", autoMount: false }),
      places: { temporary: "/tmp", workingDirectory: "/", home: undefined },
    },
    interfaces: true,
    socketPath,
    emit,
  });
  return {
    session,
    link,
    say: (bytes) => stream.say(bytes),
    endAgent: () => stream.end(),
    connect: () => Deno.connect({ transport: "unix", path: socketPath }),
    async [Symbol.asyncDispose]() {
      await session[Symbol.asyncDispose]();
      await link[Symbol.asyncDispose]();
      Deno.removeSync(folder, { recursive: true });
    },
  };
}

/** The hello of process `identity`. */
export function helloBytes(identity: bigint): Uint8Array {
  const body = encode(layerMessages.hello, {
    tables: tableHash(layerMessages),
    process: identity,
    pid: Deno.pid,
    parent: 1,
    executable: new TextEncoder().encode("/data/bin/app"),
  });
  return frameBytes({ kind: layerMessages.hello.kind, flags: 0, id: 0, body });
}
