// A container of a session while it runs: the engine's command is mirrord's child, but the container is not.
// Called by run.ts.

import { log } from "../../base/log.ts";
import type { MirrordError } from "../../base/errors.ts";
import { within } from "../../base/pause.ts";
import { cannotRun } from "../look.ts";
import { lastOf, type RunLine } from "./command_line.ts";
import type { Engine } from "./engine.ts";

/** So many times a container is seen to run without the layer before it is ended, and the pauses. */
const looks = 20;
const lookMilliseconds = 500;

export class RunningContainer implements Disposable {
  readonly #engine: Engine;
  readonly #cidFile: string;
  #over = false;
  #stopping: ReturnType<typeof setTimeout> | undefined;

  /** cidFile: where the engine writes the container's id. */
  constructor(engine: Engine, cidFile: string) {
    this.#engine = engine;
    this.#cidFile = cidFile;
  }

  /** Its id while it runs; null: it does not, or not any more. */
  async running(): Promise<string | null> {
    return await this.#state() === "running" ? this.#id() : null;
  }

  async #state(): Promise<"none" | "running" | "ended"> {
    const id = this.#id();
    if (id === null) return "none";
    const told = await this.#engine.ask(["inspect", "--format", "{{.State.Running}} {{.State.Status}}", id]);
    if (told === null) return "ended"; // --rm
    return /^true /.test(told) ? "running" : /exited|dead|remov|stop/.test(told) ? "ended" : "none";
  }

  /** Ends it if it runs. */
  async end(): Promise<void> {
    const id = await this.running();
    if (id === null) return;
    log.info("Ending the container");
    await this.#engine.ask(["kill", id]);
  }

  /** Is its first process number 1 there, and so known to the layer as such (layer/preload/guard.c)? */
  static isKnown(line: RunLine): boolean {
    return lastOf(line, "--pid") === undefined;
  }

  /**
   * Resolves with an error, and ends it, once it has run for a while and its layer has not spoken: a security
   * module or file capabilities keep the dynamic linker from loading it. Otherwise never.
   */
  async runsUnhooked(line: RunLine, greeted: Promise<void>): Promise<MirrordError> {
    const never = new Promise<never>(() => {});
    const spoke = greeted.then(() => true);
    for (let seen = 0; seen < looks;) {
      if (await within(spoke, lookMilliseconds, false)) return await never;
      const state = await this.#state();
      if (state === "ended" || this.#over || !RunningContainer.isKnown(line)) return await never;
      if (state === "running") seen++;
    }
    await this.end();
    return cannotRun(
      line.image,
      "the dynamic linker did not load mirrord's library into its program, so it would run outside the pod",
      undefined,
      "The dynamic linker's own line above gives the reason. If there is none, look for a security module that " +
        "confines containers (AppArmor, SELinux: journalctl -k), or for file capabilities of the program.",
    );
  }

  /**
   * Asks it to end, and ends it after its time for that, or when a second Ctrl-C ended the engine's command
   * that waits.
   */
  async stop(): Promise<void> {
    const id = await this.running();
    if (id === null) return;
    await this.#engine.ask(["stop", id]);
    await this.end();
  }

  /**
   * It was asked to end, and is ended after `seconds`, as by the engine's own command stop: many programs
   * ignore SIGTERM when they are the first of a container (pid_namespaces(7)). Negative: it has any time.
   */
  endSoon(seconds: number): void {
    if (seconds < 0) return;
    this.#stopping ??= setTimeout(() => void this.end(), seconds * 1000);
  }

  [Symbol.dispose](): void {
    this.#over = true;
    clearTimeout(this.#stopping);
  }

  #id(): string | null {
    try {
      return Deno.readTextFileSync(this.#cidFile).trim() || null;
    } catch {
      return null; // no container was made
    }
  }
}
