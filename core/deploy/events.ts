// What Kubernetes reports about the agent's container while the user waits for it: scheduled, pulling its
// image. Called by container.ts and job.ts. Best effort: a role without the right to list events shows none.

import { log } from "../base/log.ts";
import { pauseOrEnd } from "../base/pause.ts";
import type { CoreV1Event, KubeClient } from "../kube/client.ts";

/** A container that starts from an image that is there needs no explanation. */
const firstMilliseconds = 1000;
const intervalMilliseconds = 1000;

/**
 * Reasons of events with which the kubelet gives an image up for now; the pod's status tells of it seconds
 * later.
 */
const failed = ["Failed", "ErrImageNeverPull", "InspectFailed"];

/** An event, in Kubernetes' words. */
export interface ContainerEvent {
  text: string;
  reason: string;
  /** Its image cannot be had. */
  noImage: boolean;
}

/**
 * Tells the latest event about the object `uid` until `signal` aborts; of a pod's those that are about one of
 * `fields` ("spec.containers{NAME}"; undefined: the object itself). Never throws.
 */
export async function followEvents(
  { kube, uid }: { kube: KubeClient; uid: string },
  fields: readonly (string | undefined)[],
  signal: AbortSignal,
  tell: (event: ContainerEvent) => void,
): Promise<void> {
  try {
    await pauseOrEnd(firstMilliseconds, signal);
    for (let last = ""; !signal.aborted;) {
      const events = await kube.listEvents(uid, signal);
      const event = latest(events, fields);
      if (event !== undefined && event.text !== last) tell(event);
      last = event?.text ?? "";
      await pauseOrEnd(intervalMilliseconds, signal);
    }
  } catch (error) {
    if (!signal.aborted) log.debug(`No events about the agent: ${error}`);
  }
}

function latest(
  events: readonly CoreV1Event[],
  fields: readonly (string | undefined)[],
): ContainerEvent | undefined {
  const own = events.filter(({ involvedObject }) => fields.includes(involvedObject.fieldPath));
  // That it could not be pulled stays the news, whatever is tried again after it.
  const pull = own.find(({ reason = "", message = "" }) => failed.includes(reason) && /image/i.test(message));
  const newest = pull ?? own.reduce<CoreV1Event | undefined>(
    (best, event) => best === undefined || timeOf(event) >= timeOf(best) ? event : best,
    undefined,
  );
  const text = newest?.message?.slice(0, 500);
  return text === undefined ? undefined : { text, reason: newest?.reason ?? "", noImage: newest === pull };
}

/** Times come as text in JSON, though the library's type says Date. */
function timeOf({ lastTimestamp, eventTime, metadata }: CoreV1Event): number {
  const time: unknown = lastTimestamp ?? eventTime ?? metadata.creationTimestamp;
  return typeof time === "string" || time instanceof Date ? new Date(time).getTime() : 0;
}
