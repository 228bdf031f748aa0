// Exchanges → a HAR 1.2 file, as browsers' developer tools open it. Called by cmd/dump.ts. The file is valid
// after every `flush`. `_comment` of an entry and of the log names what is missing.

import { concatenate } from "../../protocol-wasm/mod.ts";
import { mirrordVersion } from "../base/version.ts";
import { addressText } from "../net/address.ts";
import type { Exchange } from "./events.ts";
import { type Header, header, type Message, mostGrowth, readBody, urlOf } from "./message.ts";
import { RecordingFile } from "./recording_file.ts";

const encoder = new TextEncoder();

export class HarFile implements Disposable {
  readonly #file: RecordingFile;
  readonly #keep: number;
  /** Where the first entry stands. */
  readonly #first: number;
  #comment = "";

  /** `keep`: bytes that are kept of a body. Throws ConfigError. */
  constructor(path: string, keep: number) {
    this.#file = new RecordingFile(path);
    this.#keep = keep;
    const creator = { name: "mirrord", version: mirrordVersion };
    const start = `{"log":{"version":"1.2","creator":${JSON.stringify(creator)},"entries":[`;
    this.#file.append(encoder.encode(start), this.#tail());
    this.#file.flush();
    this.#first = this.#file.length;
  }

  /** Throws MirrordError. */
  add(exchange: Exchange): void {
    const comma = this.#file.length === this.#first ? "" : ","; // an entry that found no room is not there
    const text = `${comma}\n${JSON.stringify(entryOf(exchange, this.#keep))}`;
    this.#file.append(encoder.encode(text), this.#tail());
  }

  /**
   * A remark about the whole file, such as that packets were lost; it replaces the one before, and is no
   * shorter.
   */
  say(comment: string): void {
    this.#comment = comment;
    this.#file.append(new Uint8Array(), this.#tail());
  }

  /** Writes what was added. Throws MirrordError. */
  flush(): void {
    this.#file.flush();
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }

  /** Never shorter than before: remarks grow. */
  #tail(): Uint8Array {
    const comment = this.#comment === "" ? "" : `,"_comment":${JSON.stringify(this.#comment)}`;
    return encoder.encode(`\n]${comment}}}\n`);
  }
}

function entryOf(exchange: Exchange, keep: number): Record<string, unknown> {
  const { connection } = exchange;
  const request = cutTo(keep, exchange.request);
  const response = exchange.response === null ? null : cutTo(keep, exchange.response);
  const answered = response?.startedAt ?? request.endedAt;
  const send = Math.max(0, milliseconds(request.startedAt, request.endedAt));
  const wait = Math.max(0, milliseconds(request.endedAt, answered));
  const receive = response === null ? 0 : milliseconds(answered, response.endedAt);
  const said = [
    comment("request", request),
    response === null ? "no answer was seen" : comment("answer", response),
  ]
    .filter((one) => one !== "").join("; ");
  return {
    startedDateTime: new Date(Number(request.startedAt / 1_000_000n)).toISOString(),
    time: send + wait + receive,
    request: requestOf(request, urlOf(request.head, connection.target), keep),
    response: responseOf(response, keep),
    cache: {},
    timings: { blocked: -1, dns: -1, connect: -1, send, wait, receive, ssl: -1 },
    serverIPAddress: connection.target.address,
    connection: String(connection.number),
    _clientAddress: addressText(connection.client),
    ...(said === "" ? {} : { _comment: said }),
  };
}

/** With no more of its body than `keep` bytes; others may have asked for more. */
function cutTo(keep: number, message: Message): Message {
  if (message.keptSize <= keep) return message;
  return { ...message, kept: [concatenate(message.kept).subarray(0, keep)], keptSize: keep };
}

