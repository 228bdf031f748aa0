// A stage on the cluster: a Kubernetes namespace of the test file's own with targets out of
// tests/cluster/workloads.yaml and the client pod. Used by tests/e2e. What only the machine of the test
// cluster can show (a BPF link, the agent's process number) is looked at where that machine is this one.

import assert from "node:assert/strict";
import { parseAllDocuments, stringify } from "yaml";
import {
  type ClusterAccess,
  clusterAccess,
  importImage,
  inNetns,
  kubectl,
  kubectlCommand,
  tryKubectl,
} from "../cluster/access.ts";
import { attempt, type Finished, until } from "../cluster/command.ts";
import { releaseImage } from "../../core/config/agent_image.ts";
import { kubeconfigPath, sourceDir } from "../cluster/layout.ts";
import { betterRules, type Rule, writeUser } from "./kube_users.ts";
import { agentPids, agentRemains, processIn, readOrEmpty } from "./local_remains.ts";
import type { Order, Stage } from "./stage.ts";
import { whenKilled } from "./when_killed.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** Variables that every container of the workloads gets besides its own. */
const variables = [
  { name: "GREETING", value: "from-the-pod" },
  { name: "SECRET_TOKEN", value: "hidden-in-the-pod" },
];

const access = await clusterAccess();

/** Why there is no cluster to test on; null when there is one. */
export const missingCluster: string | null = access === null
  ? "no cluster is up: ./dev cluster up, or MIRRORD_TEST_KUBECONFIG"
  : null;

/** Why the node's own processes cannot be looked at; null when the node is this machine. */
export const missingNode: string | null = access === null || access.kubeconfig !== kubeconfigPath()
  ? missingCluster ?? "the cluster's node is another machine"
  : null;

/** A Kubernetes object as far as the tests read it. */
export interface KubeObject {
  kind: string;
  metadata: { name: string; labels?: Record<string, string> };
  // deno-lint-ignore no-explicit-any -- shapes of many kinds, read field by field
  spec?: any;
  // deno-lint-ignore no-explicit-any -- as above
  status?: any;
}

/** The agent's image on the test cluster's node; on another cluster MIRRORD_TEST_AGENT_IMAGE names it. */
export const agentImage: string = Deno.env.get("MIRRORD_TEST_AGENT_IMAGE") ?? releaseImage;

const imageVariable = "MIRRORD_AGENT_IMAGE";
/** Put after a stage's prefix: nothing names the agent's image, or the configuration file does. */
export const withoutImage: readonly string[] = ["env", "-u", imageVariable];

let imported = false;

/** Makes the built agent's image known to the node, once; on another cluster the user has done that. */
export async function importAgent(): Promise<void> {
  if (imported || missingNode !== null) return;
  imported = true;
  await importImage(`${root}dist/mirrord-agent.tar`);
}

export interface ClusterStageOptions {
  /** The target, and the app label of its pod: "app" unless given. Its Service has that name too. */
  target?: string;
  /** Names in workloads.yaml to apply besides the target and `client`. */
  others?: string[];
  /** The target's path; `deployment/<target>` unless given. */
  path?: string;
  /** The clients are in the target's pod, and dial 127.0.0.1. */
  inside?: boolean;
  /**
   * The rights of the user who runs mirrord: with those that docs/rbac.md calls better a session starts up to
   * a second sooner. Tests of rights, refusals and ends have the smallest role.
   */
  rules?: Rule[];
  /** The agent is sent, as it is where no image is named: its own is not made known to the node. */
  sends?: boolean;
  /** Labels of the namespace. */
  labels?: Record<string, string>;
  /** Changes an object before it is applied. */
  change?(object: KubeObject): void;
  /** Objects applied with them. */
  extra?: unknown[];
}

export class ClusterStage implements Stage {
  readonly kind = "pod";
  readonly namespace: string;
  readonly access: ClusterAccess;
  /** Of a user who may what docs/rbac.md says and nothing else. */
  readonly kubeconfig: string = Deno.makeTempFileSync({ prefix: "mirrord-kubeconfig-" });
  prefix: string[] = [];
  hosts: { ipv4: string; ipv6: string } = { ipv4: "", ipv6: "" };
  addresses: { ipv4: string; ipv6: string } = { ipv4: "", ipv6: "" };
  clients: { ipv4: string; ipv6: string } = { ipv4: "", ipv6: "" };
  readonly #target: string;
  readonly #path: string;
  readonly #sends: boolean;
  readonly #inPod: boolean;
  #before = new Set<string>();
  #netns = "";
  /** Puts a program where the clients are; empty where they can only be asked through the cluster. */
  #clientPlace: string[] = [];
  #end: AsyncDisposable | null = null;

  private constructor(found: ClusterAccess, options: ClusterStageOptions) {
    this.access = found;
    this.namespace = `mirrord-e2e-${crypto.randomUUID().slice(0, 8)}`;
    this.#target = options.target ?? "app";
    this.#inPod = options.inside === true;
    this.#sends = options.sends === true;
    this.#path = options.path ?? `deployment/${this.#target}`;
  }

