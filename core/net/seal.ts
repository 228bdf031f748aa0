// The seal of a link's records: AES-256-GCM by the processor's own instructions (seal.zig: 2 GB/s), or, where
// it has none, by node:crypto, fifteen times slower and the same on the wire. Called by agent/main.ts and
// core/deploy.

import { log } from "../base/log.ts";
import { recordHeaderBytes, recordTagBytes, type Seal } from "../../protocol-wasm/mod.ts";
import { platform } from "./this_platform.ts";

const keyBytes = 32;
const nonceBytes = 12;
let loaded: Promise<Seal> | undefined;

/** The seal; loaded once, which takes a few milliseconds. */
export function loadSeal(): Promise<Seal> {
  return loaded ??= load();
}

async function load(): Promise<Seal> {
  try {
    const native = await nativeSeal();
    if (native !== null) return native;
  } catch (error) {
    log.debug(`The link's fast encryption cannot be loaded: ${error}`);
  }
  log.debug("The link is encrypted by node:crypto, which takes more of the processor's time");
  return await portableSeal();
}

/** By the processor's instructions; null where there is none. Rejects where it cannot be loaded. */
export async function nativeSeal(): Promise<Seal | null> {
  const { hasInstructions, sealLibrary } = await platform.seal();
  if (!hasInstructions()) return null;
  const library = sealLibrary(new URL(`./seal_linux_${Deno.build.arch}.so`, import.meta.url));
  return {
    seal(into, text, key, number) {
      const length = requireRoom(into, text, key);
      library.seal_record(buffer(into), buffer(text), text.length, buffer(key), number);
      return length;
    },
    open(into, record, key, number) {
      const length = textOf(into, record, key);
      return library.open_record(buffer(into), buffer(record), length, buffer(key), number) === 1;
    },
  };
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

/** The runtime passes the address of any array buffer, Wasm memory too; its types ask for this one. */
function buffer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}
