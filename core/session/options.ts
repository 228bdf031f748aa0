// The options of a session, from the configuration and what the target declares. Called by cmd/exec.ts.

import { variables } from "../base/variables.ts";
import type { Config } from "../config/config.ts";
import { debuggerPortsVariable, readPortRanges } from "../config/debugger_ports.ts";
import type { ConnectedAgent } from "../deploy/connect.ts";
import type { Target } from "../target/target.ts";
import type { Emit } from "./events.ts";
import { filesRules } from "./files_rules.ts";
import { incomingRules } from "./incoming_rules.ts";
import type { AppContainer, SessionOptions } from "./session_options.ts";

/**
 * `agent` null: nothing is asked of the target. `program`: the app's file. `container`: where the app runs,
 * if not on this machine itself.
 */
export function sessionOptions(
  config: Config,
  target: Target,
  { agent, program, container, socketPath, emit, requests }: {
    agent: ConnectedAgent | null;
    program: string;
    container?: AppContainer | undefined;
    socketPath: string;
    emit: Emit;
    requests: boolean;
  },
): SessionOptions {
  return {
    agent: agent?.link ?? null,
    incoming: incomingRules(config, target),
    outgoing: config.outgoing,
    dns: config.dns,
    // Questions and answers about them are Linux's own (netlink(7)): no other system's programs ask so.
    interfaces: config.interfaces && Deno.build.os === "linux",
    debuggerPorts: readPortRanges(variables()[debuggerPortsVariable] ?? "") ?? [],
    files: filesRules(config, target, { program, container, emit }),
    socketPath,
    contained: container !== undefined,
    emit,
    requests,
  };
}
