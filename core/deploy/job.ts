// The agent in a pod of its own, for a session without a target. Called by deploy.ts. The pod is a Job's: the
// session removes the Job, and where it cannot (killed, or its machine is gone) the agent ends without its
// client and Kubernetes removes a Job that ended. Until the session has its agent the Job has a deadline, for
// a pod that never starts. The pod has no right but to open connections.

import { DeployError, exitCodes, MirrordError } from "../base/errors.ts";
import { log } from "../base/log.ts";
import type { V1Job } from "../kube/client.ts";
import type { ClusterTarget } from "../target/target.ts";
import { sentImage } from "../config/agent_image.ts";
import type { AgentPodConfig } from "../config/config.ts";
import { AgentContainer, type AgentPlace, explained } from "./container.ts";
import { followEvents } from "./events.ts";
import { imageHelp } from "./payload.ts";
import { agentArguments, type Deployed, type DeployOrder } from "./order.ts";
import { pause } from "../base/pause.ts";
import { randomName, reachAgent } from "./reach.ts";

const containerName = "agent";
/** Tells the pod of one session from those of others. */
const nameLabel = "mirrord.dev/agent";
/** No file of the image needs an owner: any user who is not root will do. */
const userId = 65_532;
/** The agent has said goodbye by then; it needs no time to end. */
const graceSeconds = 2;
/** What the deadline of a start leaves beyond its own limits. */
const spareSeconds = 10;
/**
 * Between two looks for the pod, and after how long without one it is given up: Kubernetes makes it within a
 * second.
 */
const lookMilliseconds = 100;
const podMilliseconds = 15_000;
/** How long its removal may keep the session from ending. */
const removeMilliseconds = 5000;

/** Makes the Job; `connect` waits until its agent answers. */
export async function deployJob(
  target: ClusterTarget,
  order: DeployOrder,
  pod: AgentPodConfig,
): Promise<Deployed> {
  const { startup } = order;
  const { kube, namespace } = target;
  if (order.config.image === sentImage) {
    throw new DeployError(
      "Cannot start the agent: without a target there is no container into which it could be sent",
      { help: imageHelp },
    );
  }
  startup.phase(`Starting an agent in the namespace "${namespace}"`);
  await target.checkRights?.();
  const job = agentJob(`mirrord-agent-${randomName()}`, order, pod);
  const name = job.metadata?.name ?? "";
  const remove = () => removeJob(target, name, pod.ttlSeconds);
  const uid = await make(target, job, remove);
  let container: AgentContainer | undefined;
  return {
    connect: () =>
      explained(startup, async () => {
        const place = await findPod(target, name, uid, order);
        container = new AgentContainer(place, containerName, order.config.image, startup);
        const agent = await reachAgent(place, container, order);
        await kube.patchJob(name, { spec: { activeDeadlineSeconds: null } }, startup.signal);
        return agent;
      }),
    async [Symbol.asyncDispose]() {
      startup[Symbol.dispose]();
      await container?.[Symbol.asyncDispose]();
      await remove();
      target[Symbol.dispose]();
    },
  };
}

/** Resolves with the Job's uid. Not given up half-way: one that was made unseen could not be removed. */
async function make({ kube }: ClusterTarget, job: V1Job, remove: () => Promise<void>): Promise<string> {
  try {
    return (await kube.createJob(job)).metadata?.uid ?? "";
  } catch (error) {
    // Without an answer it may be there all the same.
    if (error instanceof MirrordError && error.exitCode === exitCodes.unavailable) await remove();
    throw error;
  }
}

/**
 * The Job: no secret in it, no right beyond what the Pod Security level "restricted" allows, and an end in
 * every case.
 */
