// The binary, as this extension calls it: the contract of docs/editors.md. Nothing here knows the editor.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";

/** A failure that mirrord has explained. */
export class MirrordFailure extends Error {
  readonly help: string;
  /** The program mirrord was not found. */
  readonly isMissing: boolean;

  constructor(message: string, help = "", isMissing = false) {
    super(message);
    this.name = "MirrordFailure";
    this.help = help;
    this.isMissing = isMissing;
  }
}

/** How mirrord is run. */
export interface Binary {
  path: string;
  /** The working directory: where the folder's `.mirrord` lies. */
  folder: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
}

/** What a program is started by. */
export interface Launch {
  environment: Record<string, string>;
  patched_path: string | null;
  env_to_unset: string[];
}

/** What a warning offers. */
export interface Button {
  label: string;
  link: string;
}

/** Hears what mirrord says. */
export interface Listener {
  step(text: string): void;
  info(text: string): void;
  warning(text: string, button?: Button): void;
}

/** A target that was chosen; the namespace only where it is not the usual one. */
export interface Target {
  path: string;
  namespace?: string;
}

export interface Order {
  configFile: string | undefined;
  target: Target | undefined;
  executable: string | undefined;
}

const task = "mirrord preparing to launch";
/** Ports that VS Code's debuggers open by code of their own, as js-debug does: they stay on this machine. */
const debuggerPorts = "45000-65535";

/** A session that takes programs until it is ended. */
export class Session {
  readonly launch: Launch;
  /** Resolves when it has ended: with the failure by which, or null when it was asked to. */
  readonly ended: Promise<MirrordFailure | null>;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess, launch: Launch, ended: Promise<MirrordFailure | null>) {
    this.#child = child;
    this.launch = launch;
    this.ended = ended;
  }

  end(): void {
    this.#child.kill("SIGTERM");
  }
}

/** Starts a session. Rejects with MirrordFailure; `signal` gives it up. */
export function openSession(
  binary: Binary,
  { configFile, target, executable }: Order,
  listener: Listener,
  signal?: AbortSignal,
): Promise<Session> {
  const args = [
    "ext",
    ...(configFile === undefined ? [] : ["-f", configFile]),
    ...targetFlags(target),
    ...(executable === undefined ? [] : ["-e", executable]),
  ];
  // VS Code's Node may be 20, which has no Promise.withResolvers.
  return new Promise((resolve, reject) => {
    const { child, ended } = start(binary, args, (text) => {
      const launch = readLine(text, listener);
      if (launch !== null) resolve(new Session(child, launch, ended));
    });
    const stop = (): void => void child.kill("SIGTERM");
    signal?.addEventListener("abort", stop);
    void ended.then((failure) => {
      signal?.removeEventListener("abort", stop);
      reject(failure ?? new MirrordFailure("mirrord ended before it was ready"));
    });
    if (signal?.aborted) stop();
  });
}

function targetFlags(target: Target | undefined): string[] {
  if (target === undefined) return [];
  return ["-t", target.path, ...(target.namespace === undefined ? [] : ["-n", target.namespace])];
}

/** What a line says; the final one carries the launch. What this extension does not know it skips. */
export function readLine(text: string, listener: Listener): Launch | null {
  let line: Record<string, unknown>;
  try {
    line = JSON.parse(text);
  } catch {
    listener.info(text);
    return null;
  }
  const message = line["message"];
  switch (line["type"]) {
    case "NewTask":
      if (line["name"] !== task) listener.step(String(line["name"]));
      return null;
    case "FinishedTask":
      if (line["success"] !== true || typeof message !== "string") return null;
      if (line["name"] === task) return JSON.parse(message);
      listener.info(message);
      return null;
    case "Info":
      listener.info(String(message));
      return null;
    case "Warning":
      listener.warning(String(message));
      return null;
    case "IdeMessage": {
      const { text: said, actions } = message as { text: string; actions: Button[] };
      listener.warning(said, actions[0]);
      return null;
    }
    default:
      return null;
  }
}

/** What mirrord says of a configuration file. */
export interface Verdict {
  errors: string[];
  warnings: string[];
  /** It names a target, or needs none. */
  hasTarget: boolean;
}

