// The calls to the Kubernetes API that mirrord makes, and no other. Called by target/ and deploy/.
// Every failure is a KubeError whose text names what was asked for; a 403 names the verb and the resource that the
// user's role lacks.

import type { V1ContainerStateTerminated } from "@kubernetes/client-node/dist/gen/models/V1ContainerStateTerminated.js";
import type { V1Deployment } from "@kubernetes/client-node/dist/gen/models/V1Deployment.js";
import type { V1EphemeralContainer } from "@kubernetes/client-node/dist/gen/models/V1EphemeralContainer.js";
import type { CoreV1Event } from "@kubernetes/client-node/dist/gen/models/CoreV1Event.js";
import type { V1Namespace } from "@kubernetes/client-node/dist/gen/models/V1Namespace.js";
import type { V1Pod } from "@kubernetes/client-node/dist/gen/models/V1Pod.js";
import type { V1ReplicaSet } from "@kubernetes/client-node/dist/gen/models/V1ReplicaSet.js";
import type { LinkStream } from "../../protocol-wasm/mod.ts";
import { ApiError, unreachable } from "./api_error.ts";
import { type KubeContext, type KubeOptions, loadKubeContext } from "./kubeconfig.ts";
import { openPortForward } from "./port_forward.ts";
import { jsonLines, pause, type Purpose, Transport } from "./transport.ts";

export type {
  CoreV1Event,
  V1ContainerStateTerminated,
  V1Deployment,
  V1EphemeralContainer,
  V1Pod,
  V1ReplicaSet,
};

/** Between two looks at a pod that may not be watched. */
const pollMilliseconds = 500;

/** One context of a cluster. Dispose it to close its connections. */
export class KubeClient implements Disposable {
  readonly namespace: string;
  readonly contextName: string;
  readonly server: string;
  readonly #context: KubeContext;
  readonly #transport: Transport;

  constructor(context: KubeContext) {
    this.#context = context;
    this.#transport = new Transport(context);
    this.namespace = context.namespace;
    this.contextName = context.name;
    this.server = context.server;
  }

  /** Loads the kubeconfig; asks nothing of the server yet. */
  static async open(options: KubeOptions): Promise<KubeClient> {
    return new KubeClient(await loadKubeContext(options));
  }

  async getPod(name: string, signal?: AbortSignal): Promise<V1Pod> {
    const purpose: Purpose = { action: `read the pod "${name}"`, verb: "get", resource: "pods" };
    return await this.#transport.json({ purpose, path: this.#core(`pods/${name}`), signal });
  }

