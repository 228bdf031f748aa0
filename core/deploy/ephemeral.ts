// The agent as an ephemeral container of the target's pod. Called by deploy.ts.
// An ephemeral container cannot be removed, only end: so the agent leaves by itself when no client comes, and what
// remains is the terminated entry in the pod's spec. It gets exactly the capabilities that the configuration needs.

import { DeployError, exitCodes, MirrordError } from "../base/errors.ts";
import { log } from "../base/log.ts";
import { ApiError } from "../kube/api_error.ts";
import { LinkError } from "../../protocol-wasm/mod.ts";
import type { V1EphemeralContainer, V1Pod } from "../kube/client.ts";
import type { PodTarget } from "../target/target.ts";
import { type AgentLink, NoAnswer, proveLink } from "./connect.ts";
import { AgentContainer, AgentEnded } from "./container.ts";
import type { Deployed, DeployNeeds } from "./deploy.ts";
import { agentArguments, type DeployOrder } from "./order.ts";

/** EADDRINUSE of Linux: an agent's exit code when another program of the pod has its port. */
const portTaken = 98;
/** Ports from which the agent's is chosen: below the kernel's ephemeral range (ip(7), ip_local_port_range). */
const firstPort = 20_000;
const ports = 10_000;
/** After so many sessions on one pod its entries are mentioned. */
const manyEntries = 25;
/** No container starts faster than this. */
const headStartMilliseconds = 150;
/** Waits between attempts to reach an agent that does not listen yet, in milliseconds; then the last again. */
const attempts = [50, 50, 100, 100, 150, 150, 200, 200, 300, 300, 500];
/** How long an agent that nobody connected to is looked for, to send it away. */
const recallMilliseconds = 3000;
const recallPauseMilliseconds = 100;

/** Adds the agent to the pod; `connect` waits until it answers. */
export async function deployEphemeral(target: PodTarget, order: DeployOrder): Promise<Deployed> {
  const { startup } = order;
  startup.phase(`Adding the agent to ${target.label}`);
  let port = randomPort();
  let container = await addContainer(target, order, port);
  let connected = false;
  return {
    async connect() {
      try {
        for (let again = true;; again = false) {
          try {
            const link = await connect(target, container, port, order);
            connected = true;
            return link;
          } catch (error) {
            if (!(error instanceof AgentEnded)) throw error;
            if (!isPortTaken(error) || !again) throw error.explain();
            log.debug(`Port ${port} is taken in the pod; trying another`);
            await container[Symbol.asyncDispose]();
            port = randomPort();
            container = await addContainer(target, order, port);
          }
        }
      } finally {
        startup[Symbol.dispose]();
      }
    },
    async [Symbol.asyncDispose]() {
      startup[Symbol.dispose]();
      if (!connected) await recall(target, container, port, order);
      await container[Symbol.asyncDispose]();
      target[Symbol.dispose]();
    },
  };
}

async function addContainer(target: PodTarget, order: DeployOrder, port: number): Promise<AgentContainer> {
  const { startup } = order;
  const name = `mirrord-agent-${randomName()}`;
  const container = ephemeralContainer(name, target, order, port);
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
  const entries = pod.spec?.ephemeralContainers?.length ?? 0;
  if (entries % manyEntries === 0) {
    log.warning(
      `The pod "${target.pod}" has ${entries} ephemeral containers in its spec: Kubernetes keeps them until it is replaced`,
    );
  }
  return new AgentContainer(target, name, container.image ?? "", startup);
}

/** The container's spec: no secret in it, never privileged, nothing but the capabilities that are needed. */
export function ephemeralContainer(
  name: string,
  target: Pick<PodTarget, "container" | "containerId">,
  order: DeployOrder,
  port: number,
): V1EphemeralContainer {
  const { config, needs } = order;
  return {
    name,
    image: config.image,
    imagePullPolicy: config.imagePullPolicy,
    targetContainerName: target.container,
    args: agentArguments(order, ["--listen", String(port), "--container-id", target.containerId]),
    env: [{ name: "MIRRORD_AGENT_LOG", value: config.logLevel }],
    securityContext: {
      privileged: false,
      allowPrivilegeEscalation: false,
      runAsUser: 0,
      runAsGroup: 0,
      runAsNonRoot: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"], add: capabilitiesFor(needs) },
      seccompProfile: { type: seccompFor(needs) },
    },
    terminationMessagePolicy: "FallbackToLogsOnError",
  };
}

/**
 * With the capabilities below the runtimes' default profile allows bpf(2); a stricter profile of the pod would be
 * inherited otherwise. It forbids unshare(2) without SYS_ADMIN, whatever is unshared, and a file thread needs a root of
 * its own: of the two, doing without the profile is the lesser right.
 */
function seccompFor({ files }: DeployNeeds): "RuntimeDefault" | "Unconfined" {
  return files === undefined ? "RuntimeDefault" : "Unconfined";
}

/**
 * What each feature needs: steal loads a program and attaches it to the network, mirror loads one for a packet socket of its
 * own, env and dns read another user's /proc entry. files enters the target's root and becomes its user; the rest is what root in a
 * container may do with files, of which the agent keeps what the target's process has.
 */
