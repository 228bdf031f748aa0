// The values of flags: text → what a command takes, or a refusal. Called by flags.ts and its neighbours when
// a command line is parsed.

import { InvalidArgumentError, type Option } from "commander";

/** A port; the flag may be given several times. */
export function collectPort(text: string, before: number[] = []): number[] {
  return [...before, number(text, 1, 65_535, "a port from 1 to 65535")];
}

/** How many bytes. */
export function byteCount(text: string): number {
  return number(text, 0, 1 << 30, "a number of bytes");
}

/** May the flag be given several times, with several values? */
export function isRepeatable(option: Option): boolean {
  return option.parseArg === collect || option.parseArg === collectPort;
}

/** Text; the flag may be given several times. */
export function collect(text: string, before: string[] = []): string[] {
  return [...before, text];
}

/** One of these words. */
export function oneOf<Word extends string>(words: readonly Word[], text: string): Word {
  const word = words.find((one) => one === text);
  if (word === undefined) throw new InvalidArgumentError(`it is none of ${words.join(", ")}`);
  return word;
}

/** A time limit; 0 is one. */
export function secondsOrNone(text: string): number {
  return number(text, 0, 86_400, "a number of seconds");
}

/** A time limit. */
export function seconds(text: string): number {
  return number(text, 1, 86_400, "a number of seconds");
}

/** A port, or 0 for any free one. */
export function portOrFree(text: string): number {
  return number(text, 0, 65_535, "a port from 1 to 65535, or 0");
}

/** A process id. */
export function positive(text: string): number {
  return number(text, 1, 2 ** 31 - 1, "a process id");
}

/** A whole number within bounds; `what` names it in the refusal. */
function number(text: string, lowest: number, highest: number, what: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < lowest || value > highest) {
    throw new InvalidArgumentError(`it is not ${what}`);
  }
  return value;
}
