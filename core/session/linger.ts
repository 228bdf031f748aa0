// After the app's end: waits until what it sent has reached its peers. Called by session.ts for cmd/exec.ts.
// It reads two places: the session's own deliveries, and the agent's, whose kernel sends to the peers. The
// session's come first, so that what it handed on meanwhile is in the agent's answer.

import { addressText } from "../net/address.ts";
import { type AgentLink, agentMessages, decode, LinkError, RemoteError } from "../../protocol-wasm/mod.ts";
import { SessionError } from "../base/errors.ts";
import { pauseOrEnd } from "../base/pause.ts";
import type { Deliveries } from "./deliveries.ts";
import type { Emit, Undelivered } from "./events.ts";

/** When mirrord logs what it still waits for. */
const sayMs = 1000;
/** Even with a limit of 0: what an end needs on a link. */
const leastMs = 200;
const firstLookMs = 10;
const lastLookMs = 200;
/** As many peers are named. */
const named = 3;

/** How long to wait. */
export interface LingerOptions {
  /** So long nothing may move. */
  limitMs: number;
  /** The user gives up. */
  giveUp: AbortSignal;
  /** Did the user ask mirrord to end once? */
  asked: () => boolean;
  /** Processes of the app live on: what they still send is waited for until nothing moved for `settleMs`. */
  alive: () => boolean;
  settleMs: number;
  /** What is delivered, for people: "the app sent" unless given. */
  what?: string;
  /** Called with what is waited for. */
  emit: Emit;
}

/**
 * Resolves when all is delivered; throws SessionError that names what is not. Returns early when the link
 * ends.
 */
export async function linger(
  deliveries: Deliveries,
  agent: AgentLink,
  options: LingerOptions,
): Promise<void> {
  const { giveUp, alive, settleMs, emit } = options;
  const limitMs = Math.max(options.limitMs, leastMs);
  const began = performance.now();
  let progressAt = began;
  let before = "";
  let said: "nothing" | "what" | "how" = "nothing";
  for (let lookMs = firstLookMs;; lookMs = Math.min(lookMs * 2, lastLookMs)) {
    const settled = !alive() || Math.min(deliveries.quietMs, performance.now() - began) >= settleMs;
    const rests = [...waitingIn(deliveries), ...await unsentOf(agent)];
    if (rests.length === 0 && settled) return;
    const now = performance.now();
    const state = `${deliveries.moved} ${JSON.stringify(rests)}`;
    if (state !== before) progressAt = now;
    before = state;
    if (rests.length > 0 && (giveUp.aborted || now - progressAt >= limitMs)) {
      const why = giveUp.aborted ? "you gave up" : `nothing moved for ${options.limitMs / 1000} s`;
      throw undelivered(rests, why, options.what);
    }
    if (giveUp.aborted) return;
    if (said === "nothing" && rests.length > 0 && now - began >= sayMs) {
      said = "what";
      emit({ type: "delivering", rests });
    }
    if (said === "what" && options.asked()) {
      said = "how";
      emit({ type: "deliveryHurried" });
    }
    await pauseOrEnd(lookMs, giveUp);
  }
}

/** What an end of the session at this moment costs, as far as the session knows. */
export function waitingIn(deliveries: Deliveries): Undelivered[] {
  return deliveries.waiting().map((one) => ({ peer: one.name, bytes: one.left() }));
}

/** What the agent has not delivered; empty when the agent cannot report it or is gone. */
async function unsentOf(agent: AgentLink): Promise<Undelivered[]> {
  if (agent.version < agentMessages.unsent.since) return [];
  try {
    const frames = await agent.request("unsent", {});
    return frames.map(({ body }) => decode(agentMessages.unsentReply, body))
      .filter(({ bytes }) => bytes > 0n)
      .map(({ peer, bytes }) => ({ peer: addressText(peer), bytes: Number(bytes) }));
  } catch (error) {
    if (error instanceof LinkError || error instanceof RemoteError) return [];
    throw error;
  }
}

function undelivered(rests: Undelivered[], why: string, what = "the app sent"): SessionError {
  return new SessionError(
    `Cannot deliver everything that ${what}: ${why}; lost: ${undeliveredText(rests)}`,
    {
      help: "A longer time: --linger SECONDS, or agent.linger in the configuration.",
    },
  );
}

/** "1000 bytes to 10.0.0.1:80, …": what one peer is owed in several places is one sum. */
export function undeliveredText(rests: readonly Undelivered[]): string {
  const sums = new Map<string, number>();
  for (const { peer, bytes } of rests) sums.set(peer, (sums.get(peer) ?? 0) + bytes);
  const all = [...sums].map(([peer, bytes]) => `${bytes} bytes or more to ${peer}`);
  const more = all.length > named ? `, and to ${all.length - named} more` : "";
  return all.slice(0, named).join(", ") + more;
}
