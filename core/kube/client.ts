// The calls to the Kubernetes API that mirrord makes, and no other. Called by target/ and deploy/.
// Every failure is a KubeError whose text names what was asked for; a 403 names the verb and the resource
// that are missing in the user's role.

import type { V1ContainerStateTerminated } from "@kubernetes/client-node/dist/gen/models/V1ContainerStateTerminated.js";
import type { V1Deployment } from "@kubernetes/client-node/dist/gen/models/V1Deployment.js";
import type { V1EphemeralContainer } from "@kubernetes/client-node/dist/gen/models/V1EphemeralContainer.js";
import type { CoreV1Event } from "@kubernetes/client-node/dist/gen/models/CoreV1Event.js";
import type { V1Job } from "@kubernetes/client-node/dist/gen/models/V1Job.js";
import type { V1Namespace } from "@kubernetes/client-node/dist/gen/models/V1Namespace.js";
import type { V1Pod } from "@kubernetes/client-node/dist/gen/models/V1Pod.js";
import type { V1ReplicaSet } from "@kubernetes/client-node/dist/gen/models/V1ReplicaSet.js";
import type { V1SelfSubjectAccessReview } from "@kubernetes/client-node/dist/gen/models/V1SelfSubjectAccessReview.js";
import type { LinkStream } from "../../protocol-wasm/mod.ts";
import { ApiError, type Purpose, unreachable } from "./api_error.ts";
import { type KubeContext, type KubeOptions, loadKubeContext } from "./kubeconfig.ts";
import { openAttach } from "./attach.ts";
import { type AttachInput, openAttachInput } from "./attach_input.ts";
import { openPortForward } from "./port_forward.ts";
import { pause } from "../base/pause.ts";
import { jsonLines, textLines, Transport } from "./transport.ts";

export type {
  CoreV1Event,
  V1ContainerStateTerminated,
  V1Deployment,
  V1EphemeralContainer,
  V1Job,
  V1Pod,
  V1ReplicaSet,
};

