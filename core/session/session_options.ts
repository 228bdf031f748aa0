// What a session is opened with. Made by options.ts, read by session.ts and open_floors.ts.

import type { AgentLink } from "../../protocol-wasm/mod.ts";
import type { DnsConfig, FilesConfig, OutgoingConfig } from "../config/config.ts";
import type { PortRange } from "../config/debugger_ports.ts";
import type { Details } from "./details.ts";
import type { Emit } from "./events.ts";
import type { IncomingRules } from "./incoming_rules.ts";
import type { LocalPlaces } from "./policy_default.ts";
import type { Mounts } from "./policy_mounts.ts";
import type { Prepare } from "./processes.ts";

/** By what paths are decided. */
export interface FilesRules {
  config: FilesConfig;
  places: LocalPlaces;
  mounts?: Mounts;
}

/** The container that the app runs in, as far as paths go. */
export interface AppContainer {
  /** The app's variables before the target's. */
  variables: Readonly<Record<string, string>>;
  workingDirectory: string;
  /** HOME, and the user's home by passwd(5); undefined: not known. */
  home: string | undefined;
  accountHome: string | undefined;
  /** Where something of this machine is mounted. */
  mounts: readonly string[];
}

/** What a session is opened with. */
export interface SessionOptions {
  /** The proven link; null = targetless, nothing is remote. */
  agent: AgentLink | null;
  /** null = the app's listeners are not looked at. */
  incoming: IncomingRules | null;
  /** null or absent = the app's connections are not looked at. */
  outgoing?: OutgoingConfig | null;
  /** null or absent, or nothing of it on = names are this machine's. */
  dns?: DnsConfig | null;
  /** null or absent = the app's files are not looked at. */
  files?: FilesRules | null;
  /** The app sees the target's network interfaces. */
  interfaces?: boolean;
  /** The app runs in a container: its processes have numbers and paths of their own. */
  contained?: boolean;
  /** What is started in place of a program of the app. */
  prepare?: Prepare;
  /** Ports on loopback that the developer's editor calls its debuggers'. */
  debuggerPorts?: readonly PortRange[];
  /** Where the socket for the layers goes; in a directory only this user can enter. */
  socketPath: string;
  /** Takes what happens. */
  emit?: Emit;
  /** Emit `request` events too, for which connections are read. */
  requests?: boolean;
  /** Takes what happens in detail, while somebody watches. */
  details?: Details;
}
