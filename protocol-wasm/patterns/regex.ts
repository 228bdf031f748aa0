// A single regular expression over any text; filters have their own file (filter.ts). The session's policy
// uses it for patterns over paths. Syntax and limits: docstring of `compileRegex`.
// Invariant: a Regex owns one Wasm instance and ends with it.

import { instantiate, staticText } from "../wasm.ts";

/** What assembly/regex.ts exports; `regex` is a place in the instance's memory. */
interface RegexCore {
  readonly memory: WebAssembly.Memory;
  regex_open(): number;
  regex_text(regex: number): number;
  regex_compile(regex: number, length: number, ignoreCase: number): number;
  regex_error(regex: number): number;
  regex_error_at(regex: number): number;
  regex_matches(regex: number, length: number): number;
  regex_steps(regex: number): number;
  regex_size(regex: number): number;
}

const textLimit = 65536;

/** The pattern cannot be used: `reason` in words, `at` the place in it (0 = first character). */
export class RegexError extends Error {
  override readonly name = "RegexError";
  readonly reason: string;
  readonly at: number;

  constructor(pattern: string, reason: string, at: number) {
    super(`Cannot use pattern "${pattern}": ${reason} (at ${at})`);
    this.reason = reason;
    this.at = at;
  }
}

/** A compiled pattern. */
export class Regex implements Disposable {
  #core: RegexCore | null;
  readonly #regex: number;

  /** Called by `compileRegex`. */
  constructor(pattern: Uint8Array, ignoreCase: boolean) {
    const core = instantiate<RegexCore>();
    this.#core = core;
    this.#regex = core.regex_open();
    const text = new TextDecoder();
    const fits = this.#write(pattern);
    if (fits && core.regex_compile(this.#regex, pattern.length, ignoreCase ? 1 : 0) === 1) return;
    const reason = fits
      ? staticText(core.memory, core.regex_error(this.#regex))
      : "the pattern is longer than 4096 bytes";
    const before = fits ? pattern.subarray(0, core.regex_error_at(this.#regex)) : new Uint8Array();
    throw new RegexError(text.decode(pattern.subarray(0, 200)), reason, text.decode(before).length);
  }

  /** True when the pattern matches anywhere in `text` (UTF-8 when bytes); never in text over 64 KiB. */
  matches(text: string | Uint8Array): boolean {
    const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
    return this.#write(bytes) && this.#claim().regex_matches(this.#regex, bytes.length) === 1;
  }

  /** Elementary steps of all matches so far, for tests and benchmarks. */
  get steps(): number {
    return this.#claim().regex_steps(this.#regex) >>> 0;
  }

  /** Instructions of the program. */
  get size(): number {
    return this.#claim().regex_size(this.#regex);
  }

  [Symbol.dispose](): void {
    this.#core = null;
  }

  #claim(): RegexCore {
    if (this.#core === null) throw new TypeError("This Regex is disposed");
    return this.#core;
  }

  #write(bytes: Uint8Array): boolean {
    if (bytes.length > textLimit) return false;
    const core = this.#claim();
    new Uint8Array(core.memory.buffer, core.regex_text(this.#regex), bytes.length).set(bytes);
    return true;
  }
}

/**
 * Compiles a pattern whose matching time is linear in the text. Supported: . \d \w \s \b and their negations,
 * classes with ranges and [:names:], groups of every naming, | * + ? {n,m} greedy or lazy, ^ $ \A \z \< \>,
 * flags i s m x, look-ahead and look-behind (8 of them). \d \w \s \b and flag i are ASCII's. Refused by name:
 * back-references, recursion, atomic groups, possessive quantifiers, conditionals, \p. At most 4096 bytes and
 * 4096 instructions. Throws RegexError.
 */
export function compileRegex(pattern: string | Uint8Array, options: { ignoreCase?: boolean } = {}): Regex {
  const bytes = typeof pattern === "string" ? new TextEncoder().encode(pattern) : pattern;
  return new Regex(bytes, options.ignoreCase ?? false);
}
