// Traffic as `mirrord dump -o json` prints it for programs: one object a line. Called by dump.ts;
// docs/commands.md has the fields.

import { addressText } from "../core/net/address.ts";
import type { Connection } from "../core/traffic/conversations.ts";
import type { Exchange, TrafficEvent } from "../core/traffic/events.ts";
import { type Message, readBody, urlOf } from "../core/traffic/message.ts";
import { textOrNull } from "../core/traffic/shown_bytes.ts";

/** The line of `event`; null: it has none. `preview`: bytes of each body. */
export function jsonOf(event: TrafficEvent, preview: number): Record<string, unknown> | null {
  switch (event.type) {
    case "end":
      return event.side === "client"
        ? requestLine(event.exchange, preview)
        : responseLine(event.exchange, event.message, preview);
    case "exchange":
      if (event.exchange.response !== null) return null;
      return { type: "unanswered", time: iso(event.time), request: event.exchange.number };
    case "opened":
      return { type: "opened", ...about(event.connection, event.time), midway: event.connection.isMidway };
    case "closed":
      return { type: "closed", ...about(event.connection, event.time), how: event.how };
    case "protocol":
      return { type: "protocol", ...about(event.connection, event.time), name: event.name };
    case "bytes": {
      const part = event.bytes.subarray(0, preview);
      const content = { size: event.bytes.length, ...contentOf(part, textOrNull(part)) };
      return { type: "bytes", ...about(event.connection, event.time), side: event.side, ...content };
    }
    case "lost":
      return { type: "lost", ...about(event.connection, event.time), side: event.side, bytes: event.count };
    default:
      return null;
  }
}

/** A line that stays JSON when ui.ts prints it: what that writes out in its own way is escaped before. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u{10ff80}-\u{10ffff}]/gu,
    (one) => one.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16)}`).join(""),
  );
}

/** The line of packets that were not copied. */
export function jsonOfLoss(time: bigint, packets: number, reason: string): Record<string, unknown> {
  return { type: "lost", time: iso(time), packets, reason };
}

function requestLine({ number, connection, request }: Exchange, preview: number): Record<string, unknown> {
  const { head } = request;
  return {
    type: "request",
    request: number,
    ...about(connection, request.startedAt),
    method: head.method,
    url: urlOf(head, connection.target),
    ...rest(request, preview),
  };
}

function responseLine(exchange: Exchange, message: Message, preview: number): Record<string, unknown> {
  const { head, startedAt } = message;
  return {
    type: "response",
    request: exchange.number,
    ...about(exchange.connection, startedAt),
    status: head.status,
    reason: head.reason,
    milliseconds: Number((startedAt - exchange.request.startedAt) / 1000n) / 1000,
    ...rest(message, preview),
  };
}

function rest(message: Message, preview: number): Record<string, unknown> {
  const { head, size, lost, state, keptSize } = message;
  const body = readBody(message);
  const shown = body.bytes.subarray(0, preview);
  const text = body.text === null
    ? null
    : textOrNull(shown, shown.length < body.bytes.length) ?? body.text.slice(0, preview);
  return {
    version: head.version,
    headers: head.headers,
    body: {
      size,
      ...contentOf(shown, text),
      ...(body.compressed === "" ? {} : { compressed: body.compressed }),
      ...(shown.length < body.bytes.length || keptSize < size ? { truncated: true } : {}),
    },
    complete: state === "complete",
    ...(state === "complete" ? {} : { why: state }),
    ...(lost === 0 ? {} : { lost }),
  };
}

function contentOf(bytes: Uint8Array, text: string | null): Record<string, unknown> {
  if (bytes.length === 0) return {};
  return text === null ? { base64: bytes.toBase64() } : { text };
}

function about({ number, client, target }: Connection, time: bigint): Record<string, unknown> {
  return { time: iso(time), connection: number, client: addressText(client), target: addressText(target) };
}

function iso(time: bigint): string {
  return new Date(Number(time / 1_000_000n)).toISOString();
}
