// A node's end of port-forwards by SPDY, behind an API server that passes upgrades through: on loopback, in
// clear. It reads frames by its own code, not by the one under test.

import { constants, inflateRawSync } from "node:zlib";

/** A frame as it came: a control frame's type, or the stream of a data frame. */
export interface SpdyFrame {
  type: number | "data";
  flags: number;
  stream: number;
  body: Uint8Array<ArrayBuffer>;
}

const zlibHead = 6;
const streamHead = 10;

/** One connection. */
export class SpdyNode {
  readonly conn: Deno.TcpConn;
  /** The request's head, line by line. */
  readonly request: readonly string[];
  /** Names and values of each stream that was opened. */
  readonly streams: Record<string, string>[] = [];

  private constructor(conn: Deno.TcpConn, request: readonly string[]) {
    this.conn = conn;
    this.request = request;
  }

  /** Takes the next connection and, with `answer`, answers its request. */
  static async accept(listener: Deno.TcpListener, answer = spdyAnswer): Promise<SpdyNode> {
    const conn = await listener.accept();
    let head = "";
    const one = new Uint8Array(1);
    while (!head.endsWith("\r\n\r\n") && await conn.read(one) !== null) {
      head += String.fromCharCode(one[0] ?? 0);
    }
    await send(conn, new TextEncoder().encode(answer));
    return new SpdyNode(conn, head.trimEnd().split("\r\n"));
  }

  /** The same once both streams are open and accepted. */
  static async open(listener: Deno.TcpListener): Promise<SpdyNode> {
    const node = await SpdyNode.accept(listener);
    while (node.streams.length < 2) {
      const { type, body } = await node.next();
      if (type !== 1) continue;
      const fresh = node.streams.length === 0 ? zlibHead : 0;
      node.streams.push(headersOf(body.subarray(streamHead + fresh)));
      await node.say(control(2, [...body.subarray(0, 4), 0, 0, 0, 0]));
    }
    return node;
  }

  async next(): Promise<SpdyFrame> {
    const head = await this.#exactly(8);
    const view = new DataView(head.buffer);
    const word = view.getUint32(0);
    const body = await this.#exactly(view.getUint32(4) & 0xffffff);
    const isControl = word >>> 31 === 1;
    return {
      type: isControl ? word & 0xffff : "data",
      flags: head[4] ?? 0,
      stream: isControl ? 0 : word,
      body,
    };
  }

  /** The next `count` bytes of the port. */
  async bytes(count: number): Promise<Uint8Array> {
    const all = new Uint8Array(count);
    for (let at = 0; at < count;) {
      const { type, stream, body } = await this.next();
      if (type !== "data" || stream !== 3) continue;
      all.set(body, at);
      at += body.length;
    }
    return all;
  }

  async say(bytes: Uint8Array): Promise<void> {
    await send(this.conn, bytes);
  }

  async #exactly(count: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count;) {
      const read = await this.conn.read(bytes.subarray(at));
      if (read === null) throw new Error("the connection ended");
      at += read;
    }
    return bytes;
  }
}

export const spdyAnswer = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n" +
  "X-Stream-Protocol-Version: portforward.k8s.io\r\n\r\n";

/** A control frame of `type`. */
export function control(type: number, body: readonly number[]): Uint8Array {
  return Uint8Array.from([0x80, 3, 0, type, 0, 0, body.length >> 8, body.length & 255, ...body]);
}

/** A data frame; `isLast` ends the stream. */
export function data(stream: number, bytes: Uint8Array, isLast = false): Uint8Array {
  const frame = new Uint8Array(8 + bytes.length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, stream);
  view.setUint32(4, (isLast ? 1 : 0) << 24 | bytes.length);
  frame.set(bytes, 8);
  return frame;
}

/** Of a header block whose zlib stream goes on in the next one. */
export function headersOf(block: Uint8Array): Record<string, string> {
  const bytes = inflateRawSync(block, { finishFlush: constants.Z_SYNC_FLUSH });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 4;
  const text = () => {
    const length = view.getUint32(at);
    at += 4 + length;
    return new TextDecoder().decode(bytes.subarray(at - length, at));
  };
  return Object.fromEntries(Array.from({ length: view.getUint32(0) }, () => [text(), text()]));
}

async function send(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}
