// The rules by which ports are stolen or mirrored: the configuration's (feature.network.incoming) and what
// the target declares. Made by options.ts for the session, where incoming.ts and its parts read them.

import type { Config, IncomingConfig } from "../config/config.ts";
import type { Probe } from "../target/probes.ts";
import type { Target } from "../target/target.ts";

/** The rules for ports. */
export interface IncomingRules extends Omit<IncomingConfig, "mode" | "portMapping" | "listenPorts"> {
  /** steal: the app answers. mirror: the original does, the app gets a copy of what clients send. */
  mode: "steal" | "mirror";
  /** Port the app asks for → port of the pod. */
  portMapping: ReadonlyMap<number, number>;
  /** Port the app asks for → the port of this machine where it listens. */
  listenPorts: ReadonlyMap<number, number>;
  /** Ports that the pod declares; empty = unknown. */
  declaredPorts: number[];
  /** No others: the network is not the pod's alone. */
  onlyDeclared: boolean;
  /** What the kubelet asks of the pod's ports. */
  probes: Probe[];
  /** Addresses of the pod's node. */
  nodeAddresses: string[];
  /** How long nothing may arrive between agent and session before the target answers by itself. */
  heartbeatMs: number;
}

/** By these no port is the pod's. */
export const noPorts: IncomingRules = {
  mode: "steal",
  ports: [],
  ignorePorts: [],
  portMapping: new Map(),
  ignoreLocalhost: false,
  listenPorts: new Map(),
  dynamicPorts: false,
  filter: "",
  filterPorts: null,
  declaredPorts: [],
  onlyDeclared: false,
  probes: [],
  nodeAddresses: [],
  heartbeatMs: 0,
};

/** null: the app's listeners are not looked at. */
export function incomingRules({ incoming, agent }: Config, target: Target): IncomingRules | null {
  const { mode, portMapping, listenPorts, ...rest } = incoming;
  if (mode === "off") return null;
  const pod = target.kind === "pod" ? target : { ...noPorts, hostNetwork: false };
  return {
    ...rest,
    mode,
    portMapping: new Map(portMapping),
    listenPorts: new Map(listenPorts),
    declaredPorts: pod.declaredPorts,
    onlyDeclared: pod.hostNetwork,
    probes: pod.probes,
    nodeAddresses: pod.nodeAddresses,
    heartbeatMs: agent.heartbeatTimeoutSeconds * 1000,
  };
}

/** The filter of a port of the pod; "" = every connection. */
export function filterOf(port: number, { filter, filterPorts }: IncomingRules): string {
  return filterPorts === null || filterPorts.includes(port) ? filter : "";
}
