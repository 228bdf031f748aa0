// Watches the agent's container from its adding to its end. Owned by ephemeral.ts and job.ts.
// What goes wrong before it runs (image, admission, start) becomes one DeployError that says what to do.

import { readAnnouncement } from "../../protocol-wasm/mod.ts";
import { DeployError, exitCodes } from "../base/errors.ts";
import { log } from "../base/log.ts";
import type { KubeClient, V1ContainerStateTerminated, V1Pod } from "../kube/client.ts";
import { followEvents } from "./events.ts";
import { imageHelp } from "./payload.ts";
import type { Startup } from "./startup.ts";

/** Where the agent's container is. */
export interface AgentPlace {
  kube: KubeClient;
  namespace: string;
  pod: string;
  uid: string;
  /** "": not known before the pod is scheduled. */
  node: string;
  /** An ephemeral container of a pod that was there, or the one container of the agent's own pod. */
  kind: "ephemeral" | "own";
  /** It runs the target's image, and the agent is sent to it. */
  sent?: boolean;
}

/**
 * 128 + SIGKILL: the end of process 1 of the target's container kills all that share its process namespace
 * (pid_namespaces(7)).
 */
const killed = 137;

/** The agent's container ended, or will never run. */
export class AgentEnded extends Error {
  /** The exit code; undefined: it never ran, or the pod is gone. */
  readonly code: number | undefined;
  readonly #help: string | undefined;

  constructor(message: string, options: { code?: number | undefined; help?: string | undefined } = {}) {
    super(message);
    this.code = options.code;
    this.#help = options.help;
  }

  /** For the user. */
  explain(): DeployError {
    return new DeployError(`Cannot start the agent: ${this.message}`, {
      ...(this.#help === undefined ? {} : { help: this.#help }),
      exitCode: this.code === exitCodes.permission ? exitCodes.permission : exitCodes.unavailable,
    });
  }
}

/** Runs a start to its end, and its time limit with it; the end of its container is explained to the user. */
export async function explained<Value>(startup: Startup, start: () => Promise<Value>): Promise<Value> {
  try {
    return await start();
  } catch (error) {
    throw error instanceof AgentEnded ? error.explain() : error;
  } finally {
    startup[Symbol.dispose]();
  }
}

/** The end in the agent's own words: the last lines of its log, without what it merely reported. */
function endOf(
  { exitCode, message, reason }: V1ContainerStateTerminated,
  { kind, sent = false }: AgentPlace,
): AgentEnded {
  if (sent && noShell.test(message ?? "")) return withoutShell();
  const lines = (message ?? "").trim().split("\n").filter((line) =>
    line !== "" && !line.startsWith("info: ") && readAnnouncement(line) === null
  );
  const said = lines.slice(-3).join("; ") ||
    (exitCode === killed && reason !== "OOMKilled"
      ? `it was killed, as happens when ${
        kind === "own" ? "its pod is deleted" : "the target's container ends or restarts"
      }`
      : reason || "no output");
  return new AgentEnded(`it ended with code ${exitCode}: ${said}`, {
    code: exitCode,
    // An agent of another release does not know how this one starts it.
    help: exitCode === exitCodes.usage
      ? "Check that agent.image is of this release."
      : sent && notStarted.has(exitCode)
      ? imageHelp
      : undefined,
  });
}

/** In the runtime's words (runc, crun) that an image has no program "sh". */
const noShell = /"sh"[^\n]*(not found|no such file)|executable `sh`[^\n]*not found/i;
/**
 * A sent agent did not begin: its shell line refused, a shell could not run it, the runtime could not start
 * it.
 */
const notStarted = new Set<number>([exitCodes.notExecutable, exitCodes.notFound, 128]);

function withoutShell(): AgentEnded {
  return new AgentEnded("the target's image has no shell to which the agent can be sent", {
    help: imageHelp,
  });
}

/**
 * Between two looks at a pod that may not be watched: while the agent starts, and once the session has it.
 */
const startingMilliseconds = 500;
const settledMilliseconds = 10_000;

/** Waiting reasons that do not go away by waiting (kubelet's container states). */
const hopeless = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "ErrImageNeverPull",
  "InvalidImageName",
  "CreateContainerError",
  "CreateContainerConfigError",
  "RunContainerError",
  "CrashLoopBackOff",
]);

/** The container named `name`, from now on. Dispose it to stop watching; that does not end the container. */
export class AgentContainer implements AsyncDisposable {
  /**
   * Resolves when it runs; rejects with AgentEnded. Not with the end of the start: a caller that waits has a
   * signal for that, and the container may still have to be sent away.
   */
  readonly running: Promise<void>;
  /** Aborted with AgentEnded when it ended. */
  readonly ended: AbortSignal;
  readonly #place: AgentPlace;
  readonly name: string;
  readonly #image: string;
  readonly #startup: Startup;
  readonly #ended = new AbortController();
  readonly #stop = new AbortController();
  readonly #started = Promise.withResolvers<void>();
  readonly #watching: Promise<void>;
  #isRunning = false;
  #isSettled = false;
  #node: string;

