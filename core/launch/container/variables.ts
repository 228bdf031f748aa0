// How a container is given its variables: secrets of the target must stand on no command line, which every
// user of the machine can read (proc_pid_cmdline(5)). Most go by a file that the engine reads (--env-file, a
// line each, nothing quoted); a value that such a file cannot express goes by the engine's own environment
// (--env NAME). Called by words.ts.

import { hasRawBytes } from "../../base/os_text.ts";

export interface HandedVariables {
  /** The text of the engine's file. */
  file: string;
  /** What the engine has in its environment, and is told the names of. */
  environment: Record<string, string>;
  /** Names of those that cannot be handed over. */
  left: string[];
}

/** Longer lines end the engines' reading (Go's bufio.MaxScanTokenSize is 64 KiB). */
const longestLine = 60_000;
/**
 * Values that an engine's file may change: one with a line break, or that some releases of podman take for
 * quoted.
 */
const unplain = /[\n\r"'`\\]|^\s|\s$/;
/** Names that mean something to an engine itself, or to any program. */
const engines =
  /^(PATH|HOME|USER|TMPDIR|SHELL|TERM|PWD|NO_COLOR|_|.*_PROXY|(DOCKER|BUILDKIT|BUILDX|COMPOSE|CONTAINERS?|CONTAINERD|PODMAN|NERDCTL|NETAVARK|CNI|BUILDAH|STORAGE|REGISTRY|IPFS|ROOTLESSKIT|LD|SSL|SSH|GPG|XDG|DBUS|NOTIFY|LISTEN|LC|LANG|SYSTEMD|AWS|AZURE|GOOGLE|GCLOUD|OTEL|MIRRORD)(_.*)?|GO.*)$/i;
/** A name as a line of such a file may begin with. */
const writable = /^[^\s#=][^\s=]*$/;

/** hasEnvironment: false where mirrord does not start the engine. */
export function handOver(
  variables: Readonly<Record<string, string>>,
  hasEnvironment = true,
): HandedVariables {
  const lines: string[] = [];
  const environment: Record<string, string> = {};
  const left: string[] = [];
  for (const [name, value] of Object.entries(variables)) {
    const line = `${name}=${value}`;
    const breaks = /[\n\r]/.test(value) || line.length > longestLine;
    const mayGoRound = hasEnvironment && !engines.test(name);
    if (hasRawBytes(line) || !writable.test(name) || (breaks && !mayGoRound)) left.push(name);
    else if (breaks || (unplain.test(value) && mayGoRound)) environment[name] = value;
    else lines.push(line);
  }
  return { file: lines.map((line) => `${line}\n`).join(""), environment, left: left.sort() };
}
