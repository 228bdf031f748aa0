// The way to an agent whose container was made: its own words about where it listens, then a port-forward,
// and a link that both ends have proven. Called by ephemeral.ts and job.ts.

import { exitCodes, KubeError } from "../base/errors.ts";
import { pause } from "../base/pause.ts";
import { loadSeal } from "../net/seal.ts";
import { LinkError } from "../../protocol-wasm/mod.ts";
import { hearAgent } from "./announcement.ts";
import { type ConnectedAgent, NoAnswer, proveLink } from "./connect.ts";
import type { AgentContainer, AgentPlace } from "./container.ts";
import type { DeployOrder } from "./order.ts";
import type { Sending } from "./send.ts";

/**
 * Waits between attempts to reach an agent that does not answer yet, in milliseconds; then the last again.
 */
const attempts = [50, 50, 100, 100, 150, 150, 200, 200, 300, 300, 500];

/** Tries until the agent answers, the container ends, or the time is up. */
export async function reachAgent(
  place: AgentPlace,
  container: AgentContainer,
  order: DeployOrder,
  sending?: Sending,
): Promise<ConnectedAgent> {
  const { startup, needs } = order;
  const failed = new AbortController();
  container.running.catch((error) => failed.abort(error));
  const signal = AbortSignal.any([startup.signal, container.ended, failed.signal]);
  const connect = await agentWay(place, container, { key: order.key, signal, sending });
  for (let attempt = 0;; attempt++) {
    try {
      const agent = await connect({ steal: needs.steal, mirror: needs.mirror === true });
      endWith(agent, container);
      return agent;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof NoAnswer) {
        const cause = error.cause instanceof Error ? error.cause.message : "";
        startup.heard(/refused/.test(cause) ? "the agent does not listen" : cause);
      } else if (place.kind === "ephemeral" || container.isRunning || !isUnavailable(error)) throw error;
    }
    await pause(attempts[Math.min(attempt, attempts.length - 1)] ?? 500, signal);
  }
}

/** Opens a link to the agent; rejects with NoAnswer where no agent answers. */
type Connect = (asked: { steal: boolean; mirror: boolean }) => Promise<ConnectedAgent>;

/** Resolves when the agent has said where it is; `sending` brought it there. */
export async function agentWay(
  place: AgentPlace,
  container: AgentContainer,
  { key, signal, sending }: Pick<DeployOrder, "key"> & { signal: AbortSignal; sending: Sending | undefined },
): Promise<Connect> {
  const { kube, pod } = place;
  const [{ port, key: identity }, seal] = await Promise.all([
    hearAgent(place, container, { signal, sending }),
    loadSeal(),
  ]);
  return async (asked) => {
    const stream = await kube.portForward(pod, port, signal);
    return await proveLink(stream, { key, ...asked, agent: { identity, seal }, signal });
  };
}

/** So the API server answers for a pod that is being started, and not for want of a right. */
function isUnavailable(error: unknown): boolean {
  return error instanceof KubeError && error.exitCode === exitCodes.unavailable;
}

/** The link ends with the container: the cluster may tell of its end before the link itself does. */
function endWith({ link }: ConnectedAgent, container: AgentContainer): void {
  const { ended } = container;
  container.settle();
  const end = () => link.close(new LinkError(`the agent's container ended: ${ended.reason.message}`));
  ended.addEventListener("abort", end);
  void link.closed.then(() => ended.removeEventListener("abort", end));
  if (ended.aborted) end();
}

/** Five of the letters that Kubernetes uses for generated names. */
export function randomName(): string {
  const letters = "bcdfghjklmnpqrstvwxz2456789";
  return Array.from(crypto.getRandomValues(new Uint8Array(5)), (byte) => letters[byte % letters.length]).join(
    "",
  );
}
