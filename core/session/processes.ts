// Processes: programs that cannot load the layer, or open files past it, each reported once; and what is
// started in place of one, where a platform needs that. Made by session.ts. Such a program uses this
// machine's own network, names or files; without the report the developer would learn that from its results.

import { decode, layerMessages } from "../../protocol-wasm/mod.ts";
import { MirrordError } from "../base/errors.ts";
import { osBytes, osText } from "../base/os_text.ts";
import type { Emit } from "./events.ts";
import type { Floor, Question } from "./floor.ts";
import { ownCalls } from "./own_calls.ts";
import { platform } from "../net/this_platform.ts";

const { reach } = await platform.files();

/** What of the app is the target's. */
export interface ProcessesOptions {
  /** There is a target; without one nothing runs outside of it. */
  remote: boolean;
  files: boolean;
  /** Its connections, or what comes to its listeners. */
  sockets: boolean;
  /** Rejects with MirrordError. */
  prepare: Prepare;
  emit: Emit;
}

/** What is started in place of the program at `path`, and the words in place of its first argument. */
export type Prepare = (path: string) => Promise<{ path: string; words: readonly string[] }>;

/** The program itself. */
export function unchanged(path: string): ReturnType<Prepare> {
  return Promise.resolve({ path, words: [] });
}

/** So many programs are examined, and so many named: what a process reports of others is bounded. */
const mostMet = 4096;
const mostTold = 256;

export class Processes implements Floor {
  readonly kinds = ["unhooked", "program"] as const;
  readonly #told = new Set<string>();
  readonly #met = new Set<string>();
  readonly #looking = new Set<Promise<void>>();
  readonly #options: ProcessesOptions;

  constructor(options: ProcessesOptions) {
    this.#options = options;
  }

  /**
   * A program of the app, by its file. Its code is looked through meanwhile: that takes time, and the app
   * need not wait. place: where this machine has the file, when its path is a container's.
   */
  meets(file: string, place?: string): void {
    const { files, sockets } = this.#options;
    if (!(files || sockets) || this.#met.has(file) || this.#met.size >= mostMet) return;
    const executable = place === undefined ? realPath(file) : file;
    const known = this.#met.has(executable);
    this.#met.add(file).add(executable);
    if (known) return;
    const look = this.#look(executable, place ?? executable).finally(() => this.#looking.delete(look));
    this.#looking.add(look);
  }

  async #look(executable: string, place: string): Promise<void> {
    using reached = reach(place);
    const { files, sockets } = await ownCalls(reached.path);
    const { emit } = this.#options;
    if (files && this.#options.files) emit({ type: "ownCalls", executable, calls: "files" });
    if (sockets && this.#options.sockets) emit({ type: "ownCalls", executable, calls: "sockets" });
  }

  async answer({ link, frame }: Question): Promise<void> {
    if (frame.name === "unhooked") {
      const { executable, reason } = decode(layerMessages.unhooked, frame.body);
      return this.#tell(osText(executable), reason);
    }
    const asked = osText(decode(layerMessages.program, frame.body).path);
    const { path, words } = await this.#prepared(asked);
    const bytes = osBytes(words.map((word) => `${word}\0`).join(""));
    await link.reply(frame, "programReply", { path: osBytes(path), arguments: bytes });
  }

  /** One that cannot be started otherwise runs as it is, outside the pod, which is reported. */
  async #prepared(path: string): ReturnType<Prepare> {
    try {
      return await this.#options.prepare(path);
    } catch (error) {
      // A file that is gone or may not be read: exec gives its own errno.
      if (error instanceof MirrordError) this.#tell(path, error.message);
      return { path, words: [] };
    }
  }

  #tell(executable: string, reason: string): void {
    if (!this.#options.remote || this.#told.has(executable) || this.#told.size >= mostTold) return;
    this.#told.add(executable);
    this.#options.emit({ type: "unhooked", executable, reason });
  }

  /** What ran is named, however short it was. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#looking);
  }
}

function realPath(file: string): string {
  using reached = reach(file);
  try {
    const path = Deno.realPathSync(reached.path);
    return reached.path === file ? path : file;
  } catch {
    return file; // removed meanwhile
  }
}
