// What a resolved target is. Made by resolve.ts; used by deploy/ and the commands.

import type { KubeClient } from "../kube/client.ts";
import type { Probe } from "./probes.ts";
import type { RightsCheck } from "./rights.ts";

/**
 * A container of a pod. The KubeClient stays open for the code that deploys to it; dispose the target to
 * close it.
 */
export interface PodTarget extends Disposable {
  kind: "pod";
  /** As the user wrote it, in canonical form. */
  path: string;
  /** For people: what was found. */
  label: string;
  kube: KubeClient;
  namespace: string;
  pod: string;
  uid: string;
  node: string;
  container: string;
  /** Without the runtime's prefix ("containerd://"). */
  containerId: string;
  /** The image that it runs, as its pod names it. */
  image: string;
  /** TCP ports that the pod's containers declare, sidecars too; others may be served as well. */
  declaredPorts: number[];
  /** It uses its node's network: a port of it may be any program's on that node. */
  hostNetwork: boolean;
  /** What the kubelet asks of the pod's ports: it must go on reaching the original. */
  probes: Probe[];
  /** Addresses of the pod's node, from where the kubelet asks. */
  nodeAddresses: string[];
  /** Where volumes are mounted in the container, as the pod says it. */
  mounts: string[];
  /** To be called before anything is created in the cluster. */
  checkRights?: RightsCheck;
  /** Bytes of memory that the pod may take; null: it has no limit. */
  memoryLimit: number | null;
}

/** A process on this machine. */
export interface ProcessTarget extends Disposable {
  kind: "process";
  path: string;
  label: string;
  pid: number;
  /**
   * Clock ticks after boot (proc(5), /proc/PID/stat, field 22): tells the process from a later one of that
   * number.
   */
  startTime: bigint;
}

/** No target, but a cluster: its network and its names, by an agent in a pod of its own. */
export interface ClusterTarget extends Disposable {
  kind: "cluster";
  path: string;
  label: string;
  kube: KubeClient;
  /** Of the agent's pod: short names of Services are looked up in it. */
  namespace: string;
  /** To be called before anything is created in the cluster. */
  checkRights?: RightsCheck;
}

/** No target and no cluster: the app runs with what this machine has. */
export interface NoTarget extends Disposable {
  kind: "targetless";
  path: string;
  label: string;
}

export type Target = PodTarget | ProcessTarget | ClusterTarget | NoTarget;