function requestOf(message: Message, url: string, keep: number): Record<string, unknown> {
  const { head } = message;
  const body = readBody(message, keep * mostGrowth);
  const mimeType = header(head, "content-type");
  const content = body.text ?? body.bytes.toBase64();
  // HAR has no encoding for what is sent: `_encoding` says it, as Chromium's own recordings do.
  const postData = message.size === 0 ? {} : {
    postData: {
      mimeType: mimeType ?? "application/octet-stream",
      text: content,
      ...(body.text === null ? { _encoding: "base64" } : {}),
      ...(body.compressed === "" ? {} : { _contentEncoding: body.compressed }),
    },
  };
  return {
    method: head.method,
    url,
    httpVersion: head.version,
    cookies: requestCookies(head.headers),
    headers: head.headers,
    queryString: queryOf(url),
    ...postData,
    headersSize: head.size,
    bodySize: message.size,
  };
}

function responseOf(message: Message | null, keep: number): Record<string, unknown> {
  if (message === null) {
    return {
      status: 0,
      statusText: "",
      httpVersion: "",
      cookies: [],
      headers: [],
      content: { size: 0, mimeType: "x-unknown" },
      redirectURL: "",
      headersSize: -1,
      bodySize: -1,
    };
  }
  const { head } = message;
  const body = readBody(message, keep * mostGrowth);
  const size = body.isCut ? message.size : body.bytes.length;
  return {
    status: head.status,
    statusText: head.reason,
    httpVersion: head.version,
    cookies: responseCookies(head.headers),
    headers: head.headers,
    content: {
      size,
      ...(body.isCut || body.bytes.length === message.size ? {} : { compression: size - message.size }),
      mimeType: header(head, "content-type") ?? "x-unknown",
      ...(body.bytes.length === 0 ? {} : { text: body.text ?? body.bytes.toBase64() }),
      ...(body.text === null ? { encoding: "base64" } : {}),
      ...(body.compressed === "" ? {} : { _contentEncoding: body.compressed }),
    },
    redirectURL: header(head, "location") ?? "",
    headersSize: head.size,
    bodySize: message.size,
  };
}

/** What is not whole of a message. */
function comment(what: string, { state, size, keptSize, lost }: Message): string {
  return [
    ...(state === "complete" ? [] : [`the ${what} is not complete: ${state}`]),
    ...(lost === 0 ? [] : [`${lost} bytes of the ${what}'s body were not seen, zeros stand for them`]),
    ...(keptSize === size ? [] : [`of the ${what}'s body the first ${keptSize} of ${size} bytes are kept`]),
  ].join("; ");
}

function queryOf(url: string): Header[] {
  const query = /\?([^#]*)/.exec(url)?.[1] ?? "";
  return [...new URLSearchParams(query)].map(([name, value]) => ({ name, value }));
}

function requestCookies(headers: readonly Header[]): Header[] {
  return headers.filter(({ name }) => name.toLowerCase() === "cookie")
    .flatMap(({ value }) => value.split(/;\s*/)).filter((one) => one !== "").map(pair);
}

function responseCookies(headers: readonly Header[]): Record<string, unknown>[] {
  return headers.filter(({ name }) => name.toLowerCase() === "set-cookie").map(({ value }) => {
    const [first = "", ...attributes] = value.split(/;\s*/);
    const of = (name: string) => attributes.map(pair).find((one) => one.name.toLowerCase() === name)?.value;
    const expires = new Date(of("expires") ?? NaN);
    return {
      ...pair(first),
      ...(of("path") === undefined ? {} : { path: of("path") }),
      ...(of("domain") === undefined ? {} : { domain: of("domain") }),
      ...(Number.isNaN(expires.getTime()) ? {} : { expires: expires.toISOString() }),
      httpOnly: of("httponly") !== undefined,
      secure: of("secure") !== undefined,
    };
  });
}

function pair(text: string): Header {
  const [, name = "", value = ""] = /^([^=]*)=?(.*)$/s.exec(text) ?? [];
  return { name: name.trim(), value: value.trim() };
}

function milliseconds(from: bigint, to: bigint): number {
  return Number((to - from) / 1000n) / 1000;
}