  /** Resolves when the target answers and the client can ask. */
  static async create(options: ClusterStageOptions = {}): Promise<ClusterStage> {
    if (access === null) throw new Error("there is no cluster");
    if (options.sends !== true) await importAgent();
    const stage = new ClusterStage(access, options);
    const labels = { "mirrord-test": "e2e", ...options.labels };
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: stage.namespace, labels } };
    stage.#end = whenKilled(await kubectlCommand(stage.#removal()));
    try {
      await kubectl(["apply", "-f", "-"], { stdin: JSON.stringify(namespace) });
      await writeUser(stage, "developer", options.rules ?? betterRules, stage.kubeconfig);
      await stage.#apply(options);
      await stage.#look();
      return stage;
    } catch (error) {
      await stage[Symbol.asyncDispose]();
      throw error;
    }
  }

  get targetFlags(): string[] {
    return this.flags(this.#path);
  }

  /** Flags of `mirrord exec` for another target of this namespace, or with another kubeconfig. */
  flags(path: string, kubeconfig: string = this.kubeconfig): string[] {
    return ["--kubeconfig", kubeconfig, "--target-namespace", this.namespace, "--target", path];
  }

  /** kubectl in the stage's namespace. */
  async kubectl(...args: string[]): Promise<string> {
    return await kubectl(["--namespace", this.namespace, ...args]);
  }

  /** The same for a failure that the test expects. */
  async tryKubectl(...args: string[]): Promise<Finished> {
    return await tryKubectl(["--namespace", this.namespace, ...args]);
  }

  /** Applies objects in the stage's namespace. */
  async apply(objects: unknown[]): Promise<void> {
    const text = objects.map((object) => stringify(object)).join("---\n");
    await kubectl(["--namespace", this.namespace, "apply", "-f", "-"], { stdin: text });
  }

  /** Sets a label of the namespace (NAME=VALUE), or takes one away (NAME-). */
  async label(label: string): Promise<void> {
    await kubectl(["label", "--overwrite", "namespace", this.namespace, label]);
  }

  /** The target's pod as it is now; undefined when it is gone. */
  async pod(): Promise<KubeObject | undefined> {
    const list = await this.kubectl("get", "pod", "--selector", `app=${this.#target}`, "-o", "json");
    const pods = (JSON.parse(list) as { items: KubeObject[] }).items;
    return pods[0];
  }

  async podName(): Promise<string> {
    const pod = await this.pod();
    assert.ok(pod !== undefined, "the target has no pod");
    return pod.metadata.name;
  }

  /** In the clients' namespace itself where the node is this machine: kubectl exec costs more than asking. */
  async ask(order: Order): Promise<unknown> {
    if (this.#clientPlace.length > 0) {
      const argv = ["/usr/bin/python3", `${root}tests/apps/client.py`, JSON.stringify(order)];
      const { code, stdout, stderr } = await attempt([...this.#clientPlace, ...argv]);
      assert.equal(code, 0, stderr);
      return JSON.parse(stdout);
    }
    const script = await Deno.readTextFile(`${root}tests/apps/client.py`);
    const pod = this.#inPod ? await this.podName() : "client";
    const place = ["exec", "--stdin", pod, "--", "python3", "-", JSON.stringify(order)];
    const { code, stdout, stderr } = await tryKubectl(["--namespace", this.namespace, ...place], {
      stdin: script,
    });
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  }

  /** Puts a program where the clients are without asking the cluster again; the node must be this machine. */
  async clientPlace(): Promise<string[]> {
    const netns = (await this.kubectl("exec", "client", "--", "readlink", "/proc/self/ns/net")).trim();
    const pid = await processIn(netns);
    if (pid !== undefined) return ["nsenter", `--net=/proc/${pid}/ns/net`, "--"];
    throw new Error(`Cannot find the clients' namespace "${netns}": no process of this machine is in it`);
  }

  async identity(): Promise<string> {
    const pod = await this.pod();
    const containers = pod?.status?.containerStatuses ?? [];
    return [
      pod?.metadata.name,
      ...containers.map((one: { containerID: string; restartCount: number }) =>
        `${one.containerID} ${one.restartCount}`
      ),
    ].join(", ");
  }

  async remains(): Promise<string[]> {
    const [agents, added] = await Promise.all([this.#runningAgents(), this.#added()]);
    const processes = missingNode === null ? await agentRemains(this.#netns) : [];
    return [...agents, ...added, ...processes];
  }

  /** Process numbers of the agents in the target's pod, on this machine. */
  async agents(): Promise<number[]> {
    return await agentPids(this.#netns);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.kubeconfig);
    await kubectl(this.#removal());
    await this.#end?.[Symbol.asyncDispose]();
  }

  #removal(): string[] {
    return ["delete", "namespace", this.namespace, "--wait=false", "--ignore-not-found"];
  }

  async #apply(options: ClusterStageOptions): Promise<void> {
    const names = ["client", this.#target, ...(options.others ?? [])];
    const documents = parseAllDocuments(await Deno.readTextFile(sourceDir("workloads.yaml")));
    const objects = documents.map((document) => document.toJS() as KubeObject)
      .filter((object) => names.includes(object.metadata.name));
    for (const object of objects) {
      for (const container of object.spec?.template?.spec.containers ?? object.spec?.containers ?? []) {
        container.env = [...variables, ...(container.env ?? [])];
      }
      options.change?.(object);
    }
    await this.apply([...(options.extra ?? []), ...objects]);
    if (objects.some(({ kind }) => kind === "Deployment")) {
      await this.kubectl("wait", "--for=condition=Available", "deployment", "--all", "--timeout=180s");
    }
    await this.kubectl("wait", "--for=condition=Ready", "pod", "--all", "--timeout=180s");
  }

  /** Learns addresses and what is at the target before mirrord comes. */
  async #look(): Promise<void> {
    // A variable, since not every command has the flag.
    this.prefix = [...await inNetns([]), ...(this.#sends ? [] : ["env", `${imageVariable}=${agentImage}`])];
    const client = JSON.parse(await this.kubectl("get", "pod", "client", "-o", "json")) as KubeObject;
    this.clients = byFamily((client.status.podIPs as { ip: string }[]).map(({ ip }) => ip));
    await this.lookAgain();
    if (this.#inPod) {
      this.hosts = this.clients = { ipv4: "127.0.0.1", ipv6: "" };
      return;
    }
    if (missingNode === null) this.#clientPlace = await this.clientPlace();
    const found = await this.tryKubectl("get", "service", this.#target, "-o", "json");
    this.hosts = found.code === 0
      ? byFamily((JSON.parse(found.stdout) as KubeObject).spec.clusterIPs)
      : this.addresses;
  }

  /**
   * Takes the target's present state for what it is without mirrord; after its pod was replaced on purpose.
   */
  async lookAgain(): Promise<void> {
    const podIPs: { ip: string }[] = (await this.pod())?.status.podIPs ?? [];
    this.addresses = byFamily(podIPs.map(({ ip }) => ip));
    const containers: { ports?: unknown[] }[] = (await this.pod())?.spec.containers ?? [];
    const ports = containers.flatMap((one) => one.ports ?? []).length;
    this.#netns = "";
    await until("the originals listen", async () => {
      const inside = await this.#inside(); // a container without a probe is ready before it listens
      this.#netns = inside.netns;
      this.#before = new Set(inside.found);
      return inside.found.length >= ports || inside.found.join("\n");
    });
  }

  async #added(): Promise<string[]> {
    return (await this.#inside()).found.filter((line) => !this.#before.has(line));
  }

  /** The target's network namespace, its listening sockets and the locks of stolen ports. */
  async #inside(): Promise<{ netns: string; found: string[] }> {
    const [netns = "", ...lines] = (await this.#tables()).split("\n");
    const sockets = lines.filter((line) => line.includes(" 0A ")).map((line) => line.trim().split(/\s+/))
      .map((words) => `listener ${words[1]} ${words[9]}`);
    return { netns, found: [...sockets, ...lines.filter((line) => line.includes("@mirrord/"))] };
  }

  /** The namespace's name and the kernel's tables of it; from a process in it where that is here. */
  async #tables(): Promise<string> {
    const names = ["tcp", "tcp6", "unix"];
    const near = this.#netns === "" || missingNode !== null ? undefined : await processIn(this.#netns);
    if (near !== undefined) {
      const read = await Promise.all(names.map((name) => readOrEmpty(`/proc/${near}/net/${name}`)));
      if (read.every((table) => table !== "")) return [this.#netns, ...read].join("\n");
    }
    const script = `readlink /proc/self/ns/net; cd /proc/net; cat ${names.join(" ")}`;
    return await this.kubectl("exec", await this.podName(), "--", "sh", "-c", script);
  }

  /**
   * Agents that run or will. One whose image cannot be had or has no shell never does, and Kubernetes removes
   * none.
   */
  async #runningAgents(): Promise<string[]> {
    type Status = { name: string; state: { terminated?: unknown; waiting?: { reason?: string } } };
    const pod = await this.pod();
    const specs: { name: string }[] = pod?.spec.ephemeralContainers ?? [];
    const statuses: Status[] = pod?.status.ephemeralContainerStatuses ?? [];
    return specs.flatMap(({ name }) => {
      const state = statuses.find((one) => one.name === name)?.state;
      const over = state?.terminated !== undefined ||
        /Image|RunContainerError/.test(state?.waiting?.reason ?? "");
      return over ? [] : [`container ${name} ${JSON.stringify(state)}`];
    });
  }
}

function byFamily(addresses: string[]): { ipv4: string; ipv6: string } {
  return {
    ipv4: addresses.find((address) => !address.includes(":")) ?? "",
    ipv6: addresses.find((address) => address.includes(":")) ?? "",
  };
}
