// The engine's command line for the container of a session: the user's own words, and what mirrord adds to
// them. Called by cmd/container.ts and cmd/container_ext.ts. An engine lets the last value of a variable win,
// and its --env win over its --env-file: so what the user gives wins over the target's variables, and what
// the layer needs over both.

import type { RunLine } from "./command_line.ts";
import type { EngineKind } from "./engine.ts";
import type { Names } from "./running.ts";

/** What mirrord adds. */
export interface Additions {
  /** The folder with the session's socket and the layer. */
  folder: string;
  envFile: string;
  /** Names of variables that the engine has in its own environment. */
  handed: readonly string[];
  /** What the layer needs. */
  layer: Readonly<Record<string, string>>;
  /** Names of variables that the container is not to have. */
  unset: readonly string[];
  /** A security module keeps containers from this machine's files. */
  confined: boolean;
}

/** Flags whose effect mirrord has in another way. */
const taken = new Set(["--publish", "--publish-all", "--network", "--cidfile"]);

/** What stands before the user's flags, and what behind them. */
export function addedFlags(
  kind: EngineKind,
  { folder, envFile, handed, layer, unset, confined }: Additions,
): { before: string[]; behind: string[] } {
  return {
    before: [
      ...["--network", "host"],
      // A mount whose source is missing fails, where --volume would make it.
      ...["--mount", `type=bind,source=${folder},target=${folder},readonly`],
      ...(confined ? ["--security-opt", "label=disable"] : []),
      ...["--env-file", envFile],
      ...handed.flatMap((name) => ["--env", name]),
      ...unset.flatMap((name) => kind === "podman" ? ["--unsetenv", name] : ["--env", name]),
    ],
    behind: Object.entries(layer).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
  };
}

/** The words of `run`, without the engine's name. */
export function runWords(
  kind: EngineKind,
  line: RunLine,
  { cidFile, label, ...additions }: Additions & Names,
): string[] {
  const { before, behind } = addedFlags(kind, additions);
  const own = line.flags.filter(({ name }) => !taken.has(name)).flatMap(({ words }) => words);
  return [
    ...line.global,
    "run",
    ...["--cidfile", cidFile, "--label", label],
    ...before,
    ...own,
    ...behind,
    line.image,
    ...line.rest,
  ];
}
