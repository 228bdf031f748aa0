// Wildcards over names of environment variables, matched by assembly/glob.ts. The agent compiles those of an
// `env` request, the CLI those of the configuration. Names without wildcards are looked up here. Invariant:
// Globs own at most one Wasm instance and end with it.

import { instantiate } from "../wasm.ts";

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
 * Compiles patterns in which "*" stands for any number of characters and "?" for one; letter case counts.
 * Without a pattern nothing matches. Throws RangeError for a pattern over 64 KiB.
 */
export function compileGlobs(patterns: readonly string[]): Globs {
  const plain = new PlainGlobs();
  const rest = patterns.filter((pattern) => !plain.add(pattern));
  const globs = new WasmGlobs(plain);
  for (const pattern of rest) globs.add(pattern);
  return globs;
}

/**
 * The patterns without a wildcard but for a "*" at one end: of a list of hundreds nearly all. They are looked
 * up.
 */
class PlainGlobs {
  readonly #exact = new Set<string>();
  readonly #begins = new Set<string>();
  readonly #ends = new Set<string>();
  #longest = 0;

  /** False when the pattern is of another kind. */
  add(pattern: string): boolean {
    const [, before = "", text = "", after = ""] = /^(\*?)([^*?]{1,200})(\*?)$/s.exec(pattern) ?? [];
    if (text === "" || before + after === "**" || !text.isWellFormed()) return false;
    (before !== "" ? this.#ends : after !== "" ? this.#begins : this.#exact).add(text);
    this.#longest = Math.max(this.#longest, text.length);
    return true;
  }

  matches(text: string): boolean {
    if (this.#exact.has(text)) return true;
    for (let length = Math.min(this.#longest, text.length); length > 0; length--) {
      if (this.#begins.has(text.slice(0, length)) || this.#ends.has(text.slice(-length))) return true;
    }
    return false;
  }
}

class WasmGlobs implements Globs {
  readonly #plain: PlainGlobs;
  /** Made for the first pattern that needs it. */
  #core: GlobCore | null = null;
  #globs = 0;
  #isOver = false;

  constructor(plain: PlainGlobs) {
    this.#plain = plain;
  }

  add(pattern: string): void {
    if (this.#core === null) {
      this.#core = instantiate<GlobCore>();
      this.#globs = this.#core.glob_open();
    }
    const length = this.#write(this.#core, pattern);
    if (length < 0) throw new RangeError(`Cannot use pattern "${pattern.slice(0, 40)}…": it is over 64 KiB`);
    this.#core.glob_add(this.#globs, length);
  }

  matches(text: string): boolean {
    if (this.#isOver) throw new TypeError("These Globs are disposed");
    const isShort = text.length <= textLimit / 3 || new TextEncoder().encode(text).length <= textLimit;
    if (!isShort) return false;
    if (this.#plain.matches(text)) return true;
    if (this.#core === null) return false;
    return this.#core.glob_matches(this.#globs, this.#write(this.#core, text)) === 1;
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#core = null;
  }

  /** Bytes written to the text of the instance, -1 when they do not fit. */
  #write(core: GlobCore, text: string): number {
    const bytes = new TextEncoder().encode(text);
    if (bytes.length > textLimit) return -1;
    new Uint8Array(core.memory.buffer, core.glob_text(this.#globs), bytes.length).set(bytes);
    return bytes.length;
  }
}
