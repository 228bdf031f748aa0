// The agent as an ephemeral container of the target's pod. Called by deploy.ts. An ephemeral container cannot
// be removed, only end: so the agent leaves by itself when no client comes, and what remains is the
// terminated entry in the pod's spec. It gets exactly the capabilities that the configuration needs. It runs
// an image of its own, or the target's, into which the agent is sent (sent.ts, send.ts).

import { DeployError, exitCodes, MirrordError } from "../base/errors.ts";
import { log } from "../base/log.ts";
import { sentImage } from "../config/agent_image.ts";
import { ApiError } from "../kube/api_error.ts";
import type { V1EphemeralContainer, V1Pod } from "../kube/client.ts";
import type { PodTarget } from "../target/target.ts";
import { NoAnswer } from "./connect.ts";
import { AgentContainer, type AgentPlace, explained } from "./container.ts";
import { checkMemory } from "./memory.ts";
import { agentArguments, type Deployed, type DeployOrder } from "./order.ts";
import { pause } from "../base/pause.ts";
import { type Payload, takePayloads } from "./payload.ts";
import { agentWay, randomName, reachAgent } from "./reach.ts";
import { securityContextFor } from "./rights.ts";
import { Sending } from "./send.ts";
import { sentContainer } from "./sent.ts";

/** After so many sessions on one pod its entries are mentioned. */
const manyEntries = 20;
/** How long an agent that nobody connected to is looked for, to send it away. */
const recallMilliseconds = 6000;
const recallPauseMilliseconds = 100;

/** Adds the agent to the pod; `connect` waits until it answers. */
export async function deployEphemeral(target: PodTarget, order: DeployOrder): Promise<Deployed> {
  const { startup } = order;
  checkMemory(target, order.needs.forced === true);
  startup.phase(`Adding the agent to ${target.label}`);
  await target.checkRights?.();
  const payloads = order.config.image === sentImage ? await (order.payloads ?? takePayloads)() : undefined;
  const place: AgentPlace = { ...target, kind: "ephemeral", sent: payloads !== undefined };
  const container = await addContainer(target, place, { order, payloads });
  const sending = payloads === undefined
    ? undefined
    : new Sending(place, container, { payloads, image: target.image, signal: startup.signal });
  let connected = false;
  return {
    connect: () =>
      explained(startup, async () => {
        const link = await reachAgent(place, container, order, sending);
        connected = true;
        await sending?.[Symbol.asyncDispose]();
        return link;
      }),
    async [Symbol.asyncDispose]() {
      startup[Symbol.dispose]();
      await sending?.[Symbol.asyncDispose]();
      if (!connected) await recall(place, container, { order, sending });
      await container[Symbol.asyncDispose]();
      target[Symbol.dispose]();
    },
  };
}

async function addContainer(
  target: PodTarget,
  place: AgentPlace,
  { order, payloads }: { order: DeployOrder; payloads: Payload[] | undefined },
): Promise<AgentContainer> {
  const { startup } = order;
  const name = `mirrord-agent-${randomName()}`;
  const container = ephemeralContainer(name, target, { order, payloads });
  let pod: V1Pod;
  try {
    // Not given up half-way: a container that was added unseen could not be sent away.
    pod = await target.kube.addEphemeralContainer(target.pod, container);
  } catch (error) {
    throw explainRefusal(error, target);
  }
  if (pod.metadata?.uid !== target.uid) {
    throw new DeployError(`Cannot start the agent: the pod "${target.pod}" was replaced meanwhile`, {
      help: "Start mirrord again.",
    });
  }
  adviseReplacing(pod, target);
  return new AgentContainer(place, name, container.image ?? "", startup);
}

/**
 * Each session leaves an entry that Kubernetes does not let anybody remove; people and tools that read the
 * pod see them all.
 */
function adviseReplacing({ metadata, status }: V1Pod, { pod, namespace }: PodTarget): void {
  const ended = (status?.ephemeralContainerStatuses ?? []).filter(({ state }) =>
    state?.terminated !== undefined
  );
  if (ended.length < manyEntries) return;
  const makesAnew = metadata?.ownerReferences?.some(({ controller }) => controller === true) ?? false;
  log.warning(
    `The pod "${pod}" has ${ended.length} terminated ephemeral containers, which Kubernetes keeps as long as the pod. ` +
      `They do no harm. To remove them, ` +
      (makesAnew
        ? `replace the pod at a suitable time: kubectl delete pod ${pod} --namespace ${namespace}`
        : `delete the pod at a suitable time and create it again; there is no other way`),
  );
}

