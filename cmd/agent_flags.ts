// The flags of `mirrord agent`, which mirrord starts by itself. Called by flags.ts.

import type { Command } from "commander";
import type { AgentCommand, ParsedCommand } from "./commands.ts";
import { portOrFree, positive, seconds, secondsOrNone } from "./flag_values.ts";

/** Declares `agent`. */
export function agentFlags(command: Command, parsed: (command: ParsedCommand) => void): Command {
  return command
    .description("the agent; mirrord starts it by itself")
    .option(
      "--listen <port>",
      "loopback port to serve the client on; 0: a free one, which is printed",
      portOrFree,
    )
    .option("--stdio", "serve the client on standard input and output")
    .requiredOption("--public-key <base64>", "Ed25519 key whose owner may be the client")
    .option("--container-id <id>", "the target's container, where several share their processes")
    .option("--target-pid <pid>", "process whose variables are the target's", positive)
    .option("--netns-of <pid>", "process whose network namespace to enter", positive)
    .option(
      "--owner <text>",
      "the session's user, shown to other sessions that want the same port",
      "someone",
    )
    .option("--first-client-limit <seconds>", "leave when no client came", seconds, 30)
    .option("--lost-limit <seconds>", "leave when the client is silent", seconds, 15)
    .option(
      "--heartbeat-limit <seconds>",
      "give new connections to the original when the client is silent",
      seconds,
      2,
    )
    .option("--http-detection <seconds>", "how long a first message may be no whole line", secondsOrNone, 2)
    .action((flags: Omit<AgentCommand, "name">) => parsed({ name: "agent", ...flags }));
}
