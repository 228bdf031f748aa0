// What Kubernetes reports about the agent's container while the user waits for it: scheduled, pulling its image. Called by
// container.ts. Best effort: a role without the right to list events shows none.

import { log } from "../base/log.ts";
import type { CoreV1Event } from "../kube/client.ts";
import type { PodTarget } from "../target/target.ts";

/** A container that starts from an image that is there needs no explanation. */
const firstMilliseconds = 1000;
const intervalMilliseconds = 1000;

/** Reasons of events with which the kubelet gives an image up for now; the pod's status tells of it seconds later. */
const failed = ["Failed", "ErrImageNeverPull", "InspectFailed"];

/** An event about the container, in Kubernetes' words. */
export interface ContainerEvent {
  text: string;
  /** Its image cannot be had. */
  noImage: boolean;
}

/** Tells the latest event about the ephemeral container `name` until `signal` aborts. Never throws. */
export async function followEvents(
  target: Pick<PodTarget, "kube" | "uid">,
  name: string,
  signal: AbortSignal,
  tell: (event: ContainerEvent) => void,
): Promise<void> {
  try {
    await pause(firstMilliseconds, signal);
    for (let last = ""; !signal.aborted;) {
      const events = await target.kube.listEvents(target.uid, signal);
      const event = latest(events, name);
      if (event !== undefined && event.text !== last) tell(event);
      last = event?.text ?? "";
      await pause(intervalMilliseconds, signal);
    }
  } catch (error) {
    if (!signal.aborted) log.debug(`No events of the pod: ${error}`);
  }
}

function latest(events: readonly CoreV1Event[], name: string): ContainerEvent | undefined {
  const own = events.filter(({ involvedObject }) =>
    involvedObject.fieldPath === `spec.ephemeralContainers{${name}}`
  );
  // That it could not be pulled stays the news, whatever is tried again after it.
  const pull = own.find(({ reason = "", message = "" }) => failed.includes(reason) && /image/i.test(message));
  const newest = pull ?? own.reduce<CoreV1Event | undefined>(
    (best, event) => best === undefined || timeOf(event) >= timeOf(best) ? event : best,
    undefined,
  );
  const text = newest?.message?.slice(0, 500);
  return text === undefined ? undefined : { text, noImage: newest === pull };
}

/** Times come as text in JSON, though the library's type says Date. */
function timeOf({ lastTimestamp, eventTime, metadata }: CoreV1Event): number {
  const time: unknown = lastTimestamp ?? eventTime ?? metadata.creationTimestamp;
  return typeof time === "string" || time instanceof Date ? new Date(time).getTime() : 0;
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  const stop = () => resolve();
  signal.addEventListener("abort", stop);
  await promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", stop);
}
