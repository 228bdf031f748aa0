// The seal of a link's records: AES-256-GCM by the processor's own instructions (seal.zig: 2 GB/s), or, where
// it has none, by node:crypto, fifteen times slower and the same on the wire. Called by agent/main.ts and
// core/deploy. The library is loaded from memory, so no temporary directory has to allow execution.

import { log } from "../base/log.ts";
import { recordHeaderBytes, recordTagBytes, type Seal } from "../../protocol-wasm/mod.ts";
import { c } from "./linux/libc.ts";

const keyBytes = 32;
const nonceBytes = 12;
/** memfd_create(2). */
const MFD_CLOEXEC = 1;
/** What seal.zig was compiled for, as /proc/cpuinfo names it. */
const needs = { x86_64: ["aes", "pclmulqdq", "avx"], aarch64: ["aes", "pmull"] };

const memory = Deno.dlopen("libc.so.6", {
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
});

let loaded: Promise<Seal> | undefined;

/** The seal; loaded once, which takes a few milliseconds. */
export function loadSeal(): Promise<Seal> {
  return loaded ??= load();
}

async function load(): Promise<Seal> {
  try {
    if (hasInstructions()) return nativeSeal();
  } catch (error) {
    log.debug(`The link's fast encryption cannot be loaded: ${error}`);
  }
  log.debug("The link is encrypted by node:crypto, which takes more of the processor's time");
  return await portableSeal();
}

/** By the processor's instructions. Throws where they cannot be loaded. */
export function nativeSeal(): Seal {
  const file = new URL(`./seal_linux_${Deno.build.arch}.so`, import.meta.url);
  const fd = memory.symbols.memfd_create(new TextEncoder().encode("mirrord-seal\0"), MFD_CLOEXEC);
  if (fd < 0) throw new Error("there is no memory for a library");
  try {
    Deno.writeFileSync(`/proc/self/fd/${fd}`, Deno.readFileSync(file));
    const { symbols } = Deno.dlopen(`/proc/self/fd/${fd}`, {
      seal_record: { parameters: ["buffer", "buffer", "u32", "buffer", "u32"], result: "void" },
      open_record: { parameters: ["buffer", "buffer", "u32", "buffer", "u32"], result: "u32" },
    });
    return {
      seal(into, text, key, number) {
        const length = requireRoom(into, text, key);
        symbols.seal_record(buffer(into), buffer(text), text.length, buffer(key), number);
        return length;
      },
      open(into, record, key, number) {
        const length = textOf(into, record, key);
        return symbols.open_record(buffer(into), buffer(record), length, buffer(key), number) === 1;
      },
    };
  } finally {
    c.close(fd);
  }
}

/** By node:crypto, on any machine. */
export async function portableSeal(): Promise<Seal> {
  const { createCipheriv, createDecipheriv } = await import("node:crypto");
  const nonce = new Uint8Array(nonceBytes);
  const name = "aes-256-gcm";
  const nonceOf = (number: number): Uint8Array => {
    new DataView(nonce.buffer).setUint32(0, number, true);
    return nonce;
  };
  return {
    seal(into, text, key, number) {
      const length = requireRoom(into, text, key);
      new DataView(into.buffer, into.byteOffset).setUint32(0, text.length, true);
      const cipher = createCipheriv(name, key, nonceOf(number));
      cipher.setAAD(into.subarray(0, recordHeaderBytes));
      into.set(cipher.update(text), recordHeaderBytes);
      cipher.final();
      into.set(cipher.getAuthTag(), recordHeaderBytes + text.length);
      return length;
    },
    open(into, record, key, number) {
      const length = textOf(into, record, key);
      const cipher = createDecipheriv(name, key, nonceOf(number), { authTagLength: recordTagBytes });
      cipher.setAAD(record.subarray(0, recordHeaderBytes));
      cipher.setAuthTag(record.subarray(recordHeaderBytes + length));
      const text = cipher.update(record.subarray(recordHeaderBytes, recordHeaderBytes + length));
      try {
        cipher.final();
      } catch {
        return false;
      }
      into.set(text);
      return true;
    },
  };
}

/** The length of the record. The library gets addresses and counts: none of them may be wrong. */
function requireRoom(into: Uint8Array, text: Uint8Array, key: Uint8Array): number {
  const length = recordHeaderBytes + text.length + recordTagBytes;
  if (into.length < length || key.length !== keyBytes) throw new RangeError("a record has no room");
  return length;
}

function textOf(into: Uint8Array, record: Uint8Array, key: Uint8Array): number {
  const length = record.length - recordHeaderBytes - recordTagBytes;
  if (length < 0 || into.length < length || key.length !== keyBytes) {
    throw new RangeError("a text has no room");
  }
  return length;
}

function hasInstructions(): boolean {
  const text = new Uint8Array(8192);
  using file = Deno.openSync("/proc/cpuinfo");
  const count = file.readSync(text) ?? 0;
  const line = /^(?:flags|Features)\s*:(.*)$/m.exec(new TextDecoder().decode(text.subarray(0, count)))?.[1] ??
    "";
  const has = new Set(line.trim().split(/\s+/));
  return needs[Deno.build.arch].every((one) => has.has(one));
}

/** The runtime passes the address of any array buffer, Wasm memory too; its types ask for this one. */
function buffer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}
