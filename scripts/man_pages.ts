// The manual pages, made from the declaration of the command line (cmd/flags.ts) and docs/exit-codes.md:
// mirrord(1) and one page for each command. Called by release.ts. Macros: groff_man(7).

import type { Command, Option } from "commander";
import { mirrordVersion } from "../core/base/version.ts";
import { declareCommands, examples } from "../cmd/flags.ts";

/** File name → text of each page. `exitCodes` is the text of docs/exit-codes.md. */
export function manPages(options: { exitCodes: string; homepage: string }): Map<string, string> {
  const program = declareCommands(() => {});
  const commands = program.createHelp().visibleCommands(program).filter((one) => one.name() !== "help");
  const codes = exitStatus(options.exitCodes);
  const pages = new Map([["mirrord.1", mainPage(program, { commands, codes, homepage: options.homepage })]]);
  for (const command of commands) {
    pages.set(`mirrord-${command.name()}.1`, commandPage(command, codes));
  }
  return pages;
}

function mainPage(
  program: Command,
  { commands, codes, homepage }: { commands: Command[]; codes: string[]; homepage: string },
): string {
  const lines = examples.trim().split("\n").slice(1).map((line) => line.trim());
  return page("mirrord", program.description(), [
    ".SH SYNOPSIS",
    ".B mirrord",
    ".I command",
    "[options]",
    ".SH DESCRIPTION",
    text(program.description()),
    "The program runs on this machine, with the variables, files, names and network of the pod.",
    ".SH COMMANDS",
    ...commands.flatMap((one) => [".TP", `.BR mirrord\\-${text(one.name())} (1)`, text(one.description())]),
    ".SH OPTIONS",
    ...program.createHelp().visibleOptions(program).flatMap(item),
    ...codes,
    ".SH EXAMPLES",
    ".nf",
    ...lines.map(text),
    ".fi",
    ".SH SEE ALSO",
    ...seeAlso(commands.map((one) => `mirrord-${one.name()}`)),
    ".PP",
    text(homepage),
  ]);
}

function commandPage(command: Command, codes: string[]): string {
  const name = `mirrord-${command.name()}`;
  const shown = command.createHelp();
  const groups = new Map<string, Option[]>();
  for (const option of shown.visibleOptions(command)) {
    const title = option.helpGroupHeading ?? "";
    groups.set(title, [...groups.get(title) ?? [], option]);
  }
  const options = [...groups].flatMap(([title, members]) => [
    ...(title === "" ? [] : [`.SS ${text(title.replace(/:$/, ""))}`]),
    ...members.flatMap(item),
  ]);
  const words = command.registeredArguments.filter((one) => one.description !== "").flatMap((one) => [
    ".TP",
    `.I ${text(one.name())}`,
    text(one.description),
  ]);
  return page(name, command.description(), [
    ".SH SYNOPSIS",
    `.B mirrord ${text(command.name())}`,
    text(command.usage()),
    ".SH DESCRIPTION",
    text(sentence(command.description())),
    ...words,
    ".SH OPTIONS",
    ...options,
    ...(command.name() === "exec" ? codes : []),
    ".SH SEE ALSO",
    ...seeAlso(["mirrord"]),
  ]);
}

function page(name: string, about: string, body: string[]): string {
  return [
    // No date: the same sources make the same page.
    `.TH ${text(name.toUpperCase())} 1 "" "mirrord ${mirrordVersion}" "mirrord"`,
    ".SH NAME",
    `${text(name)} \\- ${text(about.replace(/\.$/, ""))}`,
    ...body,
    "",
  ].join("\n");
}

/** One flag, its names bold, its value in italics. */
function item(option: Option): string[] {
  const flags = option.flags.split(/(?=[<[])/);
  const names = `\\fB${text((flags[0] ?? "").trim())}\\fR`;
  const value = flags[1] === undefined ? "" : ` \\fI${text(flags[1])}\\fR`;
  const choices = option.argChoices?.join(", ");
  return [
    ".TP",
    `${names}${value}`,
    text(sentence(option.description) + (choices ? ` One of: ${choices}.` : "")),
  ];
}

/** The table of docs/exit-codes.md without its examples. */
function exitStatus(document: string): string[] {
  const rows = [...document.matchAll(/^\| ([^|]+) \| ([^|]+) \|/gm)].filter(([, code]) => code !== "code");
  if (rows.length < 5) throw new Error("Cannot read the table of docs/exit-codes.md");
  return [
    ".SH EXIT STATUS",
    ...rows.flatMap(([, code = "", meaning = ""]) => [
      ".TP",
      `.B ${text(code)}`,
      text(sentence(meaning.replaceAll("`", ""))),
    ]),
  ];
}

function seeAlso(names: string[]): string[] {
  return names.map((name, index) => `.BR ${text(name)} (1)${index < names.length - 1 ? "," : ""}`);
}

function sentence(words: string): string {
  const first = /^[a-z]+[ ,']/.test(words) ? words.charAt(0).toUpperCase() : words.charAt(0); // "pod/NAME" stays
  return first + words.slice(1) + (/[.:)]$/.test(words) ? "" : ".");
}

/** `words` for roff: no escape, no request, hyphens that can be copied into a shell. */
function text(words: string): string {
  return words.replaceAll("\\", "\\e").replaceAll("-", "\\-").replace(/^[.']/, "\\&$&");
}
