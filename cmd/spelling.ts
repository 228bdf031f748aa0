// The command line before commander sees it: spellings that it reads differently from upstream's command
// line, or in silence. `-t=x` and `-c=false` are rewritten; a missing value, a switch with a value and a flag
// with two different values are refused; upstream's commands are known by name. Called by args.ts; flags.ts
// declares the flags.

import type { Command, Option } from "commander";
import { exitCodes, MirrordError } from "../core/base/errors.ts";
import { nearWords, quoteList } from "../core/base/near.ts";
import { isRepeatable } from "./flag_values.ts";
import { insteadOf, laterCommands, leftOutCommands } from "./other_commands.ts";

/** Throws for a command that is not there, `--help` behind it or not. */
export function checkCommand(args: readonly string[], program: Command): void {
  const name = args[0] === "help" ? args[1] : args[0];
  if (name === undefined || name.startsWith("-") || name === "help") return;
  if (commandOf(program, name) !== undefined) return;
  const refuse = (state: string, help: string) =>
    new MirrordError(`Cannot run "${name}": ${state}`, { help, exitCode: exitCodes.usage });
  const general = 'See "mirrord --help".';
  const reason = Object.hasOwn(leftOutCommands, name) ? leftOutCommands[name] : undefined;
  if (reason !== undefined) {
    throw refuse(`it is left out: ${reason}`, insteadOf[name] ?? "docs/commands.md lists what is left out.");
  }
  if (Object.hasOwn(laterCommands, name)) {
    throw refuse("upstream has it, this release does not yet", laterCommands[name] ?? general);
  }
  const known = program.createHelp().visibleCommands(program).map((command) => command.name());
  const near = nearWords(name, known);
  throw refuse("there is no such command", near.length === 0 ? general : `Did you mean ${quoteList(near)}?`);
}

/** The command that `word` is, by its name or another one. */
export function commandOf(program: Command, word: string | undefined): Command | undefined {
  return program.commands.find((one) => one.name() === word || one.aliases().includes(word ?? ""));
}

/** `args` as commander reads them. Throws MirrordError (exit code 2). */
export function spellOut(args: readonly string[], program: Command): string[] {
  const command = commandOf(program, args[0]);
  if (command === undefined) return [...args];
  const written: string[] = args.slice(0, 1);
  const said = new Map<string, string>();
  let words = 0;
  for (let index = 1; index < args.length; index++) {
    const word = args[index] ?? "";
    // What stands behind `--`, or behind the program that exec or ci runs, is not mirrord's.
    const isWord = !word.startsWith("-") || word === "-";
    if (word === "--" || (isWord && ["exec", "container"].includes(command.name()))) {
      return [...written, ...args.slice(index)];
    }
    if (isWord && command.name() === "ci" && ++words > 1) return [...written, "--", ...args.slice(index)];
    const { option, value } = readFlag(word, command);
    if (option === undefined) {
      written.push(word);
      continue;
    }
    const name = option.long ?? word;
    if (!option.required && !option.optional) {
      written.push(value === undefined ? word : switched(option, command, value));
      continue;
    }
    if (value !== undefined) {
      written.push(`${name}=${value}`);
      sayOnce(said, option, value);
      continue;
    }
    written.push(word);
    const next = args[index + 1];
    if (next === undefined || (option.optional && next.startsWith("-") && next !== "-")) continue;
    if (next === "--" || isFlag(next, command)) {
      throw refuse(name, `its value <${valueName(option)}> is missing`, command);
    }
    written.push(next);
    sayOnce(said, option, next);
    index++;
  }
  return written;
}

/** The flag of `command` that `word` is, and its value when that is written in the same word. */
function readFlag(word: string, command: Command): { option: Option | undefined; value: string | undefined } {
  const [, name = word, value] = /^(--[^=]*|-[^-])(?:=([^]*))?$/.exec(word) ?? [];
  const attached = /^(-[^-])[^=]/.exec(word)?.[1]; // -nshop: commander reads it, and -ce
  const option = command.options.find(({ short, long }) => short === name || long === name);
  return attached === undefined ? { option, value } : { option: undefined, value: undefined };
}

function isFlag(word: string, command: Command): boolean {
  return word.startsWith("-") && readFlag(word, command).option !== undefined;
}

/** "--x=true" and "--x=false" of a switch that can be both. */
function switched(option: Option, command: Command, value: string): string {
  const name = option.long ?? "";
  const opposite = `--no-${name.slice(2)}`;
  const hasOpposite = command.options.some(({ long }) => long === opposite);
  if (hasOpposite && value === "true") return name;
  if (hasOpposite && value === "false") return opposite;
  throw refuse(`${name}=${value}`, hasOpposite ? "its value is true or false" : "it takes no value", command);
}

/** Two names of one flag count as one. */
function sayOnce(said: Map<string, string>, option: Option, value: string): void {
  const name = option.long ?? "";
  if (isRepeatable(option)) return;
  const key = name === "--namespace" ? "--target-namespace" : name;
  const before = said.get(key);
  if (before !== undefined && before !== value) {
    throw new MirrordError(`Cannot use "${name} ${value}": "${before}" is given as well`, {
      help: "Give one of the two.",
      exitCode: exitCodes.usage,
    });
  }
  said.set(key, value);
}

function valueName(option: Option): string {
  return /[<[]([^>\]]*)/.exec(option.flags)?.[1] ?? "value";
}

function refuse(what: string, state: string, command: Command): MirrordError {
  return new MirrordError(`Cannot use "${what}": ${state}`, {
    help: usageOf(command),
    exitCode: exitCodes.usage,
  });
}

/** How `command` is written. */
export function usageOf(command: Command): string {
  return `Write: mirrord ${command.name()} ${command.usage()} (more: mirrord ${command.name()} --help)`;
}
