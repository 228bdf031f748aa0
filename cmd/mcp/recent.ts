// What happened in sessions lately, as coding agents read it. Called by tools.ts. Secrets of heads are left
// out by the session already; heads, bodies and queries come only where they are asked for.

import type { Answer, SessionFacts } from "../../core/control/messages.ts";
import type { SessionDetail } from "../../core/session/details.ts";

/** What can be asked about. */
export const kinds = ["requests", "connections", "names", "files"] as const;
export type Kind = (typeof kinds)[number];

const types: Record<Kind, SessionDetail["type"]> = {
  requests: "exchange",
  connections: "connection",
  names: "name",
  files: "file",
};

/** The last `limit` of them, the newest last; equal decisions count as one, with `times`. */
export function recentOf(
  answers: readonly Answer[],
  { kind, limit, bodies }: { kind: Kind; limit: number; bodies: boolean },
): Record<string, unknown>[] {
  const found = new Map<string, Record<string, unknown>>();
  for (const answer of answers) {
    if (!("detail" in answer) || answer.detail.type !== types[kind]) continue;
    const { detail } = answer;
    const at = new Date(answer.at).toISOString();
    if (detail.type === "exchange") {
      found.set(String(detail.number), { at, ...exchangeOf(detail, bodies) });
      continue;
    }
    const { type: _type, pid: _pid, ...facts } = detail;
    const key = JSON.stringify(facts);
    const times = Number(found.get(key)?.["times"] ?? 0) + 1;
    found.delete(key);
    found.set(key, { at, times, ...facts });
  }
  return [...found.values()].slice(-limit);
}

function exchangeOf(
  detail: Extract<SessionDetail, { type: "exchange" }>,
  bodies: boolean,
): Record<string, unknown> {
  const { mode, port, peer, status, milliseconds, isOver, request, answer } = detail;
  const [method = "", target = ""] = (request.head.split("\n")[0] ?? "").split(" ");
  const facts = {
    mode,
    port,
    peer,
    method,
    path: target.replace(/[?#].*$/s, ""),
    status,
    milliseconds,
    isOver,
  };
  return bodies ? { ...facts, request, answer } : facts;
}

/** A session without the arguments of its program, which may hold secrets. */
export function withoutArguments(
  facts: SessionFacts,
): Omit<SessionFacts, "command"> & { program: string | null } {
  const { command, ...rest } = facts;
  return { ...rest, program: command[0] ?? null };
}
