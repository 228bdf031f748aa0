// The flags of `mirrord ci` that `mirrord exec` does not have. Called by flags.ts.

import { type Command, InvalidArgumentError, Option } from "commander";
import { exitCodes, MirrordError } from "../core/base/errors.ts";
import {
  type CiAction,
  ciActions,
  type CiCommand,
  type CiSessionCommand,
  type ExecCommand,
  type ParsedCommand,
} from "./commands.ts";

type Flags =
  & Omit<ExecCommand, "name" | "program" | "args">
  & Pick<CiCommand, "output" | "timeout" | "foreground">
  & { name: string };

/** What stands beside the flags. */
export function ciArguments(command: Command): Command {
  return command
    .description("start a session in the background, as a pipeline needs it, and stop it")
    .usage(
      "start [options] [--] <program> [args...] | container [options] -- docker|podman|nerdctl run [options] IMAGE | " +
        "stop [options]",
    )
    .argument("<action>", ciActions.join(", "), readAction)
    .argument("[program]", "the program to run, or the container engine")
    .argument("[args...]", "its arguments");
}

/** The other flags, and what becomes of all. */
export function ciFlags(command: Command, parsed: (command: ParsedCommand) => void): Command {
  return command
    .optionsGroup("Background:")
    .addOption(
      new Option("--name <name>", "tells sessions apart that run at once").default("default")
        .argParser(readName),
    )
    .addOption(
      new Option("--timeout <seconds>", "for stop: how long the program may take to end").default(10)
        .argParser(readSeconds),
    )
    .addOption(new Option("-o, --output <format>", "print JSON, for programs").choices(["json"]))
    // Upstream's: of its operator, and what exec does.
    .addOption(new Option("--foreground").hideHelp())
    .addOption(new Option("--environment <text>").hideHelp())
    .addOption(new Option("--pipeline <text>").hideHelp())
    .addOption(new Option("--triggered-by <text>").hideHelp())
    .action((action: CiAction, program: string | undefined, args: string[], flags: Flags) => {
      const { name: session, output, timeout, foreground, ...rest } = flags;
      if (action === "stop" && program !== undefined) throw refuse(program, "stop takes no program");
      if (action !== "stop" && program === undefined) {
        throw refuse(`ci ${action}`, "the <program> is missing");
      }
      parsed({
        name: "ci",
        action,
        session,
        timeout,
        ...(output === undefined ? {} : { output }),
        ...(foreground === undefined ? {} : { foreground }),
        ...(program === undefined ? {} : {
          runs: action === "container"
            ? { name: "container", line: [program, ...args], ...rest }
            : { name: "exec", program, args, ...rest },
        }),
      });
    });
}

/** Of the process that stays. */
export function ciSessionFlags(command: Command, parsed: (command: ParsedCommand) => void): Command {
  return command
    .argument("<folder>", "where the session's state is")
    .argument("<session>", "its name")
    .argument("<id>", "which start of that name it is")
    .action((folder: string, session: CiSessionCommand["session"], id: string) =>
      parsed({ name: "ci-session", folder, session, id })
    );
}

function refuse(what: string, state: string): MirrordError {
  return new MirrordError(`Cannot run "${what}": ${state}`, {
    help:
      "Write: mirrord ci start [options] -- PROGRAM, or mirrord ci container [options] -- docker run IMAGE, " +
      "then mirrord ci stop",
    exitCode: exitCodes.usage,
  });
}

function readAction(text: string): CiAction {
  const action = ciActions.find((one) => one === text);
  if (action !== undefined) return action;
  throw new InvalidArgumentError(
    text === "api-key"
      ? "it is left out: it needs upstream's operator"
      : `it is none of ${ciActions.join(", ")}`,
  );
}

function readName(text: string): string {
  if (/^\w[\w.-]{0,63}$/.test(text)) return text;
  throw new InvalidArgumentError("it is no name of letters, digits, dots, hyphens and underlines");
}

function readSeconds(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("it is not a number of seconds");
}
