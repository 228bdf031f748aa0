// A container of a session while it runs: the engine's command is mirrord's child, but the container is not.
// Called by cmd/container.ts.

import { log } from "../../base/log.ts";
import type { Engine } from "./engine.ts";

export class RunningContainer implements Disposable {
  readonly #engine: Engine;
  readonly #cidFile: string;
  #stopping: ReturnType<typeof setTimeout> | undefined;

  /** cidFile: where the engine writes the container's id. */
  constructor(engine: Engine, cidFile: string) {
    this.#engine = engine;
    this.#cidFile = cidFile;
  }

  /** Its id while it runs; null: it does not, or not any more. */
  async running(): Promise<string | null> {
    const id = this.#id();
    if (id === null) return null;
    const state = await this.#engine.ask(["inspect", "--format", "{{.State.Running}}", id]);
    return state?.trim() === "true" ? id : null;
  }

  /** Ends it if it runs. */
  async end(): Promise<void> {
    const id = await this.running();
    if (id === null) return;
    log.info("Ending the container");
    await this.#engine.ask(["kill", id]);
  }

  /**
   * It was asked to end, and is ended after `seconds`, as by the engine's own command stop: many programs
   * ignore SIGTERM when they are the first of a container (pid_namespaces(7)).
   */
  endSoon(seconds: number): void {
    this.#stopping ??= setTimeout(() => void this.end(), seconds * 1000);
  }

  [Symbol.dispose](): void {
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
