// A container engine by its command line: docker, podman or nerdctl, asked for what mirrord must know. Called
// by its neighbours here and by cmd/container.ts.

import { exitCodes, MirrordError } from "../../base/errors.ts";
import { hasRawBytes } from "../../base/os_text.ts";
import { holdSteps } from "../../base/progress.ts";
import { variable } from "../../base/variables.ts";
import { cannotRun, places, stat } from "../look.ts";
import type { RunLine } from "./command_line.ts";

export const engineKinds = ["docker", "podman", "nerdctl"] as const;
export type EngineKind = (typeof engineKinds)[number];

/** What a shell does with the container $id: kills it, or removes one that was not started. */
const killed = '"$@" kill "$id" && exit; case $("$@" inspect --format "{{.State.Status}}" "$id") in ' +
  'created|configured|initialized) exec "$@" rm --force --volumes "$id" ;; esac; exit';
const removed = '"$@" kill "$id"; exec "$@" rm --force --volumes "$id"';

interface Output {
  code: number;
  stdout: string;
  stderr: string;
}

export class Engine {
  readonly kind: EngineKind;
  /** The file of its program. */
  readonly path: string;
  /** As the user wrote it. */
  readonly name: string;
  readonly #global: readonly string[];

  private constructor(kind: EngineKind, path: string, { engine, global }: RunLine) {
    this.kind = kind;
    this.path = path;
    this.name = engine;
    this.#global = global;
  }

  /** Finds the program. Throws MirrordError where it is missing, or runs no containers of this machine. */
  static async open(line: RunLine, signal: AbortSignal): Promise<Engine> {
    checkMachine(line.engine);
    const path = find(line.engine);
    const { stdout } = await call(path, ["--version"], signal);
    const kind = /podman|nerdctl/i.exec(stdout)?.[0].toLowerCase() ?? "docker"; // "docker" may be podman
    const engine = new Engine(kind as EngineKind, path, line);
    if (engine.kind !== "podman") await engine.#checkPlace(signal);
    return engine;
  }

  /** The words of one of its commands. */
  words(...command: readonly string[]): string[] {
    return [...this.#global, ...command];
  }

  /**
   * Makes a container without starting it, and resolves with its id. What the engine says meanwhile (it may
   * load the image) is shown. Throws MirrordError with the engine's exit code.
   */
  async create(words: readonly string[], signal: AbortSignal): Promise<string> {
    using _held = holdSteps();
    const { code, stdout } = await call(this.path, this.words("create", ...words), signal, "inherit");
    if (code === 0) return stdout.trim().split("\n").at(-1) ?? "";
    throw new MirrordError(`Cannot make a container by "${this.name} create": it ended with ${code}`, {
      help: "The lines above are the engine's own. No agent was started.",
      exitCode: code,
    });
  }

  /** The result of a command; null where it fails. */
  async ask(words: readonly string[], signal?: AbortSignal): Promise<string | null> {
    const { code, stdout } = await call(this.path, this.words(...words), signal);
    return code === 0 ? stdout : null;
  }

  /**
   * Copies the file at `path` of container `id`, or what it is a link to, to `to`. false: there is none, or
   * it is a folder.
   */
  async copy(id: string, path: string, to: string, signal: AbortSignal): Promise<boolean> {
    const follow = this.kind === "podman" ? [] : ["--follow-link"]; // podman always does
    if (await this.ask(["cp", ...follow, `${id}:${path}`, to], signal) === null) return false;
    return stat(to)?.isFile ?? false;
  }

  /** The ids of the containers, running or not, that have a label. */
  async labelled(label: string): Promise<string[]> {
    const told = await this.ask(["ps", "--all", "--quiet", "--filter", `label=${label}`]);
    return (told ?? "").split("\n").filter(Boolean);
  }

  async remove(ids: readonly string[]): Promise<void> {
    await this.ask(["rm", "--force", "--volumes", ...ids]);
  }

  /**
   * A command that kills the container of a label, and removes it if the engine would (--rm). The engine's
   * command that makes the container may still run: it is looked for during ten seconds.
   */
  ending(label: string, isRemoved: boolean): string[] {
    const script = 'n=0; while [ $n -lt 50 ]; do for id in $("$@" ps --all --quiet --filter "$0"); do ' +
      `${isRemoved ? removed : killed}; done; n=$((n + 1)); sleep 0.2; done`;
    return ["sh", "-c", script, `label=${label}`, this.path, ...this.words()];
  }

  /** Its containers must have the network that this process has. */
  async #checkPlace(signal: AbortSignal): Promise<void> {
    const { code, stdout, stderr } = await call(
      this.path,
      this.words("info", "--format", "{{.OperatingSystem}} {{json .SecurityOptions}}"),
      signal,
    );
    if (code !== 0) {
      const said = `${stderr}\n${stdout}`.trim().split("\n").at(-1) ?? "";
      throw new MirrordError(`Cannot use "${this.name}": ${said || `its command info ended with ${code}`}`, {
        help: "No agent was started.",
        exitCode: exitCodes.unavailable,
      });
    }
    const reason = /Docker Desktop/.test(stdout)
      ? "Docker Desktop runs its containers in a virtual machine"
      : /name=rootless/.test(stdout)
      ? "it runs rootless, with a network of its own for all of its containers"
      : null;
    if (reason !== null) throw refused(this.name, reason);
  }
}

/** Throws MirrordError where no engine runs containers of this machine itself. */
export function checkMachine(engine: string, { os } = Deno.build): void {
  if (os !== "linux") throw refused(engine, "it runs its containers in a virtual machine");
}

function refused(engine: string, reason: string): MirrordError {
  return new MirrordError(`Cannot use "${engine}": ${reason}, from which the session is not reached`, {
    help: "Use an engine that root runs on a Linux machine, or podman there, which may be rootless.",
    exitCode: exitCodes.unavailable,
  });
}

/** The file of the engine's program. */
function find(name: string): string {
  const candidates = name.includes("/") ? [name] : places(name, variable("PATH") ?? "");
  const found = candidates.find((path) => {
    const state = stat(path);
    return state?.isFile === true && ((state.mode ?? 0) & 0o111) !== 0;
  });
  if (found !== undefined && !hasRawBytes(found)) return found;
  throw cannotRun(
    name,
    "there is no such program",
    exitCodes.notFound,
    "Install it, or name another engine: docker, podman or nerdctl. No agent was started.",
  );
}

async function call(
  path: string,
  args: readonly string[],
  signal?: AbortSignal,
  stderr: "piped" | "inherit" = "piped",
): Promise<Output> {
  signal?.throwIfAborted();
  const child = new Deno.Command(path, { args: [...args], stdin: "null", stdout: "piped", stderr }).spawn();
  const end = () => kill(child);
  signal?.addEventListener("abort", end);
  const decoder = new TextDecoder();
  try {
    const [status, out, said] = await Promise.all([
      child.status,
      new Response(child.stdout).bytes(),
      stderr === "piped" ? new Response(child.stderr).bytes() : new Uint8Array(),
    ]);
    signal?.throwIfAborted();
    return { code: status.code, stdout: decoder.decode(out), stderr: decoder.decode(said) };
  } finally {
    signal?.removeEventListener("abort", end);
  }
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGTERM");
  } catch {
    // It has ended.
  }
}
