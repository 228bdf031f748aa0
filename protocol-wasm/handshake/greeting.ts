// The frames of a handshake, before there is a link: read one by one, so that no byte behind them is taken,
// and few, so that a stranger costs no Wasm memory. Called by agent/door.ts and core/deploy/connect.ts, which
// give the stream to a Link, sealed or not, once both sides are proven. The header's layout comes from the
// Wasm core, as in the layer's C.

import { LinkError } from "../errors.ts";
import type { LinkStream } from "../link/stream.ts";
import { type FrameCore, instantiate } from "../wasm.ts";

/** One frame. */
export interface GreetingFrame {
  kind: number;
  id: number;
  flags: number;
  body: Uint8Array;
}

/** How many bytes a side may send in all before it is proven. */
const mostBytes = 4096;

let asked: FrameCore | undefined;

/** The two ways of one stream during its handshake. */
export class Greeting {
  readonly #stream: LinkStream;
  readonly #core: FrameCore;
  #left = mostBytes;

  constructor(stream: LinkStream) {
    this.#stream = stream;
    this.#core = asked ??= instantiate<FrameCore>();
  }

  /** Sends one frame; resolves when it was written. */
  async send({ kind, id, flags, body }: GreetingFrame): Promise<void> {
    const { HEADER_BYTES, HEADER_LENGTH, HEADER_KIND, HEADER_FLAGS, HEADER_ID } = this.#core;
    const bytes = new Uint8Array(HEADER_BYTES.value + body.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(HEADER_LENGTH.value, body.length, true);
    view.setUint16(HEADER_KIND.value, kind, true);
    view.setUint16(HEADER_FLAGS.value, flags, true);
    view.setUint32(HEADER_ID.value, id, true);
    bytes.set(body, HEADER_BYTES.value);
    await this.#stream.write(bytes);
  }

  /**
   * The next frame; null at the stream's end. Throws LinkError for what is no frame, or is larger than a
   * handshake's.
   */
  async next(): Promise<GreetingFrame | null> {
    const { HEADER_BYTES, HEADER_LENGTH, HEADER_KIND, HEADER_FLAGS, HEADER_ID } = this.#core;
    const header = await this.#read(HEADER_BYTES.value);
    if (header === null) return null;
    const view = new DataView(header.buffer);
    const length = view.getUint32(HEADER_LENGTH.value, true);
    if (length > this.#left) throw new LinkError(`Cannot read a handshake: a frame has ${length} bytes`);
    const body = await this.#read(length);
    if (body === null) throw new LinkError("Cannot read a handshake: it was cut inside a frame");
    return {
      kind: view.getUint16(HEADER_KIND.value, true),
      flags: view.getUint16(HEADER_FLAGS.value, true),
      id: view.getUint32(HEADER_ID.value, true),
      body,
    };
  }

  /** Exactly `length` bytes; null when the stream ends before the first. */
  async #read(length: number): Promise<Uint8Array<ArrayBuffer> | null> {
    this.#left -= length;
    if (this.#left < 0) throw new LinkError("Cannot read a handshake: it is too long");
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length;) {
      const count = await this.#stream.read(bytes.subarray(at));
      if (count === null && at === 0) return null;
      if (count === null) throw new LinkError("Cannot read a handshake: it was cut inside a frame");
      at += count;
    }
    return bytes;
  }
}