  /** Pods of the namespace; `labels` is a label selector, "" = all. */
  async listPods(labels = "", signal?: AbortSignal): Promise<V1Pod[]> {
    const purpose: Purpose = { action: "list pods", verb: "list", resource: "pods" };
    return await this.#transport.list({
      purpose,
      path: this.#core("pods"),
      query: { labelSelector: labels },
      signal,
    });
  }

  async getDeployment(name: string, signal?: AbortSignal): Promise<V1Deployment> {
    const purpose: Purpose = {
      action: `read the deployment "${name}"`,
      verb: "get",
      resource: "deployments",
      group: "apps",
    };
    return await this.#transport.json({ purpose, path: this.#apps(`deployments/${name}`), signal });
  }

  async listDeployments(signal?: AbortSignal): Promise<V1Deployment[]> {
    const purpose: Purpose = {
      action: "list deployments",
      verb: "list",
      resource: "deployments",
      group: "apps",
    };
    return await this.#transport.list({ purpose, path: this.#apps("deployments"), signal });
  }

  /** Names of the namespaces that there are, sorted; the right to list them is not part of mirrord's role. */
  async listNamespaces(signal?: AbortSignal): Promise<string[]> {
    const purpose: Purpose = { action: "list namespaces", verb: "list", resource: "namespaces" };
    const list = await this.#transport.list<V1Namespace>({ purpose, path: "/api/v1/namespaces", signal });
    return list.map(({ metadata }) => metadata?.name ?? "").sort();
  }

  async getReplicaSet(name: string, signal?: AbortSignal): Promise<V1ReplicaSet> {
    const purpose: Purpose = {
      action: `read the replica set "${name}"`,
      verb: "get",
      resource: "replicasets",
      group: "apps",
    };
    return await this.#transport.json({ purpose, path: this.#apps(`replicasets/${name}`), signal });
  }

  async listReplicaSets(signal?: AbortSignal): Promise<V1ReplicaSet[]> {
    const purpose: Purpose = {
      action: "list replica sets",
      verb: "list",
      resource: "replicasets",
      group: "apps",
    };
    return await this.#transport.list({ purpose, path: this.#apps("replicasets"), signal });
  }

  /** False when the server says that there is no such namespace; who may not ask is believed that there is. */
  async namespaceExists(signal?: AbortSignal): Promise<boolean> {
    const purpose: Purpose = { action: "read the namespace", verb: "get", resource: "namespaces" };
    const path = `/api/v1/namespaces/${encodeURIComponent(this.namespace)}`;
    return await this.#transport.json({ purpose, path, signal }).then(
      () => true,
      (error) => !(error instanceof ApiError && error.status === 404),
    );
  }

  /** Events about the object with `uid`, oldest first. */
  async listEvents(uid: string, signal?: AbortSignal): Promise<CoreV1Event[]> {
    const purpose: Purpose = { action: "list events", verb: "list", resource: "events" };
    const query = { fieldSelector: `involvedObject.uid=${uid}` };
    return await this.#transport.list<CoreV1Event>({ purpose, path: this.#core("events"), query, signal });
  }

  /** Adds `container` to the running pod (strategic merge: others stay). Returns the pod as it is now. */
  async addEphemeralContainer(
    pod: string,
    container: V1EphemeralContainer,
    signal?: AbortSignal,
  ): Promise<V1Pod> {
    return await this.#transport.json({
      purpose: {
        action: `add an ephemeral container to the pod "${pod}"`,
        verb: "patch",
        resource: "pods/ephemeralcontainers",
      },
      method: "PATCH",
      path: this.#core(`pods/${pod}/ephemeralcontainers`),
      contentType: "application/strategic-merge-patch+json",
      body: { spec: { ephemeralContainers: [container] } },
      signal,
    });
  }

  /** Last `lines` lines of a container's log. */
  async readLog(pod: string, container: string, lines: number, signal?: AbortSignal): Promise<string> {
    const response = await this.#transport.call({
      purpose: { action: `read the log of the pod "${pod}"`, verb: "get", resource: "pods/log" },
      path: this.#core(`pods/${pod}/log`),
      query: { container, tailLines: String(lines), limitBytes: "65536" },
      signal,
    });
    return await response.text();
  }

  /**
   * The pod as it is now and each state that follows; ends when the pod is deleted. A watch that the server ends is
   * opened again; who may not watch looks at the pod again and again. Throws when `signal` aborts.
   */
  async *watchPod(name: string, signal: AbortSignal): AsyncGenerator<V1Pod> {
    const purpose: Purpose = { action: `watch the pod "${name}"`, verb: "watch", resource: "pods" };
    for (let mayWatch = true;;) {
      const pod = await this.getPod(name, signal).catch((error) => {
        if (error instanceof ApiError && error.status === 404) return undefined;
        throw error;
      });
      if (pod === undefined) return;
      yield pod;
      if (!mayWatch) {
        await pause(pollMilliseconds, signal);
        continue;
      }
      const query = {
        watch: "1",
        fieldSelector: `metadata.name=${name}`,
        resourceVersion: pod.metadata?.resourceVersion ?? "",
        timeoutSeconds: "240",
      };
      const call = { purpose, path: this.#core("pods"), query, streams: true, signal };
      const response = await this.#transport.call(call).catch((error) => {
        if (error instanceof ApiError && error.status === 403) return undefined;
        throw error;
      });
      if (response === undefined) {
        mayWatch = false;
        continue;
      }
      for await (const { type, object } of jsonLines<{ type: string; object: V1Pod }>(response)) {
        if (type === "DELETED") return;
        // ERROR: the resource version is too old (410); read the pod again and watch from there.
        if (type === "ERROR") break;
        if (type === "ADDED" || type === "MODIFIED") yield object;
      }
      signal.throwIfAborted();
    }
  }

  /** A stream to `port` on the loopback of `pod`. The pod's own answer (refused) is the stream's rejection. */
  async portForward(pod: string, port: number, signal?: AbortSignal): Promise<LinkStream> {
    const { headers, client } = await this.#transport.identity();
    const path = `${this.#core(`pods/${pod}/portforward`)}?ports=${port}`;
    return await openPortForward({
      url: this.#transport.url(path).replace(/^http/, "ws"),
      headers,
      client,
      signal,
      refused: (cause) => this.#explainUpgrade(pod, port, cause),
    });
  }

  [Symbol.dispose](): void {
    this.#transport[Symbol.dispose]();
  }

  #core(rest: string): string {
    return `/api/v1/namespaces/${encodeURIComponent(this.namespace)}/${rest}`;
  }

  #apps(rest: string): string {
    return `/apis/apps/v1/namespaces/${encodeURIComponent(this.namespace)}/${rest}`;
  }

  /** A failed WebSocket upgrade does not say why; the same request without the upgrade does. */
  async #explainUpgrade(pod: string, port: number, cause: unknown): Promise<Error> {
    try {
      const response = await this.#transport.call({
        purpose: {
          action: `forward a port of the pod "${pod}"`,
          verb: "create",
          resource: "pods/portforward",
        },
        path: this.#core(`pods/${pod}/portforward`),
        query: { ports: String(port) },
      });
      await response.body?.cancel();
    } catch (error) {
      // 400: "you must specify … upgrade", so the request itself was in order.
      if (error instanceof Error && !(error instanceof ApiError && error.status === 400)) return error;
    }
    return unreachable(this.#context, this.#transport.cause(cause), `forward a port of the pod "${pod}"`);
  }
}
