// A container of a session from its making to its end: the engine's command is mirrord's child, but the
// container is not. Called by run.ts.

import { log } from "../../base/log.ts";
import type { MirrordError } from "../../base/errors.ts";
import { pauseOrEnd, within } from "../../base/pause.ts";
import { cannotRun } from "../look.ts";
import { lastOf, type RunLine } from "./command_line.ts";
import type { Engine } from "./engine.ts";

/** So many times a container is seen to run without the layer before it is ended, and the pauses. */
const looks = 20;
const lookMilliseconds = 500;
/** A kill fails while another command of the engine works on the container, and once it has ended. */
const killTries = 3;

/** By what a container is found. */
export interface Names {
  /** Where the engine writes its id, once it is made. */
  cidFile: string;
  /** Its own label: the engine's command may end before it has written the file. */
  label: string;
  /** The engine removes it at its end (--rm); where its own command was killed it may leave that. */
  isRemoved?: boolean;
}

/** made: it was not started. */
type State = "none" | "made" | "running" | "ended";

export class RunningContainer implements Disposable {
  readonly #engine: Engine;
  readonly #names: Names;
  #over = false;
  #stopping: ReturnType<typeof setTimeout> | undefined;

  constructor(engine: Engine, names: Names) {
    this.#engine = engine;
    this.#names = names;
  }

  /** Its id while it runs; null: it does not, or not any more. */
  async running(): Promise<string | null> {
    const { state, id } = await this.#look();
    return state === "running" ? id : null;
  }

  async #look(): Promise<{ state: State; id: string }> {
    const id = this.#id() ?? (await this.#engine.labelled(this.#names.label))[0];
    if (id === undefined) return { state: "none", id: "" };
    const told = await this.#engine.ask(["inspect", "--format", "{{.State.Running}} {{.State.Status}}", id]);
    const state = told === null || /exited|dead|remov|stop/.test(told) // null: --rm has removed it
      ? "ended"
      : /^true /.test(told)
      ? "running"
      : /created|configured|initialized/.test(told)
      ? "made"
      : "none";
    return { state, id };
  }

  /**
   * Ends it if it runs, by this command of the engine's, and removes it if it was not started. It is killed
   * where it runs on after stop: a second Ctrl-C ended the engine's command that waits.
   */
  async end(how: "kill" | "stop" = "kill"): Promise<void> {
    const { state, id } = await this.#look();
    if (state === "made") await this.#engine.remove([id]);
    if (state !== "running") return;
    if (how === "stop") {
      await this.#engine.ask(["stop", id]);
      return await this.end();
    }
    log.info("Ending the container");
    for (let tries = 0; tries < killTries; tries++) {
      if (await this.#engine.ask(["kill", id]) !== null) break;
    }
    if (this.#names.isRemoved === true) await this.#engine.remove([id]);
  }

  /** Resolves once its program runs; never if it ends before that is known. */
  async begun(line: RunLine, greeted: Promise<void>): Promise<{ id: string; pid: number }> {
    if (RunningContainer.isKnown(line)) await greeted;
    for (; !this.#over; await pauseOrEnd(lookMilliseconds, undefined)) {
      const id = this.#id();
      if (id === undefined) continue;
      const pid = Number(await this.#engine.ask(["inspect", "--format", "{{.State.Pid}}", id]));
      if (pid > 0 && !this.#over) return { id, pid };
    }
    return await new Promise<never>(() => {});
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
      const { state } = await this.#look();
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

  #id(): string | undefined {
    try {
      return Deno.readTextFileSync(this.#names.cidFile).trim() || undefined;
    } catch {
      return undefined; // no container was made
    }
  }
}