/** Checks a configuration file. */
export async function verify(binary: Binary, file: string): Promise<Verdict> {
  const found = JSON.parse(await output(binary, ["verify-config", "--ide", file]));
  if (found.type !== "Success") return { errors: found.errors, warnings: [], hasTarget: false };
  return { errors: [], warnings: found.warnings, hasTarget: found.config.path !== null };
}

/** A target that can be chosen. */
export interface Listed {
  path: string;
  available: boolean;
}

/** The targets of a namespace: the configuration's, the context's, or `namespace`. */
export async function listTargets(
  binary: Binary,
  { configFile, namespace }: { configFile: string | undefined; namespace: string | undefined },
): Promise<{ targets: Listed[]; namespace: string; namespaces: string[] }> {
  const args = [
    "ls",
    ...(configFile === undefined ? [] : ["-f", configFile]),
    ...(namespace === undefined ? [] : ["-n", namespace]),
  ];
  const found = JSON.parse(await output(binary, args));
  return { targets: found.targets, namespace: found.current_namespace, namespaces: found.namespaces };
}

/** Writes `.mirrord/mirrord.json` of the binary's folder, with the schema beside it. */
export async function writeConfig(binary: Binary, target: Target): Promise<void> {
  await output(binary, ["init", ...targetFlags(target)]);
}

async function output(binary: Binary, args: string[]): Promise<string> {
  const lines: string[] = [];
  const failure = await start(binary, args, (line) => lines.push(line)).ended;
  if (failure !== null) throw failure;
  return lines.join("\n");
}

/** Runs mirrord; `line` gets each line of its standard output. */
function start(
  { path, folder, env }: Binary,
  args: string[],
  line: (text: string) => void,
): { child: ChildProcess; ended: Promise<MirrordFailure | null> } {
  const child = spawn(path, args, {
    cwd: folder,
    env: {
      MIRRORD_IGNORE_DEBUGGER_PORTS: debuggerPorts,
      ...env,
      MIRRORD_PROGRESS_MODE: "json",
      MIRRORD_PROGRESS_SUPPORT_IDE: "true",
      MIRRORD_LS_RICH_OUTPUT: "true",
      MIRRORD_IDE_NAME: "vscode",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [rest, errors] = ["", ""];
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    lines.filter((one) => one !== "").forEach(line);
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => errors += text);
  const ended = new Promise<MirrordFailure | null>((resolve) => {
    child.on("error", (error: Error) => resolve(notStarted(path, error)));
    child.on("close", (code: number | null) => {
      // A signal that was sent from here is no failure, but one may have come first.
      const isAsked = child.killed && !/^Error: /m.test(errors);
      resolve(code === 0 || isAsked ? null : failureIn(errors, code));
    });
  });
  return { child, ended };
}

function notStarted(path: string, error: Error): MirrordFailure {
  return new MirrordFailure(
    `Cannot run "${path}": ${error.message}`,
    "Install mirrord, or name its file in the setting mirrord.binaryPath.",
    "code" in error && error.code === "ENOENT",
  );
}

/**
 * The file of the program `name`: a path as it is, a name as PATH has it, otherwise where install.sh puts
 * programs, which is not in the PATH of every desktop. What is nowhere stays a name.
 */
export function findBinary(name: string, env: Binary["env"]): string {
  if (name.includes("/")) return name.replace(/^~(?=\/)/, env["HOME"] ?? "~");
  const folders = [...(env["PATH"] ?? "").split(":"), `${env["HOME"] ?? ""}/.local/bin`, "/usr/local/bin"];
  return folders.map((folder) => `${folder}/${name}`).find((path) => existsSync(path)) ?? name;
}

/** Out of the line `Error: {json}`. */
function failureIn(errors: string, code: number | null): MirrordFailure {
  const [, json] = /^Error: (.*)$/m.exec(errors) ?? [];
  try {
    const { message, help = "", causes = [] } = JSON.parse(json ?? "");
    return new MirrordFailure([message, ...causes].join(": "), help);
  } catch {
    return new MirrordFailure(errors.trim() || `mirrord ended with ${code ?? "a signal"}`);
  }
}
