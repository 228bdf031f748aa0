// An editor with upstream's extension, as far as mirrord sees it: runs `mirrord ext` on a stage with the
// variables that the extension sets, reads its lines, and starts programs with what they say. Disposing ends
// all of it.

import { deadline } from "./deadline.ts";
import { type ContainerLaunch, EditorReader, type Launch, launchEnvironment } from "./editor_contract.ts";
import { sessionProcesses } from "./local_remains.ts";
import { binary, userPath } from "./program.ts";
import type { Stage } from "./stage.ts";
import { TextLineStream } from "./text_lines.ts";
import { whenKilled } from "./when_killed.ts";

/** What VS Code's extension sets for a Python program (reference: mirrord.md 8.2). */
const extensionVariables = {
  MIRRORD_PROGRESS_MODE: "json",
  MIRRORD_PROGRESS_SUPPORT_IDE: "true",
  MIRRORD_IDE_NAME: "vscode",
  MIRRORD_LS_RICH_OUTPUT: "true",
  MIRRORD_EXT_PRINT_CONFIG: "TRUE",
  MIRRORD_BRANCH_NAME: "main",
  MIRRORD_DETECT_DEBUGGER_PORT: "debugpy",
  MIRRORD_IGNORE_DEBUGGER_PORTS: "45000-65535",
  MIRRORD_ACTIVE: "1",
};

export interface EditorOptions {
  /** The configuration file's content. */
  config: unknown;
  /** Flags besides the target's and the file's. */
  flags?: string[];
  env?: Record<string, string>;
  /** `ext` unless given. */
  command?: "ext" | "container-ext";
  /** Put before mirrord, such as a shell that is its parent. */
  prefix?: string[];
}

export class Editor implements AsyncDisposable {
  readonly stage: Stage;
  /** Its XDG_RUNTIME_DIR: the session's own directory appears in there. */
  readonly folder = Deno.makeTempDirSync({ prefix: "mirrord-run-" });
  readonly reader = new EditorReader();
  readonly #child: Deno.ChildProcess;
  readonly #end: AsyncDisposable;
  readonly #own: Record<string, string>;
  readonly #ready = Promise.withResolvers<void>();
  readonly #output: Promise<void>;
  readonly #errors: Promise<string>;
  readonly #programs: Deno.ChildProcess[] = [];

  constructor(stage: Stage, { config, command = "ext", flags = [], env = {}, prefix = [] }: EditorOptions) {
    this.stage = stage;
    Deno.writeTextFileSync(`${this.folder}/config.json`, JSON.stringify(config));
    this.#own = { PATH: userPath(), HOME: Deno.env.get("HOME") ?? "/", NO_COLOR: "1", ...env };
    const words = ["-f", `${this.folder}/config.json`, ...stage.targetFlags, ...flags];
    this.#child = new Deno.Command("setsid", {
      args: [...stage.prefix, ...prefix, binary, command, ...words],
      clearEnv: true,
      env: { ...this.#own, ...extensionVariables, XDG_RUNTIME_DIR: this.folder },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#end = whenKilled(["kill", String(this.#child.pid)]);
    this.#errors = new Response(this.#child.stderr).text();
    this.#output = this.#read();
    this.#ready.promise.catch(() => {});
  }

  async #read(): Promise<void> {
    try {
      for await (const line of this.#child.stdout.pipeThrough(new TextLineStream())) {
        this.reader.read(line);
        if (this.reader.launch !== null || this.reader.container !== null) this.#ready.resolve();
      }
      this.#ready.reject(new Error(`mirrord is not ready: ${await this.#errors}`));
    } catch (error) {
      this.#ready.reject(error);
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** The session directories in its folder: one while it runs. Control sockets lie in one of all sessions. */
  directories(): string[] {
    return [...Deno.readDirSync(this.folder)].filter(({ name, isDirectory }) =>
      isDirectory && name !== "mirrord"
    ).map(({ name }) => name);
  }

  async ready(): Promise<Launch> {
    await deadline(this.#ready.promise, "the editor gets the final line");
    if (this.reader.launch === null) throw new Error("mirrord said nothing about programs");
    return this.reader.launch;
  }

  /** The same of `container-ext`. */
  async readyForContainers(): Promise<ContainerLaunch> {
    await deadline(this.#ready.promise, "the editor gets the final line");
    if (this.reader.container === null) throw new Error("mirrord said nothing about containers");
    return this.reader.container;
  }

  /** Starts a program as a debugger would: with the editor's own environment, changed as mirrord said. */
  start(launch: Launch, argv: string[]): Deno.ChildProcess {
    const [program = "", ...args] = [...this.stage.prefix, ...argv];
    const child = new Deno.Command(program, {
      args,
      clearEnv: true,
      env: launchEnvironment(this.#own, launch),
      stdin: "null",
      stdout: "null",
      stderr: "inherit",
    }).spawn();
    this.#programs.push(child);
    return child;
  }

  /** Signals what the editor started: mirrord, or the prefix that is its parent. */
  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Resolves when mirrord has ended: the exit code of what was started, the text of standard error. */
  async finished(): Promise<{ code: number; stderr: string }> {
    await deadline(this.#output, "mirrord closes standard output");
    const { code } = await deadline(this.#child.status, "mirrord ends");
    await this.#end[Symbol.asyncDispose]();
    return { code, stderr: await this.#errors };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.#programs) killed(program);
    for (const pid of (await sessionProcesses(this.pid, this.folder)).keys()) {
      try {
        Deno.kill(pid, "SIGTERM");
      } catch {
        // It ended meanwhile.
      }
    }
    await this.finished().catch(() => {}); // the case has failed already
    await Promise.all(this.#programs.map((program) => program.status));
    Deno.removeSync(this.folder, { recursive: true });
  }
}

function killed(program: Deno.ChildProcess): void {
  try {
    program.kill("SIGKILL");
  } catch {
    // It ended already.
  }
}
