// What `#!/usr/bin/env …` runs. The kernel hands env(1) everything behind its name as one argument; this file
// parses that as env does: options, assignments and the string of -S. Called by program.ts.

/** Variables of the environment that env starts its program in, as far as they matter. */
export interface EnvState {
  variables: Readonly<Record<string, string>>;
  /** A relative path of a program counts from there. */
  folder: string;
}

/**
 * The program and its arguments, and where env looks for it; null when the line runs none, or one that cannot
 * be determined.
 */
export interface EnvLine extends EnvState {
  argv: string[];
}

/** Options with a value: the next argument, or behind the letter. */
const valued: Record<string, string> = {
  u: "unset",
  C: "chdir",
  S: "split-string",
  a: "argv0",
};
const flags = "i0v";
const longFlags = [
  "ignore-environment",
  "null",
  "debug",
  "block-signal",
  "default-signal",
  "ignore-signal",
  "list-signal-handling",
];

/** Follows env(1) with the one argument `argument`. */
export function readEnvLine(argument: string, state: EnvState): EnvLine | null {
  const variables = { ...state.variables };
  const found: EnvLine = { argv: [], variables, folder: state.folder };
  let rest = argument === "" ? [] : [argument];
  const apply = (option: string, value: string): boolean => {
    if (option === "unset") delete variables[value];
    else if (option === "chdir") found.folder = beside(found.folder, value);
    else if (option === "split-string") {
      const words = splitString(value, state.variables);
      if (words === null) return false;
      rest = [...words, ...rest];
    } else return option === "argv0";
    return true;
  };
  const clear = () => Object.keys(variables).forEach((name) => delete variables[name]);
  for (let one = rest.shift(); one !== undefined; one = rest.shift()) {
    if (one === "--") break;
    if (one === "-") clear();
    else if (one.startsWith("--")) {
      const [, name = "", value] = /^--([^=]*)(?:=(.*))?$/s.exec(one) ?? [];
      if (longFlags.includes(name)) {
        if (name === "ignore-environment") clear();
      } else if (!apply(name, value ?? rest.shift() ?? "")) return null;
    } else if (one.startsWith("-")) {
      for (let at = 1; at < one.length; at++) {
        const letter = one[at] ?? "";
        const option = valued[letter];
        if (option !== undefined) {
          const value = one.slice(at + 1);
          if (!apply(option, value === "" ? rest.shift() ?? "" : value)) return null;
          break;
        }
        if (!flags.includes(letter)) return null;
        if (letter === "i") clear();
      }
    } else {
      rest.unshift(one);
      break;
    }
  }
  for (let one = rest[0]; one !== undefined && one.includes("="); one = rest[0]) {
    variables[one.slice(0, one.indexOf("="))] = one.slice(one.indexOf("=") + 1);
    rest.shift();
  }
  found.argv = rest;
  return rest.length === 0 ? null : found;
}

function beside(folder: string, path: string): string {
  return path.startsWith("/") ? path : `${folder}/${path}`;
}

const escaped: Record<string, string> = { f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };

/**
 * The words of a string of env -S (env(1), "-S/--split-string usage in scripts"); null when env refuses it.
 */
export function splitString(text: string, variables: Readonly<Record<string, string>>): string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  let quote = "";
  for (let at = 0; at < text.length; at++) {
    const one = text[at] ?? "";
    if (one === quote && quote !== "") quote = "";
    else if (quote === "" && (one === "'" || one === '"')) {
      quote = one;
      word ??= "";
    } else if (quote === "" && /[ \t\n\v\f\r]/.test(one)) {
      if (word !== null) words.push(word);
      word = null;
    } else if (quote === "" && word === null && one === "#") break;
    else if (one === "\\" && (quote !== "'" || /['\\]/.test(text[at + 1] ?? ""))) {
      const next = text[++at];
      if (next === undefined) return null;
      if (next === "c") {
        if (quote !== "") return null;
        break;
      }
      if (next === "_" && quote === "") {
        if (word !== null) words.push(word);
        word = null;
      } else if (next === "_") word = `${word ?? ""} `;
      else if (/[fnrtv#$"'\\]/.test(next)) word = `${word ?? ""}${escaped[next] ?? next}`;
      else return null;
    } else if (one === "$" && quote !== "'") {
      const [whole, name = ""] = /^\$\{([A-Za-z_]\w*)\}/.exec(text.slice(at)) ?? [];
      if (whole === undefined) return null;
      at += whole.length - 1;
      const value = variables[name];
      if (value !== undefined) word = `${word ?? ""}${value}`;
    } else word = `${word ?? ""}${one}`;
  }
  if (quote !== "") return null;
  if (word !== null) words.push(word);
  return words;
}
