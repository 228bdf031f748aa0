// Filters over HTTP/1 request heads, as written in the configuration: JSON text → Filter. The CLI compiles a
// filter to fail early, the agent compiles the same text when it subscribes; the verdicts are those of the
// same Wasm (assembly/filter.ts). Invariant: a Filter owns one Wasm instance and ends with it.

import { FilterError } from "../errors.ts";
import { instantiate, staticText } from "../wasm.ts";

/** What assembly/filter.ts exports; `filter` is a place in the instance's memory. */
interface FilterCore {
  readonly memory: WebAssembly.Memory;
  filter_open(): number;
  filter_text(filter: number): number;
  filter_error(filter: number): number;
  filter_error_at(filter: number): number;
  filter_join(filter: number, type: number): number;
  filter_close(filter: number, join: number): void;
  filter_leaf(filter: number, type: number, length: number): number;
  filter_matches(filter: number, length: number): number;
  filter_steps(filter: number): number;
}

/** A compiled filter. Dispose it when its subscription ends. */
export interface Filter extends Disposable {
  /**
   * True when the complete HTTP/1 request head (start line to empty line) matches. A head that is not one, or
   * is over 64 KiB, never does, whatever the filter.
   */
  matches(head: Uint8Array): boolean;
  /** Elementary steps of all matches so far: what a match costs, for tests and benchmarks. */
  readonly steps: number;
  /** Bytes of Wasm memory that the filter holds. */
  readonly memoryBytes: number;
}

const textLimit = 65536;
const depthLimit = 8;
const leafLimit = 64;
const leaves: Record<string, number> = { header: 0, path: 1, method: 2 };
const joins: Record<string, number> = { all_of: 3, any_of: 4, not: 5 };
const known = '"header", "path", "method", "all_of", "any_of" or "not"';

/**
 * Compiles the JSON text of an `http_filter`:
 *
 *     {"header": "regex"}   some header line, written `Name: value` with one space, matches
 *     {"path": "regex"}     the path, or the path with its query, matches
 *     {"method": "GET"}     the method is this one
 *     {"all_of": […]}  {"any_of": […]}  {"not": {…}}
 *
 * Every object has one key. Letter case does not count in any leaf; a pattern matches anywhere unless
 * anchored. At most 64 leaves, 8 levels. Throws FilterError.
 */
export function compileFilter(filter: string): Filter {
  let parsed: unknown;
  try {
    parsed = JSON.parse(filter);
  } catch (cause) {
    throw new FilterError(`Cannot use filter: it is not JSON (${String(cause)})`, { cause });
  }
  const compiled = new WasmFilter();
  new Builder(compiled).add(parsed, "", 1);
  return compiled;
}

class WasmFilter implements Filter {
  #core: FilterCore | null = instantiate<FilterCore>();
  readonly #filter = this.core.filter_open();

  get core(): FilterCore {
    if (this.#core === null) throw new TypeError("This Filter is disposed");
    return this.#core;
  }

  matches(head: Uint8Array): boolean {
    if (head.length > textLimit) return false;
    this.write(head);
    return this.core.filter_matches(this.#filter, head.length) === 1;
  }

  get steps(): number {
    return this.core.filter_steps(this.#filter);
  }

  get memoryBytes(): number {
    return this.core.memory.buffer.byteLength;
  }

  write(bytes: Uint8Array): void {
    new Uint8Array(this.core.memory.buffer, this.core.filter_text(this.#filter), bytes.length).set(bytes);
  }

  join(type: number): number {
    return this.core.filter_join(this.#filter, type);
  }

  close(join: number): void {
    this.core.filter_close(this.#filter, join);
  }

  /** Null when the leaf is taken, otherwise why it is not and at which byte of its text. */
  leaf(type: number, bytes: Uint8Array): { reason: string; at: number } | null {
    this.write(bytes);
    if (this.core.filter_leaf(this.#filter, type, bytes.length) === 1) return null;
    const reason = staticText(this.core.memory, this.core.filter_error(this.#filter));
    return { reason, at: this.core.filter_error_at(this.#filter) };
  }

  [Symbol.dispose](): void {
    this.#core = null;
  }
}

/**
 * Walks the parsed JSON and passes its parts to Wasm in order. `path` is where a part stands, such as
 * any_of[1].
 */
class Builder {
  readonly #filter: WasmFilter;
  #leaves = 0;

  constructor(filter: WasmFilter) {
    this.#filter = filter;
  }

  add(part: unknown, path: string, depth: number): void {
    if (typeof part !== "object" || part === null || Array.isArray(part)) {
      throw refused(path, `an object with one of ${known} is expected`);
    }
    const entries = Object.entries(part);
    const unknown = entries.find(([key]) => !Object.hasOwn(leaves, key) && !Object.hasOwn(joins, key));
    if (unknown !== undefined) throw refused(path, `unknown key "${unknown[0]}"; ${known} is expected`);
    const entry = entries[0];
    if (entry === undefined || entries.length > 1) {
      throw refused(path, `exactly one of ${known} is expected; join several with "all_of" or "any_of"`);
    }
    const [key, value] = entry;
    const place = path === "" ? key : `${path}.${key}`;
    const leaf = leaves[key];
    if (leaf !== undefined) return this.#addLeaf(leaf, value, place);
    if (depth >= depthLimit) throw refused(place, `more than ${depthLimit} levels`);
    this.#addJoin(key, value, place, depth);
  }

  #addJoin(key: string, value: unknown, place: string, depth: number): void {
    const join = this.#filter.join(joins[key] ?? 0);
    if (join < 0) throw refused(place, "the filter has too many parts");
    if (key === "not") {
      this.add(value, place, depth + 1);
    } else {
      if (!Array.isArray(value) || value.length === 0) {
        throw refused(place, "a list with a filter in it is expected");
      }
      value.forEach((item, index) => this.add(item, `${place}[${index}]`, depth + 1));
    }
    this.#filter.close(join);
  }

  #addLeaf(type: number, value: unknown, place: string): void {
    if (typeof value !== "string" || value === "") throw refused(place, "text is expected");
    if (++this.#leaves > leafLimit) throw refused(place, `more than ${leafLimit} patterns`);
    const bytes = new TextEncoder().encode(value);
    if (bytes.length > textLimit) throw refused(place, "the text is too long");
    // RFC 9110 allows more characters in a method; such text is meant as a pattern, which would never match.
    if (type === leaves.method && !/^[0-9A-Za-z_-]{1,32}$/.test(value)) {
      throw refused(place, "a method such as GET is expected, not a pattern");
    }
    const refusal = this.#filter.leaf(type, bytes);
    if (refusal === null) return;
    const at = new TextDecoder().decode(bytes.subarray(0, refusal.at)).length;
    throw refused(place, `${refusal.reason} (at ${at})`);
  }
}

function refused(place: string, reason: string): FilterError {
  return new FilterError(
    place === "" ? `Cannot use filter: ${reason}` : `Cannot use filter "${place}": ${reason}`,
  );
}