export function capabilitiesFor({ steal, mirror = false, env, dns = false, files }: DeployNeeds): string[] {
  const writing = files === "write" ? ["CHOWN", "FOWNER", "FSETID", "MKNOD"] : [];
  return [
    ...(steal || mirror ? ["BPF"] : []),
    ...(steal ? ["NET_ADMIN"] : []),
    ...(mirror ? ["NET_RAW"] : []),
    ...(env || dns || files !== undefined ? ["SYS_PTRACE"] : []),
    ...(files === undefined ? [] : ["SYS_CHROOT", "SETUID", "SETGID", "DAC_OVERRIDE", ...writing]),
  ];
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
      help: "Kubernetes has them since 1.25.",
      cause: error,
    });
  }
  return error;
}

/** Tries until the agent answers, the container ends, or the time is up. */
async function connect(
  target: PodTarget,
  container: AgentContainer,
  port: number,
  order: DeployOrder,
): Promise<AgentLink> {
  const { startup, key, needs } = order;
  const failed = new AbortController();
  container.running.catch((error) => failed.abort(error));
  const signal = AbortSignal.any([startup.signal, container.ended, failed.signal]);
  // The pod's status lags behind its containers by up to two seconds (kubelet's relist period): the agent is looked for
  // from the start.
  await runningOrPause(container, headStartMilliseconds, signal);
  for (let attempt = 0;; attempt++) {
    try {
      const stream = await target.kube.portForward(target.pod, port, signal);
      const agent = await proveLink(stream, { key, ...needs, signal });
      endWith(agent, container);
      return agent;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof NoAnswer)) throw error;
      const cause = error.cause instanceof Error ? error.cause.message : "";
      startup.heard(/refused/.test(cause) ? "the agent does not listen yet" : cause);
    }
    await pause(attempts[Math.min(attempt, attempts.length - 1)] ?? 500, signal);
  }
}

/**
 * The link ends with the container: another program of the pod that took the agent's port before it, and spoke as an
 * agent would, is found out when the agent's container ends for want of its port.
 */
function endWith({ link }: AgentLink, { ended }: AgentContainer): void {
  const end = () => link.close(new LinkError(`the agent's container ended: ${ended.reason.message}`));
  ended.addEventListener("abort", end);
  void link.closed.then(() => ended.removeEventListener("abort", end));
  if (ended.aborted) end();
}

/**
 * Best effort: an agent that was started for nothing is sent away at once rather than after its own limit. One that does
 * not run yet is waited for only when the user stopped the start: else it is why the start failed.
 */
async function recall(
  target: PodTarget,
  container: AgentContainer,
  port: number,
  order: DeployOrder,
): Promise<void> {
  if (container.ended.aborted || (!container.isRunning && !order.startup.stopped)) return;
  const signal = AbortSignal.any([AbortSignal.timeout(recallMilliseconds), container.ended]);
  try {
    while (!await sendAway(target, port, order, signal)) await pause(recallPauseMilliseconds, signal);
  } catch (error) {
    const limit = order.config.communicationTimeoutSeconds;
    const why = error instanceof MirrordError ? error.message : String(error);
    log.debug(`The agent leaves by itself within ${limit} s (${why})`);
  }
}

/** False: it does not answer yet. */
async function sendAway(
  target: PodTarget,
  port: number,
  order: DeployOrder,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const stream = await target.kube.portForward(target.pod, port, signal);
    await using link = await proveLink(stream, { key: order.key, steal: false, signal });
    log.debug(`The agent on Linux ${link.kernel} is sent away`);
    return true;
  } catch (error) {
    if (error instanceof NoAnswer) return false;
    throw error;
  }
}

/** Until the container runs, at most `milliseconds`; rejects when it cannot run, or with the signal's reason. */
async function runningOrPause(
  container: AgentContainer,
  milliseconds: number,
  signal: AbortSignal,
): Promise<void> {
  const runs = new AbortController();
  const pausing = pause(milliseconds, AbortSignal.any([signal, runs.signal]));
  await Promise.race([container.running, pausing.catch(() => {})]);
  runs.abort();
  signal.throwIfAborted();
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  const stop = () => resolve();
  signal.addEventListener("abort", stop);
  await promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", stop);
  signal.throwIfAborted();
}

/** By the exit code, or by the words that an agent leaves of its failed bind(2). */
function isPortTaken(error: AgentEnded): boolean {
  return error.code === portTaken || /bind: EADDRINUSE/.test(error.message);
}

function randomPort(): number {
  const [value = 0] = crypto.getRandomValues(new Uint32Array(1));
  return firstPort + value % ports;
}

/** Five of the letters that Kubernetes uses for generated names. */
function randomName(): string {
  const letters = "bcdfghjklmnpqrstvwxz2456789";
  return Array.from(crypto.getRandomValues(new Uint8Array(5)), (byte) => letters[byte % letters.length]).join(
    "",
  );
}
