// Makes the floors of a session that need no more than its options: interfaces, files, dns; null where the
// options have no part for the floor. Called by session.ts. Outgoing needs more: open_outgoing.ts.

import { holdsSuffix } from "../../protocol-wasm/mod.ts";
import type { Details } from "./details.ts";
import { Dns } from "./dns.ts";
import type { Emit } from "./events.ts";
import { Files } from "./files.ts";
import { Interfaces } from "./interfaces.ts";
import type { SessionOptions } from "./session_options.ts";

/**
 * Null: the app has its own. The target's interfaces go with its network: an app that has neither its
 * traffic nor its connections has its own.
 */
export function openInterfaces(
  { agent, incoming, outgoing = null, interfaces = false }: SessionOptions,
): Interfaces | null {
  const hasNetwork = incoming !== null || outgoing?.tcp === true || outgoing?.udp === true;
  return agent === null || !interfaces || !hasNetwork ? null : new Interfaces(agent);
}

/** Null: the app's files are not looked at. */
export function openFiles(
  { agent, files, socketPath }: SessionOptions,
  { interfaces, emit, details }: { interfaces: boolean; emit: Emit; details: Details },
): Files | null {
  if (agent === null || files === undefined || files === null) return null;
  return new Files({
    agent,
    ...files,
    places: { ...files.places, interfaces },
    holdsPath: socketPath + holdsSuffix,
    emit,
    details,
  });
}

/** Null: names are this machine's. */
export function openDns(
  { agent, dns = null }: SessionOptions,
  { emit, details }: { emit: Emit; details: Details },
): Dns | null {
  if (agent === null || dns === null || !(dns.enabled || dns.hostname)) return null;
  return new Dns(agent, { config: dns, emit, details });
}
