// What a resolved target is. Made by resolve.ts; used by deploy/ and the commands.

import type { KubeClient } from "../kube/client.ts";

/** A container of a pod. The KubeClient stays open for whoever deploys to it; dispose the target to close it. */
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
  /** Ports that the pod's containers declare; others may be served too. */
  declaredPorts: number[];
  /** Ports of the pod that the kubelet probes by HTTP: its requests must go on reaching the original. */
  probePorts: number[];
}

/** A process on this machine. */
export interface ProcessTarget extends Disposable {
  kind: "process";
  path: string;
  label: string;
  pid: number;
  /** Clock ticks after boot (proc(5), /proc/PID/stat, field 22): tells the process from a later one of that number. */
  startTime: bigint;
}

/** No target: the app runs with nothing of a pod. */
export interface NoTarget extends Disposable {
  kind: "targetless";
  path: string;
  label: string;
}

export type Target = PodTarget | ProcessTarget | NoTarget;
