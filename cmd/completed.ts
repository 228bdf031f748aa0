// What completes on mirrord's command line, from the declaration in flags.ts: commands, flags, values. Called
// by completions.ts and the files of single shells, which write it down as scripts.

import type { Command, Option } from "commander";
import { listedKinds } from "../core/target/list.ts";
import { declareCommands } from "./flags.ts";

/** How an option's value completes. */
export type Value = "none" | "optional file" | "file" | Asked | "text" | readonly string[];

/** What mirrord itself is asked for. */
export type Asked = keyof typeof questions;

/** How mirrord is asked. */
export const questions = {
  targets: "ls",
  contexts: "complete contexts",
  namespaces: "complete namespaces",
  services: "complete services",
} as const;

/** A flag of a command. */
export interface Flag {
  short: string | undefined;
  long: string;
  about: string;
  value: Value;
}

/** A command. */
export interface Verb {
  name: string;
  about: string;
  flags: Flag[];
  /** What stands after the flags. */
  rest: "nothing" | "file" | "program" | "services" | readonly string[];
}

/**
 * Flags that select where `mirrord ls` looks: its own flags with a value, except those that select what to
 * list.
 */
export function placeFlags(verbs: readonly Verb[]): string[] {
  const ls = verbs.find(({ name }) => name === "ls");
  return (ls?.flags ?? [])
    .filter(({ value }) => typeof value === "string" && value !== "none").flatMap(names);
}

/** The commands that help shows, with what completes in each. */
export function completedVerbs(): Verb[] {
  const program = declareCommands(() => {});
  return program.createHelp().visibleCommands(program)
    .filter((command) => command.name() !== "help").map(verbOf);
}

function verbOf(command: Command): Verb {
  const options = command.createHelp().visibleOptions(command);
  const [first] = command.registeredArguments;
  const rest = first === undefined
    ? "nothing"
    : first.name() === "program"
    ? "program"
    : first.name() === "services"
    ? "services"
    : first.name() === "file" || first.name() === "what"
    ? first.argChoices ?? "file"
    : first.argChoices ?? first.description.split(", ");
  const flags = options.map((option) => ({
    short: option.short,
    long: option.long ?? "",
    about: option.description,
    value: valueOf(option),
  }));
  return { name: command.name(), about: command.description(), flags, rest };
}

function valueOf(option: Option): Value {
  if (option.argChoices !== undefined) return option.argChoices;
  const named = /[<[]([\w:]+)[>\]]/.exec(option.flags)?.[1];
  if (named === undefined) return "none";
  if (named === "file") return option.optional ? "optional file" : "file";
  if (option.long === "--target-type") return listedKinds;
  return askedBy[option.long ?? ""] ?? (option.optional ? "none" : "text");
}

/** Flags whose values mirrord knows. */
const askedBy: Readonly<Record<string, Asked | undefined>> = {
  "--target": "targets",
  "--context": "contexts",
  "--namespace": "namespaces",
  "--target-namespace": "namespaces",
};

/** Does mirrord know the values? */
export function isAsked(value: Value | Verb["rest"]): value is Asked {
  return typeof value === "string" && Object.hasOwn(questions, value);
}

/** The short name, if it has one, and the long one. */
export function names({ short, long }: Flag): string[] {
  return short === undefined ? [long] : [short, long];
}