const listingDeployments: Purpose = {
  action: "list deployments",
  verb: "list",
  resource: "deployments",
  group: "apps",
};
/** Between two looks at a pod that may not be watched, unless the caller has more time. */
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

  /** Pods of all namespaces; the right to list them is not part of mirrord's role. */
  async listPodsEverywhere(signal?: AbortSignal): Promise<V1Pod[]> {
    const purpose: Purpose = { action: "list pods", verb: "list", resource: "pods" };
    return await this.#transport.list({ purpose, path: "/api/v1/pods", signal });
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
    return await this.#transport.list({
      purpose: listingDeployments,
      path: this.#apps("deployments"),
      signal,
    });
  }

  /** Deployments of all namespaces; the right to list them is not part of mirrord's role. */
  async listDeploymentsEverywhere(signal?: AbortSignal): Promise<V1Deployment[]> {
    return await this.#transport.list({
      purpose: listingDeployments,
      path: "/apis/apps/v1/deployments",
      signal,
    });
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

  /** False when the server answers that there is no such namespace; true for a user who may not ask. */
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

  /** Makes a Job. Returns it as the server has it. */
  async createJob(job: V1Job, signal?: AbortSignal): Promise<V1Job> {
    return await this.#transport.json({
      purpose: { action: "create a Job", verb: "create", resource: "jobs", group: "batch" },
      method: "POST",
      path: this.#batch("jobs"),
      body: job,
      signal,
    });
  }

  /** Changes a Job; null in `change` takes a field away (RFC 7386). */
  async patchJob(name: string, change: unknown, signal?: AbortSignal): Promise<void> {
    await this.#transport.json({
      purpose: { action: `change the Job "${name}"`, verb: "patch", resource: "jobs", group: "batch" },
      method: "PATCH",
      path: this.#batch(`jobs/${name}`),
      contentType: "application/merge-patch+json",
      body: change,
      signal,
    });
  }

  /** Removes a Job, and its pods soon after it. One that is gone already is no failure. */
  async deleteJob(name: string, signal?: AbortSignal): Promise<void> {
    await this.#transport.json({
      purpose: { action: `remove the Job "${name}"`, verb: "delete", resource: "jobs", group: "batch" },
      method: "DELETE",
      path: this.#batch(`jobs/${name}`),
      body: { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy: "Background" },
      signal,
    }).catch((error) => {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    });
  }

  /** Asks the server whether this user may do that, to the object `name` ("" = any) of the namespace. */
  async mayDo(
    { verb, resource, group = "" }: { verb: string; resource: string; group?: string },
    name: string,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const [kind = "", subresource] = resource.split("/");
    const attributes = {
      namespace: this.namespace,
      verb,
      group,
      resource: kind,
      subresource,
      name: name || undefined,
    };
    const { status } = await this.#transport.json<V1SelfSubjectAccessReview>({
      purpose: {
        action: "ask what you may do",
        verb: "create",
        resource: "selfsubjectaccessreviews",
        group: "authorization.k8s.io",
      },
      method: "POST",
      path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
      body: {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SelfSubjectAccessReview",
        spec: { resourceAttributes: attributes },
      },
      signal,
    });
    // One that could not be found out is not a no.
    return status?.allowed !== false || Boolean(status.evaluationError);
  }

  /**
   * The lines of a container's log from its first on, as they come; ends with the container, or by `signal`.
   */
  async *followLog(pod: string, container: string, signal: AbortSignal): AsyncGenerator<string> {
    const response = await this.#transport.call({
      purpose: { action: `read the log of the pod "${pod}"`, verb: "get", resource: "pods/log" },
      path: this.#core(`pods/${pod}/log`),
      query: { container, follow: "true" },
      streams: true,
      signal,
    });
    yield* textLines(response.body);
  }

  /**
   * The lines that a running container writes to standard output from now on; ends with the container, or by
   * `signal`.
   */
  async *attach(pod: string, container: string, signal: AbortSignal): AsyncGenerator<string> {
    const output = await openAttach(await this.#attachment(pod, { container, stdout: "true" }, signal));
    yield* textLines(output);
  }

  /**
   * The standard input of a running container. Its output is asked for too: containerd ends an attachment
   * without at once.
   */
  async attachInput(pod: string, container: string, signal: AbortSignal): Promise<AttachInput> {
    return await openAttachInput(
      await this.#attachment(pod, { container, stdin: "true", stdout: "true" }, signal),
    );
  }

  /**
   * The pod as it is now and each state that follows; ends when the pod is deleted. A watch that the server
   * ends is opened again; without the right to watch, the pod is read `every` so many milliseconds. Throws
   * when `signal` aborts.
   */
  async *watchPod(
    name: string,
    signal: AbortSignal,
    every: () => number = () => pollMilliseconds,
  ): AsyncGenerator<V1Pod> {
    const purpose: Purpose = { action: `watch the pod "${name}"`, verb: "watch", resource: "pods" };
    for (let mayWatch = true;;) {
      const pod = await this.getPod(name, signal).catch((error) => {
        if (error instanceof ApiError && error.status === 404) return undefined;
        throw error;
      });
      if (pod === undefined) return;
      yield pod;
      if (!mayWatch) {
        await pause(every(), signal);
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
      try {
        for await (const { type, object } of jsonLines<{ type: string; object: V1Pod }>(response)) {
          if (type === "DELETED") return;
          // ERROR: the resource version is too old (410); read the pod again and watch from there.
          if (type === "ERROR") break;
          if (type === "ADDED" || type === "MODIFIED") yield object;
        }
      } finally {
        this.#transport.finish(response);
      }
      signal.throwIfAborted();
    }
  }

  /**
   * A stream to `port` on the loopback of `pod`. The pod's own answer (refused) is the stream's rejection.
   */
  async portForward(pod: string, port: number, signal?: AbortSignal): Promise<LinkStream> {
    const { headers, client } = await this.#transport.identity();
    const path = this.#core(`pods/${pod}/portforward`);
    const query = new URLSearchParams({ ports: String(port) });
    const action = `forward a port of the pod "${pod}"`;
    return await openPortForward({
      url: this.#transport.url(`${path}?${query}`),
      headers,
      client,
      connect: await this.#transport.connect(),
      port,
      signal,
      refused: (cause) => this.#explainUpgrade({ action, resource: "pods/portforward", path, query }, cause),
    });
  }

  [Symbol.dispose](): void {
    this.#transport[Symbol.dispose]();
  }

  async #attachment(pod: string, asked: Record<string, string>, signal: AbortSignal) {
    const { headers, client } = await this.#transport.identity();
    const query = new URLSearchParams(asked);
    const path = this.#core(`pods/${pod}/attach`);
    const request = { action: `attach to the pod "${pod}"`, resource: "pods/attach", path, query };
    return {
      url: this.#transport.url(`${path}?${query}`).replace(/^http/, "ws"),
      headers,
      client,
      signal,
      refused: (cause: unknown) => this.#explainUpgrade(request, cause),
    };
  }

  #core(rest: string): string {
    return `/api/v1/namespaces/${encodeURIComponent(this.namespace)}/${rest}`;
  }

  #apps(rest: string): string {
    return `/apis/apps/v1/namespaces/${encodeURIComponent(this.namespace)}/${rest}`;
  }

  #batch(rest: string): string {
    return `/apis/batch/v1/namespaces/${encodeURIComponent(this.namespace)}/${rest}`;
  }

  /** A failed WebSocket upgrade does not say why; the same request without the upgrade does. */
  async #explainUpgrade(
    { action, resource, path, query }: {
      action: string;
      resource: string;
      path: string;
      query: URLSearchParams;
    },
    cause: unknown,
  ): Promise<Error> {
    try {
      const purpose: Purpose = { action, verb: "create", resource };
      const response = await this.#transport.call({ purpose, path, query: Object.fromEntries(query) });
      await response.body?.cancel();
    } catch (error) {
      // 400: "you must specify … upgrade", so the request itself was in order.
      if (error instanceof Error && !(error instanceof ApiError && error.status === 400)) return error;
    }
    return unreachable(this.#context, this.#transport.cause(cause), action);
  }
}
