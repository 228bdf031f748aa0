// What a container of the user's words would be, told by the engine itself: a container is made of them,
// looked at and removed, and nothing of it runs. Called by cmd/container.ts before an agent is started.

import { exitCodes } from "../../base/errors.ts";
import { variable } from "../../base/variables.ts";
import { homeIn } from "../../session/files_rules.ts";
import { cannotRun, stat } from "../look.ts";
import { launchPlatform } from "../this_platform.ts";
import { lastOf, type RunLine } from "./command_line.ts";
import type { Engine } from "./engine.ts";
import { launchedBy } from "./launchers.ts";

/** A container, as far as it matters here. */
export interface MadeContainer {
  /** The file of its program; "" when that is not known. */
  program: string;
  variables: Record<string, string>;
  workingDirectory: string;
  /** HOME, and the user's home by passwd(5). */
  home: string | undefined;
  accountHome: string | undefined;
  /** Where something of this machine is mounted. */
  mounts: string[];
}

/** What of the engine's answer is read (docker inspect; podman and nerdctl answer in its form). */
interface Inspected {
  Path?: string;
  Args?: string[] | null;
  Config?: { Env?: string[] | null; WorkingDir?: string; User?: string };
  HostConfig?: { Tmpfs?: Record<string, string> | null };
  Mounts?: { Destination?: string; Source?: string; Type?: string }[] | null;
}

/** Files about the target's network, which every engine mounts and nerdctl lists. */
const enginesMounts = ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf"];

/**
 * Flags that only a container that runs has, or that would show in the engine: the one that is looked at has
 * no name.
 */
const notToCreate = new Set([
  "--attach",
  "--cidfile",
  "--conmon-pidfile",
  "--detach",
  "--detach-keys",
  "--interactive",
  "--name",
  "--passwd",
  "--pidfile",
  "--preserve-fd",
  "--preserve-fds",
  "--publish",
  "--publish-all",
  "--quiet",
  "--replace",
  "--restart",
  "--rm",
  "--rmi",
  "--sig-proxy",
  "--tty",
]);

/** How to look at a container. */
export interface Look {
  /** Takes copies of its programs. */
  folder: string;
  /** The container's own, by which it is found where its id is not known. */
  label: string;
  signal: AbortSignal;
}

/**
 * Makes the container and looks at it; it is gone when this returns. Throws MirrordError for a program that
 * the layer cannot get into, or that is not there.
 */
export async function lookAtContainer(
  engine: Engine,
  line: RunLine,
  { folder, label, signal }: Look,
): Promise<MadeContainer> {
  const flags = line.flags.filter(({ name }) => !notToCreate.has(name)).flatMap(({ words }) => words);
  let id: string | undefined;
  try {
    id = await engine.create(["--label", label, ...flags, line.image, ...line.rest], signal);
    const told = readInspected(await engine.ask(["inspect", id], signal));
    if (told === null) throw cannotRun(line.image, `"${engine.name} inspect" does not tell what it is`);
    const files = new ContainerFiles(engine, id, { folder, mounted: mountedFiles(told), signal });
    const config = told.Config?.Env !== undefined ? told.Config : await imageConfig(engine, line, signal);
    const variables = readVariables(config.Env ?? []);
    const program = await checkPrograms(line.image, { ...told, Config: config }, { variables, files });
    const accountHome = await homeOf(config.User ?? "", files);
    const mounts = [
      ...(told.Mounts ?? []).flatMap(({ Destination: path }) => path ?? []),
      ...Object.keys(told.HostConfig?.Tmpfs ?? {}),
    ];
    return {
      program,
      variables,
      workingDirectory: config.WorkingDir || "/",
      home: variables["HOME"] ?? accountHome,
      accountHome,
      mounts: mounts.filter((path) => !enginesMounts.includes(path)),
    };
  } finally {
    // The engine's command may have been ended after it made the container and before it said so.
    const ids = id === undefined ? await engine.labelled(label) : [id];
    if (ids.length > 0) await engine.remove(ids);
  }
}

