// A HAR file of mirrord's or of any browser's → what can be played of it. Called by recording.ts. Browsers
// write down requests as they were meant for HTTP/2 or 3 too: what only those have is left out.

import { z } from "zod";
import { ConfigError } from "../base/errors.ts";
import type { Header } from "./message.ts";
import { type Recorded, type RecordedAnswer, type Recording, sentHeaders } from "./recorded.ts";

const header = z.object({ name: z.string(), value: z.string() });
const content = z.object({
  size: z.number().optional(),
  text: z.string().optional(),
  encoding: z.string().optional(),
  _contentEncoding: z.string().optional(),
});
const entry = z.object({
  startedDateTime: z.string(),
  _comment: z.string().optional(),
  request: z.object({
    method: z.string(),
    url: z.string(),
    headers: z.array(header),
    bodySize: z.number().optional(),
    postData: z.object({
      text: z.string().optional(),
      params: z.array(z.object({ name: z.string(), value: z.string().optional() })).optional(),
      _encoding: z.string().optional(),
      _contentEncoding: z.string().optional(),
    }).optional(),
  }),
  response: z.object({ status: z.number(), headers: z.array(header), content: content.optional() }),
});
const har = z.object({
  log: z.object({ creator: z.object({ name: z.string() }).optional(), entries: z.array(entry) }),
});
type Entry = z.infer<typeof entry>;

/** Recordings of mirrord name it so; all of their requests went to one target. */
const ownName = "mirrord";
const encoder = new TextEncoder();

/** Throws ConfigError for what is no HAR file. */
export function readHarText(path: string, text: string): Recording {
  const parsed = har.safeParse(jsonOf(path, text));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw notHar(path, `${issue?.path.join(".")}: ${issue?.message}`);
  }
  const { creator, entries } = parsed.data.log;
  const recording: Recording = { parts: [], left: [], isOneTarget: creator?.name === ownName };
  for (const one of entries) takeEntry(one, recording);
  return recording;
}

function jsonOf(path: string, text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (error) {
    throw notHar(path, error instanceof Error ? error.message : String(error));
  }
}

function notHar(path: string, why: string): ConfigError {
  return new ConfigError(`Cannot read "${path}": it is no HAR, pcap or pcap-ng file`, {
    help: `As JSON: ${why}`,
  });
}

function takeEntry(one: Entry, recording: Recording): void {
  const { method, url: text } = one.request;
  const url = URL.parse(text);
  const label = `${method} ${url === null ? text : url.pathname + url.search}`;
  const host = url?.host ?? "";
  const why = url === null || !/^https?:$/.test(url.protocol)
    ? "its URL is not of HTTP"
    : method === "CONNECT"
    ? "it opens a tunnel"
    : one.response.status === 101
    ? "it changes to another protocol"
    : null;
  const body = bodyOf(one);
  if (why !== null || body === null || url === null) {
    recording.left.push({ label, host, why: why ?? "the recording has not all of its body" });
    return;
  }
  const began = Date.parse(one.startedDateTime);
  const part: Recorded = {
    kind: "request",
    label,
    host,
    at: Number.isNaN(began) ? 0 : began,
    request: { method, target: url.pathname + url.search, headers: headersOf(one, host), body },
    answer: answerOf(one),
  };
  recording.parts.push(part);
}

/** With the host's name, which HTTP/2 has elsewhere. */
function headersOf({ request }: Entry, host: string): Header[] {
  const { headers, postData } = request;
  // The text of a compressed body is uncompressed, unless the entry has this field.
  const isPlain = postData?._contentEncoding === undefined;
  const kept = sentHeaders(headers).filter(({ name }) =>
    !isPlain || name.toLowerCase() !== "content-encoding"
  );
  const isNamed = kept.some(({ name }) => name.toLowerCase() === "host");
  return isNamed ? kept : [{ name: "Host", value: host }, ...kept];
}

/** null: it is not known, or not to its end. */
function bodyOf({ request, _comment = "" }: Entry): Uint8Array<ArrayBuffer> | null {
  const { postData, bodySize = 0 } = request;
  if (/the request('s body| is not complete)/.test(_comment)) return null;
  if (postData === undefined) return bodySize > 0 ? null : new Uint8Array();
  if (postData.text === undefined) {
    const pairs = (postData.params ?? []).map(({ name, value = "" }) => [name, value]);
    return encoder.encode(new URLSearchParams(pairs).toString());
  }
  const isBinary = postData._encoding === "base64" || postData._contentEncoding !== undefined;
  return isBinary ? bytesOf(postData.text) : encoder.encode(postData.text);
}

function answerOf({ response, _comment = "" }: Entry): RecordedAnswer | null {
  const { status, headers, content = {} } = response;
  if (status === 0) return null;
  const body = content.text === undefined
    ? new Uint8Array()
    : content.encoding === "base64"
    ? bytesOf(content.text)
    : encoder.encode(content.text);
  // Browsers leave out what was too large for them, or has gone from their cache.
  const isMissing = content.text === undefined && (content.size ?? 0) > 0;
  const isCut = isMissing || content._contentEncoding !== undefined ||
    /the answer('s body| is not complete)/.test(_comment);
  return { status, headers, body: body ?? new Uint8Array(), isCut: isCut || body === null };
}

/** null: it is not base64. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return null;
  }
}
