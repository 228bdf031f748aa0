// Watches the agent's container from its adding to its end. Owned by ephemeral.ts.
// What goes wrong before it runs (image, admission, start) becomes one DeployError that says what to do.

import { DeployError, exitCodes } from "../base/errors.ts";
import { log } from "../base/log.ts";
import type { V1ContainerStateTerminated, V1Pod } from "../kube/client.ts";
import type { PodTarget } from "../target/target.ts";
import { followEvents } from "./events.ts";
import type { Startup } from "./startup.ts";

/** 128 + SIGKILL: the end of process 1 of the target's container kills all that share its process namespace (pid_namespaces(7)). */
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

/** The end in the agent's own words: the last lines of its log, without what it merely reported. */
function endOf({ exitCode, message, reason }: V1ContainerStateTerminated): AgentEnded {
  const lines = (message ?? "").trim().split("\n").filter((line) =>
    line !== "" && !line.startsWith("info: ")
  );
  const said = lines.slice(-3).join("; ") ||
    (exitCode === killed && reason !== "OOMKilled"
      ? "it was killed, as happens when the target's container ends or restarts"
      : reason || "nothing was said");
  return new AgentEnded(`it ended with code ${exitCode}: ${said}`, { code: exitCode });
}

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
  /** Resolves when it runs; rejects with AgentEnded, or when the start-up is aborted. */
  readonly running: Promise<void>;
  /** Aborted with AgentEnded when it ended. */
  readonly ended: AbortSignal;
  readonly #target: PodTarget;
  readonly #name: string;
  readonly #image: string;
  readonly #startup: Startup;
  readonly #ended = new AbortController();
  readonly #stop = new AbortController();
  readonly #started = Promise.withResolvers<void>();
  readonly #watching: Promise<void>;
  #isRunning = false;

  constructor(target: PodTarget, name: string, image: string, startup: Startup) {
    this.#target = target;
    this.#name = name;
    this.#image = image;
    this.#startup = startup;
    this.ended = this.#ended.signal;
    this.running = this.#started.promise;
    this.running.catch(() => {}); // whoever awaits it gets it; nobody may ever do
    startup.signal.addEventListener("abort", this.#abort);
    this.#watching = Promise.all([this.#watch(), this.#follow()]).then(() => {});
  }

  get isRunning(): boolean {
    return this.#isRunning && !this.ended.aborted;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#startup.signal.removeEventListener("abort", this.#abort);
    this.#stop.abort();
    await this.#watching;
  }

  readonly #abort = (): void => this.#started.reject(this.#startup.signal.reason);

  /** Until it runs or never will. */
  async #follow(): Promise<void> {
    const settled = new AbortController();
    const stop = () => settled.abort();
    this.running.then(stop, stop);
    const signal = AbortSignal.any([settled.signal, this.#stop.signal]);
    await followEvents(this.#target, this.#name, signal, ({ text, noImage }) => {
      if (noImage) this.#end(this.#explain("ErrImagePull", text));
      else this.#startup.saw(text);
    });
  }

  /** Until it ended or nobody wants to know: after the start only its end matters. */
  async #watch(): Promise<void> {
    const { kube, pod } = this.#target;
    try {
      for await (const state of kube.watchPod(pod, this.#stop.signal)) {
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
    const { uid, pod: name } = this.#target;
    if (pod.metadata?.uid !== uid) return this.#end(new AgentEnded(`the pod "${name}" was replaced`));
    const state = pod.status?.ephemeralContainerStatuses?.find((one) => one.name === this.#name)?.state;
    if (state?.terminated !== undefined) {
      return this.#end(endOf(state.terminated));
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
      return new AgentEnded(`the node "${this.#target.node}" cannot get the image "${image}" (${detail})`, {
        help:
          "Name an image that the cluster can pull with agent.image or --agent-image, or load this one into the " +
          `nodes: "kind load image-archive FILE", "minikube image load FILE", "ctr -n k8s.io images import FILE".`,
      });
    }
    return new AgentEnded(`the node "${this.#target.node}" cannot start its container (${detail})`, {
      help: `Look at: kubectl describe pod ${this.#target.pod} --namespace ${this.#target.namespace}`,
    });
  }
}