/** What nerdctl does not tell of a container: the image's, and over it what the flags say. */
async function imageConfig(
  engine: Engine,
  line: RunLine,
  signal: AbortSignal,
): Promise<NonNullable<Inspected["Config"]>> {
  const told = readInspected(await engine.ask(["image", "inspect", line.image], signal))?.Config ?? {};
  const given = line.flags.filter(({ name }) => name === "--env").flatMap(({ value }) => {
    const own = value?.includes("=") ? value : undefined;
    return own ?? `${value}=${variable(value ?? "") ?? ""}`;
  });
  return {
    Env: [...told.Env ?? [], ...given],
    WorkingDir: lastOf(line, "--workdir") ?? told.WorkingDir ?? "",
    User: lastOf(line, "--user") ?? told.User ?? "",
  };
}

/** The answer of `inspect`: a list of one. */
function readInspected(text: string | null): Inspected | null {
  try {
    const [first] = JSON.parse(text ?? "[]") as (Inspected | undefined)[];
    return first ?? null;
  } catch {
    return null;
  }
}

/** Files of this machine that are mounted by themselves, by their paths in the container. */
function mountedFiles({ Mounts: mounts }: Inspected): Map<string, string> {
  const found = new Map<string, string>();
  for (const { Destination: path, Source: source, Type: type } of mounts ?? []) {
    if (type !== "bind" || path === undefined || source === undefined) continue;
    if (stat(source)?.isFile) found.set(path, source);
  }
  return found;
}

function readVariables(entries: readonly string[]): Record<string, string> {
  return Object.fromEntries(entries.map((entry) => {
    const equals = entry.indexOf("=");
    return equals < 0 ? [entry, ""] : [entry.slice(0, equals), entry.slice(equals + 1)];
  }));
}

/** Follows the container's command to its program and checks it; resolves with its file. */
async function checkPrograms(
  image: string,
  { Path: path = "", Args: args, Config: config }: Inspected,
  { variables, files }: { variables: Record<string, string>; files: ContainerFiles },
): Promise<string> {
  let words: readonly string[] = [path, ...(args ?? [])];
  for (let next = launchedBy(words); next !== null; next = launchedBy(words)) words = next;
  const [name = "", ...rest] = words;
  const file = await files.find(name, variables["PATH"] ?? "", config?.WorkingDir || "/");
  if (file === null) {
    throw cannotRun(
      image,
      `there is no program "${name}" in it`,
      exitCodes.notFound,
      "No agent was started.",
    );
  }
  await launchPlatform.checkProgram(image, {
    file,
    args: rest,
    variables,
    depth: 0,
    placeOf: (path) => files.placeOf(path),
  });
  return file;
}

/** Where a user's home is by the container's passwd(5); the user is a name or a number, root unless given. */
async function homeOf(user: string, files: ContainerFiles): Promise<string | undefined> {
  const place = await files.placeOf("/etc/passwd");
  if (place === null) return undefined;
  return homeIn(place, user.split(":")[0] || "0");
}

interface ContainerFilesOptions {
  folder: string;
  /** Podman does not find them in a container that does not run. */
  mounted: ReadonlyMap<string, string>;
  signal: AbortSignal;
}

/** Files of a container that does not run: each is copied out when it is asked for. */
class ContainerFiles {
  readonly #engine: Engine;
  readonly #id: string;
  readonly #folder: string;
  readonly #signal: AbortSignal;
  readonly #known: Map<string, string | null>;

  constructor(engine: Engine, id: string, { folder, mounted, signal }: ContainerFilesOptions) {
    this.#known = new Map(mounted);
    this.#engine = engine;
    this.#id = id;
    this.#folder = folder;
    this.#signal = signal;
  }

  /** The copy of the file at `path`; null: there is none. */
  async placeOf(path: string): Promise<string | null> {
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    const copy = `${this.#folder}/${this.#known.size}`;
    const found = await this.#engine.copy(this.#id, path, copy, this.#signal) ? copy : null;
    this.#known.set(path, found);
    return found;
  }

  /** The path of the program `name`; null: there is none. */
  async find(name: string, path: string, directory: string): Promise<string | null> {
    const candidates = name.startsWith("/")
      ? [name]
      : name.includes("/")
      ? [`${directory}/${name}`]
      : path.split(":").filter((folder) => folder.startsWith("/")).map((folder) => `${folder}/${name}`);
    for (const candidate of candidates) if (await this.placeOf(candidate) !== null) return candidate;
    return null;
  }
}
