// What is sent where the agent has no image: this very program, and the dynamic linker and C library that it
// needs, so that it runs in any image. For a node with another processor than this machine's it is the
// program of the same release for that one, where such a file lies beside this program. Made by ephemeral.ts,
// sent by send.ts, unpacked by the shell line of sent.ts. Its form: the program, then the libraries, nothing
// between. The program asks for its linker by a relative name, since no folder is known yet; started in the
// folder where both are, it is /proc/self/exe, where it looks for what it embeds.

import { Buffer } from "node:buffer";
import { createGzip, gunzipSync } from "node:zlib";
import { concatenate } from "../../protocol-wasm/mod.ts";
import { DeployError } from "../base/errors.ts";
import { identityOf, keep, readKept } from "./kept_pack.ts";

/** A library as it lies in the payload. */
export interface Piece {
  name: string;
  size: number;
}

export interface Payload {
  /** As `uname -m` says it. */
  machine: string;
  programSize: number;
  /** In the order in which the libraries follow the program, and how much they are. */
  pieces: Piece[];
  librariesSize: number;
  /** Of program and libraries. */
  sha256: string;
  /** Both, gzip'd; made once, when it is first asked for. */
  packed: () => Promise<Uint8Array[]>;
}

/** What of it stands in a file. */
type PayloadFacts = Omit<Payload, "packed">;

/** What a file of scripts/build_libraries.ts begins with; its size follows in four bytes, little-endian. */
export const librariesMark: Uint8Array = Uint8Array.fromHex("6d69e272c00964b5a1f3774c9be1d2f8");

/** The linker's place in the folder. */
export const linkerName = "ld.so";
/**
 * ELF-64, little-endian: where the program headers are, and in each its type, its offset and its size in the
 * file (elf(5)).
 */
const headerBytes = 64;
const segmentBytes = 56;
const interpreterSegment = 3;

/** What to do where the agent cannot be sent. */
export const imageHelp = "Give the agent an image of its own: agent.image or --agent-image.";

/** Machines for which there is an agent, as `uname -m` names them. */
const machines = ["x86_64", "aarch64"] as const;

let prepared: Promise<Payload[]> | undefined;

/**
 * Begins to make what will be sent, while the target is looked for: the whole program is read, hashed and
 * compressed.
 */
export function preparePayloads(): void {
  prepared ??= readPayloads();
  // The caller of takePayloads gets a failure.
  prepared.then(([first]) => first?.packed()).catch(() => {});
}

/**
 * One payload for each machine that an agent is here for, this machine's first; throws DeployError where
 * there is none. They are the caller's: nothing here holds their memory any longer.
 */
export function takePayloads(): Promise<Payload[]> {
  const taken = prepared ?? readPayloads();
  prepared = undefined;
  return taken;
}

async function readPayloads(): Promise<Payload[]> {
  if (!Deno.build.standalone) throw cannotSend("only the compiled program can");
  const own = Deno.build.os === "linux" ? Deno.build.arch : undefined;
  const others = machines.filter((machine) => machine !== own);
  const folder = (await Deno.realPath(Deno.execPath())).replace(/[^/]*$/, "");
  const found = await Promise.all([
    ...(own === undefined ? [] : [payloadOf(own, "/proc/self/exe")]),
    ...others.map((machine) => payloadOf(machine, `${folder}mirrord-linux-${machine}`)),
  ]);
  const payloads = found.filter((payload) => payload !== null);
  if (payloads.length > 0) return payloads;
  throw cannotSend(
    own === undefined
      ? `the program for Linux is not beside this one (${
        machines.map((one) => `mirrord-linux-${one}`).join(", ")
      })`
      : "this build has no C library to send along",
  );
}

function cannotSend(why: string): DeployError {
  return new DeployError(`Cannot send the agent: ${why}`, { help: imageHelp });
}

/** null: there is no such program, or it has no C library inside. */
async function payloadOf(machine: string, path: string): Promise<Payload | null> {
  const identity = await identityOf(path);
  if (identity === null) return null;
  const kept = await readKept<PayloadFacts>(machine, identity);
  if (kept !== null) return { ...kept.facts, packed: () => Promise.resolve([kept.bytes]) };
  const program = await Deno.readFile(path);
  const libraries = librariesIn(program);
  if (libraries === null) return null;
  const { packed, ...facts } = await makePayload(machine, program, libraries);
  const packAndKeep = async (): Promise<Uint8Array[]> => {
    const chunks = await packed();
    void keep(machine, identity, { facts, chunks });
    return chunks;
  };
  return { ...facts, packed: once(packAndKeep) };
}

