// Processes: programs that the layer cannot get into, or not into their files, said once each. Made by session.ts. Such a
// program meets this machine's own network, names or files; nobody must learn that from its results.

import { decode, layerMessages } from "../../protocol-wasm/mod.ts";
import { log } from "../base/log.ts";
import type { Floor, Question } from "./floor.ts";
import { opensFilesItself } from "./own_calls.ts";

export class Processes implements Floor {
  readonly kinds = ["unhooked"] as const;
  readonly #told = new Set<string>();
  readonly #met = new Set<string>();
  readonly #remote: boolean;
  readonly #files: boolean;

  /** remote: there is a target; without one nothing runs outside of it. files: the app's files are the target's. */
  constructor({ remote, files }: { remote: boolean; files: boolean }) {
    this.#remote = remote;
    this.#files = files;
  }

  /** A program of the app, by its file. */
  meets(file: string): void {
    if (!this.#files || this.#met.has(file)) return;
    const executable = realPath(file);
    const known = this.#met.has(executable);
    this.#met.add(file).add(executable);
    if (known || !opensFilesItself(executable)) return;
    log.warning(
      `${executable} opens files past the C library: those it reads and writes are this machine's, not the target's`,
    );
  }

  answer({ frame }: Question): Promise<void> {
    const { executable, reason } = decode(layerMessages.unhooked, frame.body);
    if (this.#remote && !this.#told.has(executable)) {
      this.#told.add(executable);
      log.warning(`${executable} runs outside the pod: ${reason}`);
    }
    return Promise.resolve();
  }
}

function realPath(file: string): string {
  try {
    return Deno.realPathSync(file);
  } catch {
    return file; // removed meanwhile
  }
}
