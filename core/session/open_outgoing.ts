// Makes the floor outgoing of a session, with everything that its rules ask. Called by session.ts.

import type { AgentLink } from "../../protocol-wasm/mod.ts";
import type { DnsConfig, OutgoingConfig } from "../config/config.ts";
import type { Debuggers } from "./debuggers.ts";
import type { Details } from "./details.ts";
import type { Deliveries } from "./deliveries.ts";
import type { Dns } from "./dns.ts";
import type { Handed } from "./handed.ts";
import type { Emit } from "./events.ts";
import { LoopbackServers } from "./loopback_servers.ts";
import { Outgoing } from "./outgoing.ts";
import { OutgoingRules } from "./outgoing_rules.ts";
import type { OwnSockets } from "./own_sockets.ts";

/** What it is opened with, of what the session is. */
interface Asked {
  agent: AgentLink | null;
  outgoing?: OutgoingConfig | null;
  dns?: DnsConfig | null;
}

/** Null: no connection of the app is the target's business. */
export function openOutgoing(
  { agent, outgoing = null, dns: dnsConfig }: Asked,
  { dns, own, deliveries, debuggers, handed, details, emit }: {
    dns: Dns | null;
    own: OwnSockets;
    deliveries: Deliveries;
    debuggers: Debuggers;
    handed: Handed;
    details: Details;
    emit: Emit;
  },
): Outgoing | null {
  const names = dnsConfig?.enabled ?? false;
  if (agent === null || outgoing === null || !(outgoing.tcp || outgoing.udp || names)) return null;
  const servers = new LoopbackServers(agent, own);
  const rules = new OutgoingRules(outgoing, {
    names,
    namesOf: (address) => dns?.known.of(address) ?? [],
    ownSocket: (destination, protocol) => own.find(destination, protocol),
    dialsDebugger: (pid, destination) => debuggers.dials(pid, destination),
    isDebuggers: (port) => debuggers.isGiven(port),
    servers: (destination, protocol) => servers.of(destination, protocol),
    staysHere: (port) => handed.port(port),
    details,
    emit,
  });
  return new Outgoing(agent, rules, { own, deliveries, emit });
}
