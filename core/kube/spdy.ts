// The frames of SPDY/3.1 that a port-forward needs: one stream for the port's bytes, one on which the node
// says why it failed. Used by spdy_forward.ts. Sources: the SPDY protocol, draft 3.1, 2.2 to 2.6; Kubernetes'
// names for the two streams (k8s.io/api, "Portforward"). The windows of 3.1 are not kept: the node's side
// (moby/spdystream) neither counts nor announces any, and the link's own credit bounds what is under way.

/** Our streams have odd numbers, in order. */
const errorStream = 1;
const dataStream = 3;
export const dataHeadBytes = 8;
/** A node reads a frame whole before it hands it on. */
export const mostFrameBytes = 1 << 16;
/** Longer control frames make no sense here. */
const mostControlBytes = 1 << 16;
/** So much of the node's reason is kept. */
const mostReasonBytes = 4096;
const fin = 0x01;
const types = { synStream: 1, synReply: 2, rstStream: 3, ping: 6 } as const;

/**
 * The beginning of a zlib stream (RFC 1950) with the preset dictionary of SPDY/3, by its Adler-32. What
 * follows is stored, not compressed, so the dictionary itself is not needed.
 */
const zlibBegin = [0x78, 0xbb, 0xe3, 0xc6, 0xa7, 0xc2];
/** An empty stored block: the reader hands on what came before it (RFC 1951, 3.2.4). */
const zlibFlush = [0, 0, 0, 0xff, 0xff];

/** What opens both streams, for the pod's port `port`; the error stream is closed on this side at once. */
export function openingFrames(port: number): Uint8Array<ArrayBuffer> {
  const headers = (kind: string) => ({ port: String(port), requestid: "0", streamtype: kind });
  return Uint8Array.from([
    ...control(types.synStream, [...streamHead(errorStream), ...zlibBegin, ...stored(headers("error"))]),
    ...dataHead(errorStream, fin, 0),
    ...control(types.synStream, [...streamHead(dataStream), ...stored(headers("data"))]),
  ]);
}

/** Writes the head of a frame with `length` of the port's bytes. */
export function putDataHead(into: Uint8Array, at: number, length: number): void {
  into.set(dataHead(dataStream, 0, length), at);
}

/** What a node can say. */
export interface SpdyEvents {
  /** The node has taken the stream. */
  opened(): void;
  /** Bytes of the port, part of what `take` was given. */
  data(bytes: Uint8Array): void;
  /** The port's bytes have ended, and nothing failed. */
  ended(): void;
  failed(reason: string): void;
  /** To be sent as it is. */
  answer(frame: Uint8Array<ArrayBuffer>): void;
}

/** Reads a node's frames, however the bytes are cut. */
export class SpdyReader {
  readonly #events: SpdyEvents;
  readonly #head = new Uint8Array(dataHeadBytes);
  #headLength = 0;
  /** Of the frame that is read: bytes that are to come, and where they go. */
  #left = 0;
  #control = new Uint8Array(0);
  #reason = "";
  /** Those of our streams that the node has ended: a reason may come behind the last of the port's bytes. */
  readonly #over = new Set<number>();

  constructor(events: SpdyEvents) {
    this.#events = events;
  }

  take(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#headLength < dataHeadBytes) {
        const part = bytes.subarray(at, at + dataHeadBytes - this.#headLength);
        this.#head.set(part, this.#headLength);
        this.#headLength += part.length;
        at += part.length;
        if (this.#headLength < dataHeadBytes) return;
        if (!this.#begin()) return;
      } else {
        const part = bytes.subarray(at, at + this.#left);
        at += part.length;
        this.#left -= part.length;
        this.#body(part);
      }
      if (this.#left > 0) continue;
      this.#headLength = 0;
      this.#end();
    }
  }

  get #isControl(): boolean {
    return ((this.#head[0] ?? 0) & 0x80) !== 0;
  }

  get #stream(): number {
    return number(this.#head, 0) & 0x7fffffff;
  }

  /** False: it makes no sense, and nothing that follows can. */
  #begin(): boolean {
    this.#left = number(this.#head, 4) & 0xffffff;
    if (!this.#isControl) return true;
    if (this.#left > mostControlBytes) {
      this.#events.failed("the node's answer is no port-forward");
      this.#left = 0;
      return false;
    }
    this.#control = new Uint8Array(this.#left);
    return true;
  }

  #body(part: Uint8Array): void {
    if (this.#isControl) this.#control.set(part, this.#control.length - this.#left - part.length);
    else if (this.#stream === dataStream) this.#events.data(part);
    else if (this.#stream === errorStream && this.#reason.length < mostReasonBytes) {
      this.#reason += new TextDecoder().decode(part.subarray(0, mostReasonBytes));
    }
  }

  /** A frame is complete. */
  #end(): void {
    if (this.#isControl) return this.#obey(number(this.#head, 0) & 0xffff);
    if (this.#reason !== "" && this.#stream === errorStream) return this.#events.failed(this.#reason.trim());
    if (((this.#head[4] ?? 0) & fin) !== 0) this.#ends(this.#stream);
  }

  #ends(stream: number): void {
    if (stream === dataStream || stream === errorStream) this.#over.add(stream);
    if (this.#over.size === 2) this.#events.ended();
  }

  #obey(type: number): void {
    const first = this.#control.length < 4 ? 0 : number(this.#control, 0);
    if (type === types.synReply && first === dataStream) this.#events.opened();
    if (type === types.rstStream && first === dataStream) this.#events.failed("the node reset the stream");
    if (type === types.rstStream && first === errorStream) this.#ends(errorStream);
    // One with an even number is the node's own question.
    if (type === types.ping && first % 2 === 0) {
      this.#events.answer(Uint8Array.from([...this.#head, ...this.#control]));
    }
  }
}

/** Stream, no other stream that it belongs to, highest priority, no slot. */
function streamHead(stream: number): number[] {
  return [...word(stream), ...word(0), 0, 0];
}

function control(type: number, body: readonly number[]): number[] {
  return [0x80, 3, 0, type, ...word(body.length), ...body];
}

function dataHead(stream: number, flags: number, length: number): number[] {
  return [...word(stream), ...word(flags << 24 | length)];
}

/** A header block: count, then each name and value with its length. */
function stored(headers: Record<string, string>): number[] {
  const text = (value: string) => [...word(value.length), ...new TextEncoder().encode(value)];
  const all = Object.entries(headers).flatMap(([name, value]) => [...text(name), ...text(value)]);
  const block = [...word(Object.keys(headers).length), ...all];
  const length = [block.length & 255, block.length >> 8];
  return [0, ...length, ...length.map((byte) => ~byte & 255), ...block, ...zlibFlush];
}

function word(value: number): number[] {
  return [value >>> 24, value >> 16 & 255, value >> 8 & 255, value & 255];
}

function number(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
}
