// The orders that tests/apps/client.py carries out among the target's clients, and what it tells back. Stages
// bring the order there; tests call these functions.

import assert from "node:assert/strict";
import type { Stage } from "./stage.ts";

/** One request; `size` gives it a body, `chunked` that framing. */
export interface Request {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  size?: number;
  seed?: number;
  chunked?: boolean;
}

/** What an answering program of the tests says; the original gives fewer of these. */
export interface Report {
  by: string;
  status: number;
  server: string;
  method: string;
  path: string;
  headers: [string, string][];
  body_sha256: string;
  body_length: number;
  sent_sha256?: string;
  peer: string;
  peer_port: number;
  own: string;
  own_port: number;
  pid: number;
  env: Record<string, string | null>;
}

/** Answers by who gave them, and by process. */
export interface Counts {
  by: Record<string, number>;
  pids: Record<string, number>;
  failures: string[];
  failed: number;
  peers: string[];
}

/** Where to send; IPv4 and port 80 unless said otherwise. */
export interface Where {
  family?: "ipv4" | "ipv6";
  host?: string;
  port?: number;
  /** How long the client waits for an answer, in seconds. */
  timeout?: number;
}

function place(stage: Stage, { family = "ipv4", host, port }: Where): { host: string; port: number } {
  return { host: host ?? stage.hosts[family], port: port ?? 80 };
}

/** One request on a connection of its own. */
export async function ask(stage: Stage, request: Request & Where = {}): Promise<Report> {
  return await stage.ask({ ...request, do: "ask", ...place(stage, request) }) as Report;
}

/** Asks until somebody whose name contains `by` answers; fails with who did instead. */
export async function untilBy(stage: Stage, by: string, request: Request & Where = {}): Promise<Report> {
  const report = await stage.ask({ ...request, do: "until", by, ...place(stage, request) }) as Report & {
    before: unknown;
  };
  assert.ok(report.by.includes(by), `"${by}" did not answer; answers: ${JSON.stringify(report.before)}`);
  return report;
}

/** All requests over one connection. `same`: the connection was still that one after the answer. */
export async function sequence(
  stage: Stage,
  requests: Request[],
  where: Where = {},
): Promise<(Report & { same: boolean })[]> {
  return await stage.ask({ do: "sequence", requests, ...place(stage, where) }) as (Report & {
    same: boolean;
  })[];
}

/**
 * `count` requests, `each` per connection, from `connections` at a time; %d in the path becomes each one's
 * number.
 */
export async function many(
  stage: Stage,
  order: Request & Where & { count: number; connections?: number; each?: number },
): Promise<Counts> {
  return await stage.ask({ ...order, do: "many", ...place(stage, order) }) as Counts;
}

/** Reads `size` bytes and compares them with what the server must have sent. */
export async function download(
  stage: Stage,
  order: Where & { size: number; framing?: "bytes" | "chunked" | "eof"; headers?: Record<string, string> },
): Promise<{ length: number; equal: boolean }> {
  return await stage.ask({ ...order, do: "download", ...place(stage, order) }) as {
    length: number;
    equal: boolean;
  };
}

/** A connection that asks for `size` bytes and reads none while `count` requests of others are answered. */
export async function stalled(
  stage: Stage,
  order: Where & { size: number; count: number },
): Promise<{ length: number; equal: boolean; others: Counts }> {
  return await stage.ask({ ...order, do: "stalled", ...place(stage, order) }) as {
    length: number;
    equal: boolean;
    others: Counts;
  };
}

/** Upgrades to WebSocket and has `size` bytes sent back. */
export async function websocket(
  stage: Stage,
  order: Where & { size: number; headers?: Record<string, string> },
): Promise<{ status: number; equal: boolean; by?: string }> {
  return await stage.ask({ ...order, do: "websocket", ...place(stage, order) }) as {
    status: number;
    equal: boolean;
    by?: string;
  };
}

/**
 * Sends `text` and reads until `expect` came or the end; `again`: on new connections until `expect` comes.
 */
export async function raw(
  stage: Stage,
  order: Where & { text: string; expect: string; again?: boolean },
): Promise<string> {
  const { text } = await stage.ask({ ...order, do: "raw", ...place(stage, order) }) as { text: string };
  return text;
}

/** Asks without a pause until the answers have changed to `by` for good; call it while another answers. */
export async function load(
  stage: Stage,
  order: Where & { by: string; settled?: number },
): Promise<{ by: Record<string, number>; failures: [number, string][]; settled: boolean }> {
  return await stage.ask({ ...order, do: "load", ...place(stage, order) }) as {
    by: Record<string, number>;
    failures: [number, string][];
    settled: boolean;
  };
}
