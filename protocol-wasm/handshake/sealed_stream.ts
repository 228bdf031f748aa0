// A link's stream that only its two ends can read and change: each write becomes records of AES-256-GCM. Made
// by agent/door.ts and core/deploy/connect.ts after the handshake, over the same stream.
//
//   record   length of the text (u32, little-endian) | text, encrypted | 16 bytes that authenticate both
//
// Each way has a key of its own. The nonce is the record's number, so a record that is left out, repeated or
// moved does not open. After a million records the key is replaced by one derived from it (NIST SP 800-38D,
// 8.3; RFC 5869).

import { LinkError } from "../errors.ts";
import type { LinkKeys, Side } from "./handshake.ts";
import type { LinkStream } from "../link/stream.ts";

/** AES-256-GCM over one record; core/net/seal.ts has it. */
export interface Seal {
  /** Writes the whole record of `text` to the front of `into` and answers its length. */
  seal(into: Uint8Array, text: Uint8Array, key: Uint8Array, number: number): number;
  /**
   * Writes the text of a whole record to the front of `into`; false: the record is not what the other side
   * wrote.
   */
  open(into: Uint8Array, record: Uint8Array, key: Uint8Array, number: number): boolean;
}

export const recordHeaderBytes = 4;
export const recordTagBytes = 16;
/** Most bytes of a record's text. */
export const maxText = 1 << 16;
const maxRecord = recordHeaderBytes + maxText + recordTagBytes;
const mostPerKey = 1 << 20;
/** Records that one write of the stream below carries at most: the link's send buffer fills so many. */
const recordsPerWrite = 5;

/** One way's key and the number of its next record. */
class Way {
  key: Uint8Array;
  readonly #most: number;
  #number = 0;

  constructor(key: Uint8Array, most: number) {
    this.key = key;
    this.#most = most;
  }

  /** The key has done its work: `replace` it before the next record. */
  get spent(): boolean {
    return this.#number === this.#most;
  }

  /** The number of the next record, which is then used. */
  take(): number {
    return this.#number++;
  }

  async replace(): Promise<void> {
    const secret = await crypto.subtle.importKey("raw", new Uint8Array(this.key), "HKDF", false, [
      "deriveBits",
    ]);
    const info = new TextEncoder().encode("mirrord link 4: the next key");
    const how = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info };
    this.key = new Uint8Array(await crypto.subtle.deriveBits(how, secret, 8 * this.key.length));
    this.#number = 0;
  }
}

export interface SealedOptions {
  keys: LinkKeys;
  seal: Seal;
  /** Records before a key is replaced; the same on both ends. */
  recordsPerKey?: number;
}

/** `side`'s end of the sealed stream. */
export class SealedStream implements LinkStream {
  readonly #stream: LinkStream;
  readonly #seal: Seal;
  readonly #sends: Way;
  readonly #receives: Way;
  readonly #out = new Uint8Array(recordsPerWrite * maxRecord);
  /** Bytes that came: [start, end) are not opened yet. */
  readonly #in = new Uint8Array(2 * maxRecord);
  #start = 0;
  #end = 0;
  /** Text that was opened and not read yet. */
  #text: Uint8Array = new Uint8Array(0);

  constructor(stream: LinkStream, side: Side, options: SealedOptions) {
    const { keys, seal, recordsPerKey = mostPerKey } = options;
    this.#stream = stream;
    this.#seal = seal;
    this.#sends = new Way(keys[side], recordsPerKey);
    this.#receives = new Way(keys[side === "client" ? "agent" : "client"], recordsPerKey);
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      let length = 0;
      for (let count = 0; count < recordsPerWrite && at < bytes.length; count++) {
        const text = bytes.subarray(at, at + maxText);
        if (this.#sends.spent) await this.#sends.replace();
        const { key } = this.#sends;
        length += this.#seal.seal(this.#out.subarray(length), text, key, this.#sends.take());
        at += text.length;
      }
      await this.#stream.write(this.#out.subarray(0, length));
    }
  }

  async read(into: Uint8Array): Promise<number | null> {
    if (this.#text.length > 0) return this.#take(into);
    const first = await this.#nextRecord();
    if (first === null) return null;
    let count = await this.#open(first, into);
    if (count === 0) return this.#take(into);
    // What came with it, as far as it fits.
    for (let length = this.#wholeRecord(); length !== null; length = this.#wholeRecord()) {
      if (textLength(length) > into.length - count) break;
      count += await this.#open(this.#shift(length), into.subarray(count));
    }
    return count;
  }

  close(): void {
    this.#stream.close();
  }

  #take(into: Uint8Array): number {
    const count = Math.min(into.length, this.#text.length);
    into.set(this.#text.subarray(0, count));
    this.#text = this.#text.subarray(count);
    return count;
  }

  /**
   * Opens `record` into the front of `into` and answers the length of its text; 0: it is too long and stands
   * aside.
   */
  async #open(record: Uint8Array, into: Uint8Array): Promise<number> {
    const length = textLength(record.length);
    const fits = into.length >= length;
    const text = fits ? into.subarray(0, length) : new Uint8Array(length);
    if (this.#receives.spent) await this.#receives.replace();
    if (!this.#seal.open(text, record, this.#receives.key, this.#receives.take())) {
      throw new LinkError("Cannot read the link: a record is not what the other side wrote");
    }
    if (!fits) this.#text = text;
    return fits ? length : 0;
  }

  /** The next record, valid until the next call; null at the stream's end. */
  async #nextRecord(): Promise<Uint8Array | null> {
    for (;;) {
      const length = this.#wholeRecord();
      if (length !== null) return this.#shift(length);
      if (this.#start > 0) this.#in.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
      const count = await this.#stream.read(this.#in.subarray(this.#end));
      if (count === null && this.#end === 0) return null;
      if (count === null) throw new LinkError("Cannot read the link: it was cut inside a record");
      this.#end += count;
    }
  }

  #shift(length: number): Uint8Array {
    const record = this.#in.subarray(this.#start, this.#start + length);
    this.#start += length;
    return record;
  }

  /**
   * Length of the next record if all of it came, otherwise null. Its header is judged before the rest is
   * waited for.
   */
  #wholeRecord(): number | null {
    const came = this.#end - this.#start;
    if (came < recordHeaderBytes) return null;
    const text = new DataView(this.#in.buffer).getUint32(this.#start, true);
    if (text === 0 || text > maxText) {
      throw new LinkError(`Cannot read the link: a record cannot have ${text} bytes`);
    }
    const length = recordHeaderBytes + text + recordTagBytes;
    return came < length ? null : length;
  }
}

function textLength(record: number): number {
  return record - recordHeaderBytes - recordTagBytes;
}
