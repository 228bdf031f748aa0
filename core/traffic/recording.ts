// A recording → what can be played of it: requests with their answers, and conversations in other protocols.
// Called by cmd/replay.ts. It reads HAR (har_read.ts), pcap and pcap-ng (pcap_read.ts); what cannot be played
// is listed with the reason, never left out in silence.

import { ConfigError } from "../base/errors.ts";
import { machineError } from "../base/machine.ts";
import { addressText } from "../net/address.ts";
import { concatenate } from "../../protocol-wasm/mod.ts";
import { type Connection, Conversations, type Side } from "./conversations.ts";
import type { Exchange, TrafficEvent } from "./events.ts";
import { Exchanges } from "./exchanges.ts";
import { isPcap, readPcap } from "./pcap_read.ts";
import { answerOf, mostBody, type Recording, sentHeaders } from "./recorded.ts";

/** Reads the file at `path`. Throws ConfigError for what is no recording. */
export async function readRecording(path: string): Promise<Recording> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await Deno.readFile(path);
  } catch (error) {
    throw machineError(error) ??
      new ConfigError(`Cannot read "${path}": ${error instanceof Error ? error.message : error}`);
  }
  if (isPcap(bytes)) return inOrder(fromPackets(bytes));
  const { readHarText } = await import("./har_read.ts");
  return inOrder(readHarText(path, new TextDecoder().decode(bytes)));
}

/** By when each began; the first begins at 0. */
function inOrder(recording: Recording): Recording {
  const parts = recording.parts.toSorted((a, b) => a.at - b.at);
  const first = parts[0]?.at ?? 0;
  return { ...recording, parts: parts.map((part) => ({ ...part, at: part.at - first })) };
}

/** A connection that was no HTTP/1. */
interface Talk {
  name: string;
  turns: { side: Side; pieces: Uint8Array[] }[];
  startedAt: bigint;
  isHoled: boolean;
  spokeHttp: boolean;
}

function fromPackets(bytes: Uint8Array<ArrayBuffer>): Recording {
  const recording: Recording = { parts: [], left: [], isOneTarget: false };
  const talks = new Map<Connection, Talk>();
  const exchanges = new Exchanges((event) => take(event, recording, talks), mostBody);
  const conversations = new Conversations(exchanges);
  for (const packet of readPcap(bytes)) conversations.take(packet);
  conversations.end();
  return recording;
}

function take(event: TrafficEvent, recording: Recording, talks: Map<Connection, Talk>): void {
  if (event.type === "opened") {
    const { connection } = event;
    talks.set(connection, {
      name: "",
      turns: [],
      startedAt: connection.startedAt,
      isHoled: connection.isMidway,
      spokeHttp: false,
    });
    return;
  }
  const connection = "connection" in event ? event.connection : event.exchange.connection;
  const talk = talks.get(connection);
  if (talk === undefined) return;
  if (event.type === "exchange") {
    talk.spokeHttp = true;
    takeExchange(event.exchange, recording);
  } else if (event.type === "protocol") talk.name = event.name;
  else if (event.type === "lost") talk.isHoled = true;
  else if (event.type === "bytes") {
    const last = talk.turns.at(-1);
    const piece = event.bytes.slice();
    if (last?.side === event.side) last.pieces.push(piece);
    else talk.turns.push({ side: event.side, pieces: [piece] });
  } else if (event.type === "closed") {
    talks.delete(connection);
    takeTalk(connection, talk, recording);
  }
}

function takeExchange({ connection, request, response }: Exchange, recording: Recording): void {
  const { head } = request;
  const label = `${head.method} ${head.target}`;
  const host = addressText(connection.target);
  const why = head.method === "CONNECT"
    ? "it opens a tunnel"
    : response?.head.status === 101
    ? "it changes to another protocol"
    : request.state !== "complete" || request.lost > 0 || request.keptSize < request.size
    ? "the recording has not all of its body"
    : null;
  if (why !== null) return void recording.left.push({ label, host, why });
  recording.parts.push({
    kind: "request",
    label,
    host,
    at: Number(request.startedAt / 1000n) / 1000,
    request: {
      method: head.method,
      target: head.target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i, "") || "/",
      headers: sentHeaders(head.headers),
      body: concatenate(request.kept),
    },
    answer: response === null ? null : answerOf(response),
  });
}

function takeTalk(connection: Connection, talk: Talk, recording: Recording): void {
  const { name, startedAt, isHoled, spokeHttp } = talk;
  if (talk.turns.length === 0) return;
  const host = addressText(connection.target);
  const label = `${addressText(connection.client)} > ${host}`;
  const why = name === "TLS" || name === "HTTP/2"
    ? `it is ${name}`
    : spokeHttp
    ? "it changed from HTTP/1 to another protocol"
    : isHoled
    ? "the recording has not all of it"
    : null;
  if (why !== null) return void recording.left.push({ label, host, why });
  const turns = talk.turns.map(({ side, pieces }) => ({ side, bytes: concatenate(pieces) }));
  recording.parts.push({ kind: "bytes", label, host, at: Number(startedAt / 1000n) / 1000, turns });
}
