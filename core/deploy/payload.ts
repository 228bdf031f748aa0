// What is sent where the agent has no image: this very program, and the dynamic linker and C library that it
// needs, so that it runs in any image. Made by ephemeral.ts, sent by send.ts, unpacked by the shell line of
// sent.ts. Its form: the program, then the libraries, nothing between. The program asks for its linker by a
// relative name, since no folder is known yet; started in the folder where both are, it is /proc/self/exe,
// where it looks for what it embeds.

import { createGzip, gunzipSync } from "node:zlib";
import { concatenate } from "../../protocol-wasm/mod.ts";
import { DeployError } from "../base/errors.ts";

/** A library as it lies in the payload. */
export interface Piece {
  name: string;
  size: number;
}

export interface Payload {
  /** As `uname -m` says it. */
  machine: string;
  program: Uint8Array;
  /** In the order of `libraries`. */
  pieces: Piece[];
  libraries: Uint8Array;
  /** Of program and libraries. */
  sha256: string;
}

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

/** The payload of the running program; throws DeployError where it has none. */
export async function ownPayload(): Promise<Payload> {
  const machine = Deno.build.arch;
  if (Deno.build.os !== "linux" || !Deno.build.standalone) {
    throw cannotSend("only the compiled program for Linux can");
  }
  const packed = await readIfThere(new URL(`./libraries_linux_${machine}.bin`, import.meta.url));
  if (packed === null) throw cannotSend("this build has no C library to send along");
  return await makePayload(machine, await Deno.readFile("/proc/self/exe"), packed);
}

function cannotSend(why: string): DeployError {
  return new DeployError(`Cannot send the agent: ${why}`, { help: imageHelp });
}

async function readIfThere(file: URL): Promise<Uint8Array | null> {
  return await Deno.readFile(file).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  });
}

/** `program` is changed; `packed` is a file of scripts/build_libraries.ts. */
export async function makePayload(
  machine: string,
  program: Uint8Array<ArrayBuffer>,
  packed: Uint8Array,
): Promise<Payload> {
  useOwnLinker(program);
  const { pieces, libraries } = unpackLibraries(packed);
  const whole = new Uint8Array(program.length + libraries.length);
  whole.set(program);
  whole.set(libraries, program.length);
  const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", whole)).toHex();
  return {
    machine,
    program: whole.subarray(0, program.length),
    pieces,
    libraries: whole.subarray(program.length),
    sha256,
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

/** The payload gzip'd, as fast as may be: it travels while the container starts. */
export async function pack({ program, libraries }: Payload): Promise<Uint8Array[]> {
  const gzip = createGzip({ level: 1 });
  const chunks: Uint8Array[] = [];
  gzip.on("data", (chunk: Uint8Array) => chunks.push(chunk));
  const ended = new Promise((resolve, reject) => gzip.on("end", resolve).on("error", reject));
  for (const part of [program, libraries]) {
    for (let at = 0; at < part.length; at += partBytes) {
      // Between two parts others get their turn.
      await new Promise<void>((resolve) => gzip.write(part.subarray(at, at + partBytes), () => resolve()));
    }
  }
  gzip.end();
  await ended;
  return chunks;
}

const partBytes = 1 << 20;