/** The container's spec: no secret in it, never privileged, nothing but the capabilities that are needed. */
export function ephemeralContainer(
  name: string,
  target: Pick<PodTarget, "container" | "containerId" | "image">,
  { order, payloads }: { order: DeployOrder; payloads: readonly Payload[] | undefined },
): V1EphemeralContainer {
  const { config, needs } = order;
  const { startupTimeoutSeconds: seconds } = config;
  return {
    name,
    image: config.image,
    imagePullPolicy: config.imagePullPolicy,
    targetContainerName: target.container,
    args: agentArguments(order, ["--listen", "0", "--container-id", target.containerId]),
    env: [{ name: "MIRRORD_AGENT_LOG", value: config.logLevel }],
    securityContext: securityContextFor(needs, payloads !== undefined),
    terminationMessagePolicy: "FallbackToLogsOnError",
    ...(payloads === undefined ? {} : sentContainer(name, { image: target.image, seconds, payloads })),
  };
}

/** Admission plugins say no with a 403 or 422 of their own words. */
function explainRefusal(error: unknown, target: PodTarget): unknown {
  if (!(error instanceof ApiError)) return error;
  const { said, status } = error;
  if (/PodSecurity/.test(said)) {
    const level = /violates PodSecurity "([^"]+)"/.exec(said)?.[1] ?? "its level";
    const rest = said.replace(/^.*?violates PodSecurity "[^"]+":\s*/, "");
    return new DeployError(
      `Cannot start the agent: the namespace "${target.namespace}" allows only pods of the PodSecurity level "${level}": ${rest}`,
      {
        help:
          "The agent needs capabilities that this level forbids. Use a target in a namespace with the label " +
          "pod-security.kubernetes.io/enforce=privileged, or leave out what needs them " +
          "(feature.network.incoming, feature.network.dns, feature.env, feature.fs).",
        cause: error,
        exitCode: exitCodes.permission,
      },
    );
  }
  if (status === 404 && !/pods ".*" not found/.test(said)) {
    return new DeployError("Cannot start the agent: this cluster has no ephemeral containers", {
      help: "Use Kubernetes 1.25 or newer.",
      cause: error,
    });
  }
  return error;
}

/**
 * Best effort: an agent that was started for nothing is ordered to leave at once rather than after its own
 * limit. One that does not run yet is waited for only when the user stopped the start: otherwise it is why
 * the start failed.
 */
async function recall(
  place: AgentPlace,
  container: AgentContainer,
  { order, sending }: { order: DeployOrder; sending: Sending | undefined },
): Promise<void> {
  if (sending?.isSent === false) return await recallUnsent(sending);
  if (container.ended.aborted || (!container.isRunning && !order.startup.stopped)) return;
  const signal = AbortSignal.any([AbortSignal.timeout(recallMilliseconds), container.ended]);
  try {
    const connect = await agentWay(place, container, { key: order.key, signal, sending });
    while (!await sendAway(connect)) await pause(recallPauseMilliseconds, signal);
  } catch (error) {
    const limit = order.config.communicationTimeoutSeconds;
    const why = error instanceof MirrordError ? error.message : String(error);
    log.debug(`The agent ends by itself within ${limit} s (${why})`);
  }
}

/** The container may wait for an agent that does not come any more. */
async function recallUnsent(sending: Sending): Promise<void> {
  try {
    await sending.recall(AbortSignal.timeout(recallMilliseconds));
  } catch (error) {
    log.debug(`The container that waits for the agent ends by itself (${error})`);
  }
}

/** False: it does not answer yet. */
async function sendAway(connect: Awaited<ReturnType<typeof agentWay>>): Promise<boolean> {
  try {
    await using link = await connect({ steal: false, mirror: false });
    log.debug(`The agent on Linux ${link.kernel} is sent away`);
    return true;
  } catch (error) {
    if (error instanceof NoAnswer) return false;
    throw error;
  }
}
