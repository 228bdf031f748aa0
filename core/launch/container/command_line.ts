// The command line of a container engine, taken apart: `docker|podman|nerdctl [FLAG]… run [FLAG]… IMAGE
// [WORD]…`. Called by cmd/container.ts before anything else. What the words mean is the engine's business;
// mirrord must know where the image begins, and the flags that words.ts and check.ts look at.

import { exitCodes, MirrordError } from "../../base/errors.ts";
import { baseName } from "../skip.ts";
import { globalFlags, longNames, runFlags } from "./engine_flags.ts";

/** A flag as it was written, by its long name. */
export interface Flag {
  name: string;
  /** null: it stands alone. */
  value: string | null;
  words: readonly string[];
}

/** A flag by the name that it was written with. */
type Written = Pick<Flag, "name" | "value">;

export interface RunLine {
  /** The engine's program, as written. */
  engine: string;
  /** What stands before `run`. */
  global: readonly string[];
  flags: readonly Flag[];
  image: string;
  /** Behind the image. */
  rest: readonly string[];
}

const known = ["docker", "podman", "nerdctl"];
const usage = "Write the engine's command line: docker|podman|nerdctl run [options] IMAGE [args...]";
const starters = ["sudo", "doas", "env"];

/** Throws MirrordError (2) for a line that does not run a container. */
export function readRunLine(line: readonly string[]): RunLine {
  const [engine = "", ...words] = line;
  const name = baseName(engine).replace(/\.exe$/, "");
  if (starters.includes(name)) {
    throw refuse("run", name, "mirrord starts the engine itself", `Write ${name} before mirrord.`);
  }
  if (!known.includes(name)) {
    throw refuse("run", engine, "it is none of docker, podman and nerdctl", usage);
  }
  const global: string[] = [];
  let at = readFlags(words, 0, globalFlags, (flag) => global.push(...flag.words));
  if (words[at] === "container") at++;
  const verb = words[at] ?? "";
  if (verb !== "run") throw refuseVerb(name, verb);
  const flags: Flag[] = [];
  at = readFlags(words, at + 1, runFlags, (flag) => flags.push(flag));
  if (words[at] === "--") at++;
  const image = words[at];
  if (image === undefined) throw refuse("run", `${name} run`, "the image is missing", usage);
  return { engine, global, flags, image, rest: words.slice(at + 1) };
}

/** The value of the last flag `name`; undefined without one. */
export function lastOf({ flags }: Pick<RunLine, "flags">, name: string): string | undefined {
  return flags.findLast((flag) => flag.name === name)?.value ?? undefined;
}

/** Is the flag `name` given, and not as `--name=false`? */
export function isOn({ flags }: Pick<RunLine, "flags">, name: string): boolean {
  const value = flags.findLast((flag) => flag.name === name)?.value;
  return value !== undefined && !/^(false|f|0)$/i.test(value ?? "true");
}

function refuseVerb(engine: string, verb: string): MirrordError {
  const what = `${engine} ${verb}`.trim();
  if (verb === "create" || verb === "start") {
    return refuse(
      "run",
      what,
      "a session lasts as long as the container runs, so mirrord starts the container itself",
      `Write ${engine} run.`,
    );
  }
  if (verb === "compose") {
    return refuse(
      "run",
      what,
      "mirrord runs one container",
      `Run the service's image by: ${engine} run. mirrord up runs several containers in one terminal.`,
    );
  }
  return refuse("run", what, verb === "" ? "its command is missing" : "only run is supported", usage);
}

/** Reads flags from `at` on; the place of the first word that is none. */
function readFlags(
  words: readonly string[],
  at: number,
  lists: typeof runFlags,
  take: (flag: Flag) => void,
): number {
  for (let word = words[at]; word !== undefined && /^-[^]/.test(word) && word !== "--"; word = words[at]) {
    const first = at++;
    const found = word.startsWith("--") ? [longFlag(word, lists)] : [...shortFlags(word, lists)];
    const last = found.at(-1);
    if (last?.value === null && lists.valued.has(last.name)) {
      const value = words[at++];
      if (value === undefined) throw refuse("use", last.name, "its value is missing", usage);
      last.value = value;
    }
    for (const { name, value } of found) {
      const own = value === null ? [name] : lists.valued.has(name) ? [name, value] : [`${name}=${value}`];
      take({
        name: lists === runFlags ? longNames[name] ?? name : name,
        value,
        words: found.length === 1 ? words.slice(first, at) : own,
      });
    }
  }
  return at;
}

function longFlag(word: string, { alone, valued }: typeof runFlags): Written {
  const [, name = word, value] = /^(--[^=]+)(?:=([^]*))?$/.exec(word) ?? [];
  if (value === undefined && !alone.has(name) && !valued.has(name)) {
    throw refuse(
      "use",
      name,
      "mirrord does not know whether a value follows it",
      `Write ${name}=VALUE, or ${name}=true.`,
    );
  }
  return { name, value: value ?? null };
}

/** `-it`, `-p80:80`, `-eA=B`, `-w=/app` as pflag reads them: letters, then the value of the last one. */
function* shortFlags(word: string, { alone, valued }: typeof runFlags): Generator<Written> {
  for (let at = 1; at < word.length; at++) {
    const name = `-${word[at]}`;
    const rest = word.slice(at + 1);
    if (valued.has(name)) {
      yield { name, value: rest === "" ? null : rest.replace(/^=/, "") };
      return;
    }
    if (!alone.has(name)) throw refuse("use", name, "mirrord does not know this flag", usage);
    if (rest.startsWith("=")) {
      yield { name, value: rest.slice(1) };
      return;
    }
    yield { name, value: null };
  }
}

/** The refusal of a command line. */
export function refuse(action: string, what: string, state: string, help: string): MirrordError {
  return new MirrordError(`Cannot ${action} "${what}": ${state}`, { help, exitCode: exitCodes.usage });
}
