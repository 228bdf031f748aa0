// What a cluster says about itself: version, a namespace's Pod Security level, a node's kernel. Called by
// cmd/doctor.ts alone: a session needs none of it, nor the rights for it.

import type { V1Namespace } from "@kubernetes/client-node/dist/gen/models/V1Namespace.js";
import type { V1Node } from "@kubernetes/client-node/dist/gen/models/V1Node.js";
import { ApiError } from "./api_error.ts";
import { type KubeOptions, loadKubeContext } from "./kubeconfig.ts";
import { Transport } from "./transport.ts";

/** The label by which a namespace's level is enforced (Kubernetes: "Pod Security Admission"). */
const enforceLabel = "pod-security.kubernetes.io/enforce";

/** One cluster as one user. Dispose it to close its connections. */
export class ClusterFacts implements Disposable {
  readonly #transport: Transport;

  private constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Loads the kubeconfig; asks nothing of the server yet. */
  static async open(options: KubeOptions): Promise<ClusterFacts> {
    return new ClusterFacts(new Transport(await loadKubeContext(options)));
  }

  /** "v1.34.1". */
  async version(signal?: AbortSignal): Promise<string> {
    const purpose = { action: "ask for the version", verb: "get", resource: "version" } as const;
    const answer = await this.#transport.json<{ gitVersion?: string }>({ purpose, path: "/version", signal });
    return answer.gitVersion ?? "of an unknown version";
  }

  /**
   * The level that the namespace enforces, "" for none; null when this user may not read it. Throws ApiError
   * when there is no such namespace.
   */
  async podSecurity(namespace: string, signal?: AbortSignal): Promise<string | null> {
    const purpose = { action: "read the namespace", verb: "get", resource: "namespaces" } as const;
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}`;
    return await this.#allowed(async () => {
      const { metadata } = await this.#transport.json<V1Namespace>({ purpose, path, signal });
      return metadata?.labels?.[enforceLabel] ?? "";
    });
  }

  /** The kernel's release on a node; null when this user may not read nodes. */
  async kernelOf(node: string, signal?: AbortSignal): Promise<string | null> {
    const purpose = { action: `read the node "${node}"`, verb: "get", resource: "nodes" } as const;
    const path = `/api/v1/nodes/${encodeURIComponent(node)}`;
    return await this.#allowed(async () => {
      const { status } = await this.#transport.json<V1Node>({ purpose, path, signal });
      return status?.nodeInfo?.kernelVersion ?? null;
    });
  }

  [Symbol.dispose](): void {
    this.#transport[Symbol.dispose]();
  }

  /** null for what this user may not see. */
  async #allowed<Fact>(ask: () => Promise<Fact>): Promise<Fact | null> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof ApiError && error.status === 403) return null;
      throw error;
    }
  }
}
