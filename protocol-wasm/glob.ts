// Wildcards over names of environment variables, matched by assembly/glob.ts. The agent compiles those of an `env`
// request, the CLI those of the configuration. Invariant: Globs own one Wasm instance and end with it.

import { instantiate } from "./wasm.ts";

/** What assembly/glob.ts exports; `globs` is a place in the instance's memory. */
interface GlobCore {
  readonly memory: WebAssembly.Memory;
  glob_open(): number;
  glob_text(globs: number): number;
  glob_add(globs: number, length: number): void;
  glob_matches(globs: number, length: number): number;
}

/** Compiled wildcards. */
export interface Globs extends Disposable {
  /** True when one of the patterns matches the whole of `text`; never for text over 64 KiB. */
  matches(text: string): boolean;
}

const textLimit = 65536;

/**
 * Compiles patterns in which "*" stands for any number of characters and "?" for one; letter case counts. Without a
 * pattern nothing matches. Throws RangeError for a pattern over 64 KiB.
 */
export function compileGlobs(patterns: readonly string[]): Globs {
  const globs = new WasmGlobs();
  for (const pattern of patterns) globs.add(pattern);
  return globs;
}

class WasmGlobs implements Globs {
  #core: GlobCore | null = instantiate<GlobCore>();
  readonly #globs = this.#claim().glob_open();

  add(pattern: string): void {
    const length = this.#write(pattern);
    if (length < 0) throw new RangeError(`Cannot use pattern "${pattern.slice(0, 40)}…": it is over 64 KiB`);
    this.#claim().glob_add(this.#globs, length);
  }

  matches(text: string): boolean {
    const length = this.#write(text);
    return length >= 0 && this.#claim().glob_matches(this.#globs, length) === 1;
  }

  [Symbol.dispose](): void {
    this.#core = null;
  }

  #claim(): GlobCore {
    if (this.#core === null) throw new TypeError("These Globs are disposed");
    return this.#core;
  }

  /** Bytes written to the text of the instance, -1 when they do not fit. */
  #write(text: string): number {
    const core = this.#claim();
    const bytes = new TextEncoder().encode(text);
    if (bytes.length > textLimit) return -1;
    new Uint8Array(core.memory.buffer, core.glob_text(this.#globs), bytes.length).set(bytes);
    return bytes.length;
  }
}
