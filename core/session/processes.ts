// Processes: programs that the app starts and the layer cannot get into, said once each. Made by session.ts. Such a
// program runs with this machine's own network, names and files; nobody must learn that from its results.

import { decode, layerMessages } from "../../protocol-wasm/mod.ts";
import { log } from "../base/log.ts";
import type { Floor, Question } from "./floor.ts";

export class Processes implements Floor {
  readonly kinds = ["unhooked"] as const;
  readonly #told = new Set<string>();
  readonly #remote: boolean;

  /** remote: there is a target; without one nothing runs outside of it. */
  constructor(remote: boolean) {
    this.#remote = remote;
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