/** The same promise each time. */
function once<Made>(make: () => Promise<Made>): () => Promise<Made> {
  let made: Promise<Made> | undefined;
  return () => made ??= make();
}

/**
 * The file of scripts/build_libraries.ts that a compiled program embeds: `deno compile` appends files as they
 * are behind the ELF file, which ends with its table of sections (elf(5)).
 */
export function librariesIn(program: Uint8Array<ArrayBuffer>): Uint8Array | null {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const end = Number(view.getBigUint64(40, true)) + view.getUint16(58, true) * view.getUint16(60, true);
  const at = Buffer.from(program.buffer, program.byteOffset, program.byteLength).indexOf(librariesMark, end);
  if (at < 0) return null;
  const start = at + librariesMark.length + 4;
  return program.subarray(start, start + view.getUint32(start - 4, true));
}

/** `program` is changed; `packed` is what a file of scripts/build_libraries.ts has behind its mark. */
export async function makePayload(
  machine: string,
  program: Uint8Array<ArrayBuffer>,
  packed: Uint8Array,
): Promise<Payload> {
  useOwnLinker(program);
  const { pieces, libraries } = unpackLibraries(packed);
  const whole = concatenate([program, libraries]);
  const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", whole)).toHex();
  return {
    machine,
    programSize: program.length,
    pieces,
    librariesSize: libraries.length,
    sha256,
    packed: once(() => pack(whole)),
  };
}

/**
 * Writes the linker's relative name where the path was: the kernel looks for it in the working directory
 * (elf(5), PT_INTERP).
 */
export function useOwnLinker(program: Uint8Array<ArrayBuffer>): void {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const count = view.getUint16(56, true);
  for (let index = 0; index < count; index++) {
    const at = headerBytes + index * segmentBytes;
    if (view.getUint32(at, true) !== interpreterSegment) continue;
    const offset = Number(view.getBigUint64(at + 8, true));
    const size = Number(view.getBigUint64(at + 32, true));
    const name = new TextEncoder().encode(`./${linkerName}\0`);
    if (name.length > size) break;
    program.fill(0, offset, offset + size).set(name, offset);
    return;
  }
  throw new TypeError("the program has no place for a linker's name");
}

/** The pieces that are sent, of a packed file: all but the licences. */
function unpackLibraries(packed: Uint8Array): { pieces: Piece[]; libraries: Uint8Array } {
  const bytes = new Uint8Array(gunzipSync(packed));
  const end = bytes.indexOf(0x0a);
  const all = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))) as Piece[];
  const pieces: Piece[] = [];
  const chosen: Uint8Array[] = [];
  let at = end + 1;
  for (const { name, size } of all) {
    const content = bytes.subarray(at, at + size);
    at += size;
    if (name.includes("copyright")) continue;
    // Its own name too: libraries ask for it.
    pieces.push({ name, size });
    chosen.push(content);
  }
  return { pieces, libraries: concatenate(chosen) };
}

const partBytes = 1 << 18;
/** Of gzip: a fifth smaller than by the first, in a second more, once for each program (kept_pack.ts). */
const level = 4;

/** Gzip'd, while others get their turn between two parts. */
export async function pack(whole: Uint8Array): Promise<Uint8Array[]> {
  const gzip = createGzip({ level });
  const chunks: Uint8Array[] = [];
  gzip.on("data", (chunk: Uint8Array) => chunks.push(chunk));
  const ended = new Promise((resolve, reject) => gzip.on("end", resolve).on("error", reject));
  for (let at = 0; at < whole.length; at += partBytes) {
    await new Promise<void>((resolve) => gzip.write(whole.subarray(at, at + partBytes), () => resolve()));
    // Its callback comes before anything else gets a turn: requests would wait for the whole.
    await new Promise((resolve) => setTimeout(resolve));
  }
  gzip.end();
  await ended;
  return chunks;
}
