// What incoming.ts needs from the session: the agent's two verbs, one stolen connection, the rules of the
// config. Kept apart so that incoming.ts can be read without the links.

import type { Address } from "../../protocol-wasm/mod.ts";
import { RemoteError } from "../../protocol-wasm/mod.ts";
import type { ByteChannel } from "../base/relay.ts";

/** The rules for ports, from `feature.network.incoming`. */
export interface IncomingConfig {
  /** steal: the app answers. mirror: the original does, the app gets a copy of what clients send. */
  mode: "steal" | "mirror";
  /** Only these ports of the pod; null = every port the app listens on. */
  ports: number[] | null;
  ignorePorts: number[];
  /** Port the app asks for → port of the pod. */
  portMapping: Map<number, number>;
  ignoreLocalhost: boolean;
  /** Filter source text for a port of the pod; "" = every connection. */
  filterFor: (port: number) => string;
  /** Ports that the pod declares; empty = unknown. */
  declaredPorts: number[];
  /** Ports of the pod that the kubelet probes by HTTP. */
  probePorts: number[];
}

/** How a port's connections are wanted. */
export interface SubscribeOptions {
  mode: IncomingConfig["mode"];
  filter: string;
  probes: boolean;
}

/** The agent, as far as incoming goes. Both reject with RemoteError (errno, text) when it says no. */
export interface IncomingAgent {
  subscribe(port: number, options: SubscribeOptions): Promise<void>;
  unsubscribe(port: number): Promise<void>;
}

/** A connection that the agent stole or mirrors, not yet taken. */
export interface StolenConnection {
  port: number;
  peer: Address;
  local: Address;
  channel: ByteChannel;
  take(): Promise<void>;
  refuse(errno: number, text: string): Promise<void>;
}

/** Errno and sentence of a refused request; EIO for a lost link. */
export function errno(error: unknown): { code: number; text: string } {
  if (error instanceof RemoteError) return { code: error.errno, text: error.message };
  return { code: 5, text: error instanceof Error ? error.message : String(error) };
}
