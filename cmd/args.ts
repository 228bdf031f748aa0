// Arguments → a plain value, or a usage error in mirrord's own words (exit code 2). Called by cmd/mod.ts;
// nothing runs here. flags.ts declares the flags.

import { type Command, CommanderError } from "commander";
import { exitCodes, MirrordError } from "../core/base/errors.ts";
import { nearWords, quoteList } from "../core/base/near.ts";
import type { ParsedCommand } from "./commands.ts";
import { declareCommands } from "./flags.ts";
import { checkCommand, commandOf, spellOut, usageOf } from "./spelling.ts";

/** Parses the command line; throws MirrordError (exit code 2) for one that cannot be understood. */
export async function parseCommand(args: string[]): Promise<ParsedCommand> {
  const result: { command: ParsedCommand } = { command: { name: "shown" } };
  const program = declareCommands((command) => result.command = command, args[0]);
  checkCommand(args, program);
  try {
    if (args.length === 0) program.outputHelp();
    else await program.parseAsync(spellOut(args, program), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) throw usageError(error, program, args);
  }
  return result.command;
}

/** The library's refusal as `Cannot <action> "<value>": <state>`. It names its culprit in quotes. */
function usageError(error: CommanderError, program: Command, args: readonly string[]): MirrordError {
  const command = commandOf(program, args[0]);
  const culprit = /'([^']*)'/.exec(error.message)?.[1] ?? args.join(" ");
  const usage = command === undefined ? 'See "mirrord --help".' : usageOf(command);
  const refuse = (action: string, value: string, state: string, help = usage) =>
    new MirrordError(`Cannot ${action} "${value}": ${state}`, { help, exitCode: exitCodes.usage });
  const meant = (known: string[]) => {
    const near = nearWords(culprit.replace(/=[^]*/, ""), known);
    return near.length === 0 ? usage : `Did you mean ${quoteList(near)}?`;
  };
  const visible = program.createHelp();
  switch (error.code) {
    case "commander.unknownOption":
      return refuse(
        "use",
        culprit.replace(/=[^]*/, ""),
        `${command === undefined ? "mirrord" : `"${command.name()}"`} has no such flag`,
        meant(visible.visibleOptions(command ?? program).flatMap(({ long }) => long ?? [])),
      );
    case "commander.optionMissingArgument":
      return refuse("use", flagOf(culprit), `its value <${/<(.*)>/.exec(culprit)?.[1]}> is missing`);
    case "commander.missingMandatoryOptionValue":
      return refuse("run", args[0] ?? "", `${flagOf(culprit)} is missing`);
    case "commander.missingArgument":
      return refuse("run", args[0] ?? "", `the <${culprit}> is missing`);
    case "commander.excessArguments":
      return refuse("run", args[0] ?? "", "there are too many arguments");
    default: {
      // "… option '--x <y>' argument 'VALUE' is invalid. REASON", or "command-argument value 'VALUE' is …"
      const [, value = culprit, reason = "it cannot be used"] =
        /'([^']*)' is invalid(?: for [^.]*)?\.\s*(.*)$/.exec(error.message) ?? [];
      const state = reason.replace(/^Allowed choices are (.*)\.$/, "it is none of $1");
      const flag = /^error: option '([^']*)'/.exec(error.message)?.[1];
      return refuse("use", value, flag === undefined ? state : `${state} (${flagOf(flag)})`);
    }
  }
}

/** "-t, --target <path>" → "--target". */
function flagOf(flags: string): string {
  return /--[\w-]+/.exec(flags)?.[0] ?? flags;
}