export function agentJob(name: string, order: DeployOrder, pod: AgentPodConfig): V1Job {
  const { config } = order;
  const { startupTimeoutSeconds, communicationTimeoutSeconds } = config;
  const labels = {
    app: "mirrord",
    "app.kubernetes.io/name": "mirrord-agent",
    ...(pod.joinsMesh ? {} : { "sidecar.istio.io/inject": "false", "kuma.io/sidecar-injection": "disabled" }),
    ...pod.labels,
    [nameLabel]: name,
  };
  const annotations = {
    ...(config.owner === undefined ? {} : { "mirrord.dev/owner": config.owner }),
    ...(pod.joinsMesh ? {} : { "linkerd.io/inject": "disabled" }),
    ...pod.annotations,
  };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, labels, annotations },
    spec: {
      backoffLimit: 0,
      ttlSecondsAfterFinished: pod.ttlSeconds,
      activeDeadlineSeconds: startupTimeoutSeconds + communicationTimeoutSeconds + spareSeconds,
      podReplacementPolicy: "Failed",
      template: {
        metadata: { labels, annotations },
        spec: {
          restartPolicy: "Never",
          terminationGracePeriodSeconds: graceSeconds,
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          ...(pod.serviceAccount === undefined ? {} : { serviceAccountName: pod.serviceAccount }),
          ...(pod.priorityClass === undefined ? {} : { priorityClassName: pod.priorityClass }),
          imagePullSecrets: pod.pullSecrets.map((secret) => ({ name: secret })),
          nodeSelector: { "kubernetes.io/os": "linux", ...pod.nodeSelector },
          tolerations: pod.tolerations,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: userId,
            runAsGroup: userId,
            seccompProfile: { type: "RuntimeDefault" },
          },
          containers: [{
            name: containerName,
            image: config.image,
            imagePullPolicy: config.imagePullPolicy,
            args: agentArguments(order, ["--listen", "0"]),
            env: [{ name: "MIRRORD_AGENT_LOG", value: config.logLevel }],
            resources: pod.resources,
            securityContext: {
              privileged: false,
              allowPrivilegeEscalation: false,
              readOnlyRootFilesystem: true,
              capabilities: { drop: ["ALL"] },
            },
            terminationMessagePolicy: "FallbackToLogsOnError",
          }],
        },
      },
    },
  };
}

/** Waits for the Job's pod; what keeps Kubernetes from making it is an event of the Job. */
async function findPod(
  target: ClusterTarget,
  name: string,
  uid: string,
  { startup }: DeployOrder,
): Promise<AgentPlace> {
  const { kube, namespace } = target;
  const refused = new AbortController();
  const over = new AbortController();
  const stop = AbortSignal.any([over.signal, startup.signal]);
  const following = followEvents({ kube, uid }, [undefined], stop, ({ text, reason }) => {
    if (reason === "FailedCreate" && /forbidden|denied|invalid|not found/i.test(text)) {
      refused.abort(explainRefusal(namespace, text));
    } else startup.heard(text);
  });
  const signal = AbortSignal.any([startup.signal, refused.signal]);
  const until = performance.now() + podMilliseconds;
  try {
    for (;;) {
      const [pod] = await kube.listPods(`${nameLabel}=${name}`, signal);
      const podName = pod?.metadata?.name;
      if (podName !== undefined) {
        const node = pod?.spec?.nodeName ?? "";
        return { kube, namespace, pod: podName, uid: pod?.metadata?.uid ?? "", node, kind: "own" };
      }
      if (performance.now() > until) throw noPod(namespace, name);
      await pause(lookMilliseconds, signal);
    }
  } finally {
    over.abort();
    await following;
  }
}

/** `Error creating: pods "mirrord-agent-x-y" is forbidden: exceeded quota: …` */
function explainRefusal(namespace: string, said: string): DeployError {
  const state = said.replace(/^Error creating: /, "").replace(/^pods "[^"]*" is forbidden: /, "");
  return new DeployError(`Cannot start the agent: the namespace "${namespace}" refuses its pod: ${state}`, {
    help: /quota|LimitRange|per (Container|Pod)/i.test(state)
      ? "Free some of it, ask for less with agent.resources, or name another namespace with agent.namespace."
      : "Set what it asks for (agent.labels, agent.service_account, …), or name another namespace with agent.namespace.",
    exitCode: exitCodes.permission,
  });
}

function noPod(namespace: string, name: string): DeployError {
  const events = `kubectl get events --namespace ${namespace} --field-selector involvedObject.name=${name}`;
  return new DeployError(
    `Cannot start the agent: Kubernetes made no pod for the Job "${name}" in ${podMilliseconds / 1000} s`,
    { help: `A quota or a policy of the namespace may forbid it. Find the reason: ${events}` },
  );
}

/** Best effort: a Job that stays goes by itself, soon after its agent has missed the session. */
async function removeJob(
  { kube, namespace }: ClusterTarget,
  name: string,
  ttlSeconds: number,
): Promise<void> {
  try {
    await kube.deleteJob(name, AbortSignal.timeout(removeMilliseconds));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    log.warning(
      `The agent's Job "${name}" in the namespace "${namespace}" is removed by Kubernetes ${ttlSeconds} s after its end: ${why}`,
    );
  }
}
