// The port and the key of a started agent, in its own words: read from its container's output, where no other
// container of the pod can write. Called by reach.ts. Two ways lead there and the first that has the line
// counts: attaching to the container works as soon as it runs; its log only after the kubelet has looked at
// the pod again, mostly within a second. An agent that was sent is heard through the attachment it came by.

import { type Announcement, readAnnouncement } from "../../protocol-wasm/mod.ts";
import { log } from "../base/log.ts";
import { pause, pauseOrEnd, unlessAborted } from "../base/pause.ts";
import { ApiError } from "../kube/api_error.ts";
import type { AgentContainer, AgentPlace } from "./container.ts";
import type { Sending } from "./send.ts";

/** No container starts faster than this. */
const headStartMilliseconds = 150;
/** Waits between two attempts to attach, in milliseconds; then the last again. */
const attachPauses = [40, 40, 60, 60, 80, 100, 100, 150, 200, 300, 500];
/** Between two attempts to read the log of a container that runs. */
const logPauseMilliseconds = 150;

/**
 * Waits for the agent's line. Rejects with the signal's reason, or with KubeError when neither way is
 * allowed: the log is the one that the role needs.
 */
export async function hearAgent(
  place: AgentPlace,
  container: AgentContainer,
  { signal, sending }: { signal: AbortSignal; sending: Sending | undefined },
): Promise<Announcement> {
  const heard = new AbortController();
  const either = AbortSignal.any([signal, heard.signal]);
  const fromLog = readLog(place, container, either);
  // A second attachment that ends would end the input through which an agent is sent.
  const attached = sending === undefined
    ? readOutput(place, container, either)
    : unlessAborted(sending.announcement(), either);
  const ways = [fromLog, attached];
  for (const way of ways) way.catch(() => {});
  try {
    return await Promise.any(ways);
  } catch {
    signal.throwIfAborted();
    return await fromLog;
  } finally {
    heard.abort();
    await Promise.allSettled(ways);
  }
}

async function readLog(
  { kube, pod }: AgentPlace,
  container: AgentContainer,
  signal: AbortSignal,
): Promise<Announcement> {
  await unlessAborted(container.running, signal);
  for (;;) {
    try {
      const found = await firstOf(kube.followLog(pod, container.name, signal));
      if (found !== null) return found;
    } catch (error) {
      signal.throwIfAborted();
      if (!isEarly(error)) throw error;
    }
    await pause(logPauseMilliseconds, signal);
  }
}

async function readOutput(
  { kube, pod }: AgentPlace,
  container: AgentContainer,
  signal: AbortSignal,
): Promise<Announcement> {
  const running = unlessAborted(container.running, signal);
  running.catch(() => {});
  await Promise.race([running, pauseOrEnd(headStartMilliseconds, signal)]);
  for (let attempt = 0;; attempt++) {
    signal.throwIfAborted();
    try {
      const found = await firstOf(kube.attach(pod, container.name, signal));
      if (found !== null) return found;
    } catch (error) {
      signal.throwIfAborted();
      if (isForbidden(error)) {
        log.debug("You may not attach to the agent's container; its log has the same a little later");
        throw error;
      }
    }
    await pause(attachPauses[Math.min(attempt, attachPauses.length - 1)] ?? 500, signal);
  }
}

/** The first announcement among `lines`. */
async function firstOf(lines: AsyncIterable<string>): Promise<Announcement | null> {
  for await (const line of lines) {
    const found = readAnnouncement(line.replace(/\r$/, ""));
    if (found !== null) return found;
  }
  return null;
}

/** The node does not know of the running container yet: BadRequest, in words of its own. */
function isEarly(error: unknown): boolean {
  return error instanceof ApiError &&
    (error.status === 400 || error.status === 404 || (error.status ?? 0) >= 500);
}

function isForbidden(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 403 || error.status === 401);
}