  constructor(place: AgentPlace, name: string, image: string, startup: Startup) {
    this.#place = place;
    this.#node = place.node;
    this.name = name;
    this.#image = image;
    this.#startup = startup;
    this.ended = this.#ended.signal;
    this.running = this.#started.promise;
    this.running.catch(() => {}); // a rejection that nothing may ever await
    this.#watching = Promise.all([this.#watch(), this.#follow()]).then(() => {});
  }

  get isRunning(): boolean {
    return this.#isRunning && !this.ended.aborted;
  }

  /** The session has its link: of the container only its end matters now, and the link tells of that too. */
  settle(): void {
    this.#isSettled = true;
    this.#isRunning = true;
    this.#started.resolve();
  }

  /** Nothing will come of it. */
  giveUp(reason: AgentEnded): void {
    this.#end(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#watching;
  }

  /** Until it runs or never will. */
  async #follow(): Promise<void> {
    const settled = new AbortController();
    const stop = () => settled.abort();
    this.running.then(stop, stop);
    const signal = AbortSignal.any([settled.signal, this.#stop.signal]);
    const { kind } = this.#place;
    const container = `spec.${kind === "own" ? "containers" : "ephemeralContainers"}{${this.name}}`;
    // What is about no container is about the pod: of its own it says whether a node was found.
    const fields = kind === "own" ? [container, undefined] : [container];
    await followEvents(this.#place, fields, signal, ({ text, noImage }) => {
      if (noImage) this.#end(this.#explain("ErrImagePull", text));
      else this.#startup.saw(text);
    });
  }

  /** Until it ended or the watch is given up: after the start only its end matters. */
  async #watch(): Promise<void> {
    const { kube, pod } = this.#place;
    try {
      const every = () => this.#isSettled ? settledMilliseconds : startingMilliseconds;
      for await (const state of kube.watchPod(pod, this.#stop.signal, every)) {
        if (this.#look(state)) return;
      }
      this.#end(new AgentEnded(`the pod "${pod}" was deleted`));
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      if (this.#isRunning) log.debug(`Cannot watch the pod any longer: ${error}`);
      this.#started.reject(error);
    }
  }

  /** True: it is over. */
  #look(pod: V1Pod): boolean {
    const { uid, pod: name, kind } = this.#place;
    if (pod.metadata?.uid !== uid) return this.#end(new AgentEnded(`the pod "${name}" was replaced`));
    this.#node ||= pod.spec?.nodeName ?? "";
    const { containerStatuses, ephemeralContainerStatuses, phase, reason: why, message } = pod.status ?? {};
    const statuses = kind === "own" ? containerStatuses : ephemeralContainerStatuses;
    const state = statuses?.find((one) => one.name === this.name)?.state;
    if (state?.terminated !== undefined) {
      return this.#end(endOf(state.terminated, this.#place));
    }
    // The node refused it, evicted it, or its time ran out: of such a pod no container tells.
    if (kind === "own" && phase === "Failed") {
      return this.#end(new AgentEnded(`its pod failed (${[why, message].filter(Boolean).join(": ")})`));
    }
    if (state?.running !== undefined && !this.#isRunning) {
      this.#isRunning = true;
      this.#started.resolve();
    }
    const reason = state?.waiting?.reason;
    if (reason === undefined) return false;
    this.#startup.heard(`${reason}${state?.waiting?.message ? `: ${state.waiting.message}` : ""}`);
    return hopeless.has(reason) && this.#end(this.#explain(reason, state?.waiting?.message ?? ""));
  }

  #end(reason: AgentEnded): true {
    this.#ended.abort(reason);
    this.#started.reject(reason);
    return true;
  }

  #explain(reason: string, message: string): AgentEnded {
    const image = this.#image;
    const detail = message === "" ? reason : `${reason}: ${message.slice(0, 500)}`;
    if (/Image/.test(reason)) {
      return new AgentEnded(`the node "${this.#node}" cannot get the image "${image}" (${detail})`, {
        help:
          "Name an image that the cluster can pull with agent.image or --agent-image, or load this one into the " +
          `nodes: "kind load image-archive FILE", "minikube image load FILE", "ctr -n k8s.io images import FILE".` +
          (this.#place.kind === "ephemeral"
            ? " Or send the agent, without an image: --agent-image target."
            : " Without a target there is no container into which it could be sent."),
      });
    }
    if (this.#place.sent === true && noShell.test(message)) return withoutShell();
    return new AgentEnded(`the node "${this.#node}" cannot start its container (${detail})`, {
      help: `Look at: kubectl describe pod ${this.#place.pod} --namespace ${this.#place.namespace}`,
    });
  }
}
