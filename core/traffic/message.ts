// What an HTTP/1 message is to those who show, record or compare it: its head in parts, and as much of its
// body as is kept. Made by exchanges.ts. Pure.

import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync, zstdDecompressSync } from "node:zlib";
import { Buffer } from "node:buffer";
import { byteText } from "../net/byte_text.ts";

/** One field of a head, as it was written. */
export interface Header {
  name: string;
  value: string;
}

/** A head in parts. Text is one character for each byte. */
export interface Head {
  /** Of a request; "" of a response. */
  method: string;
  /** As it stands in the request line; "" of a response. */
  target: string;
  /** 0 of a request. */
  status: number;
  reason: string;
  /** "HTTP/1.1". */
  version: string;
  headers: Header[];
  /** The head as it came. */
  bytes: Uint8Array;
  /** Bytes of the head. */
  size: number;
}

/** One message as far as it was seen. Times are nanoseconds since 1970. */
export interface Message {
  readonly head: Head;
  readonly startedAt: bigint;
  /** When its last byte came; until then the last that did. */
  endedAt: bigint;
  /** The first bytes of its content; chunks are put together, what is compressed stays so. */
  kept: Uint8Array[];
  /** Bytes of `kept`. */
  keptSize: number;
  /** Bytes of its content. */
  size: number;
  /** Of these, bytes that never came. */
  lost: number;
  /** Complete, under way, or why it never was completed. */
  state: "open" | "complete" | string;
}

/** Reads a head that HttpReader found. */
export function readHead(bytes: Uint8Array): Head {
  const lines = byteText(bytes).split("\r\n");
  while (lines[0] === "") lines.shift();
  const [first = "", ...rest] = lines;
  const headers = rest.filter((line) => line !== "").map((line) => {
    const colon = line.indexOf(":");
    return { name: line.slice(0, colon), value: line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "") };
  });
  const size = bytes.length;
  const answer = /^(HTTP\/\d\.\d) (\d{3}) ?(.*)$/s.exec(first);
  if (answer !== null) {
    const [, version = "", status, reason = ""] = answer;
    return { method: "", target: "", status: Number(status), reason, version, headers, bytes, size };
  }
  const [method = "", target = "", version = ""] = first.split(" ");
  return { method, target, status: 0, reason: "", version, headers, bytes, size };
}

/** A message whose head came at `time`, with nothing of its body yet. */
export function newMessage(head: Uint8Array, time: bigint): Message {
  return {
    head: readHead(head),
    startedAt: time,
    endedAt: time,
    kept: [],
    keptSize: 0,
    size: 0,
    lost: 0,
    state: "open",
  };
}

/** The value of a header; several are joined as RFC 9110, 5.3 says. undefined: there is none. */
export function header({ headers }: Pick<Head, "headers">, name: string): string | undefined {
  const values = headers.filter((one) => one.name.toLowerCase() === name).map(({ value }) => value);
  return values.length === 0 ? undefined : values.join(", ");
}

/** The URL of a request to `address`, the target's end of its connection. */
export function urlOf(head: Head, address: { address: string; port: number }): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(head.target)) return head.target;
  const name = address.address.includes(":") ? `[${address.address}]` : address.address;
  const own = address.port === 80 ? name : `${name}:${address.port}`;
  const host = header(head, "host") || own;
  if (head.method === "CONNECT") return `http://${head.target}/`;
  return `http://${host}${head.target === "*" ? "/" : head.target}`;
}

/** A body as people and HAR files see it. */
export interface ReadBody {
  /** Its text; null: it is none. */
  text: string | null;
  /** Its bytes, uncompressed if that was possible. */
  bytes: Uint8Array<ArrayBuffer>;
  /** What compression is still on `bytes`; "" none. */
  compressed: string;
  /** The end is missing. */
  isCut: boolean;
}

type Decompress = (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array;

const decompressors: Readonly<Record<string, Decompress>> = {
  "gzip": gunzipSync,
  "x-gzip": gunzipSync,
  "deflate": (bytes, options) => {
    try {
      return inflateSync(bytes, options);
    } catch {
      return inflateRawSync(bytes, options); // as many servers have it
    }
  },
  "br": brotliDecompressSync,
  "zstd": zstdDecompressSync,
};

/** An uncompressed body is at most so many times what was kept of it, or `least` where that is more. */
export const mostGrowth = 64;
const least = 1 << 16;

/** Compressions that `readBody` undoes. */
export const knownCodings: readonly string[] = Object.keys(decompressors);

/** The body of `message`, uncompressed to at most `most` bytes; what is cut or too large stays compressed. */
export function readBody(
  message: Message,
  most = Math.max(least, message.keptSize * mostGrowth),
): ReadBody {
  let bytes = Buffer.concat(message.kept).subarray(0) as Uint8Array<ArrayBuffer>;
  const isCut = message.keptSize < message.size || message.lost > 0 || message.state !== "complete";
  const codings = (header(message.head, "content-encoding") ?? "").toLowerCase().split(",")
    .map((one) => one.trim()).filter((one) => one !== "" && one !== "identity");
  let left = codings.join(", ");
  if (!isCut && bytes.length > 0) {
    try {
      for (let coding = codings.pop(); coding !== undefined; coding = codings.pop()) {
        const decompress = decompressors[coding];
        if (decompress === undefined) break;
        bytes = new Uint8Array(decompress(bytes, { maxOutputLength: most }));
        left = codings.join(", ");
      }
    } catch {
      // It is not what it says, or too large.
    }
  } else if (bytes.length === 0) left = "";
  return { text: left === "" ? textOf(bytes, message.head, isCut) : null, bytes, compressed: left, isCut };
}

/** Text of these bytes by their declared charset, UTF-8 unless one is named; null: they are none. */
function textOf(bytes: Uint8Array, head: Pick<Head, "headers">, isCut: boolean): string | null {
  const type = header(head, "content-type") ?? "";
  const charset = /charset="?([\w-]+)/i.exec(type)?.[1] ?? "utf-8";
  let text: string;
  try {
    text = new TextDecoder(charset, { fatal: true, ignoreBOM: true }).decode(bytes, { stream: isCut });
  } catch {
    return null;
  }
  // deno-lint-ignore no-control-regex
  return /[\x00-\x08\x0e-\x1a\x1c-\x1f]/.test(text) ? null : text;
}
