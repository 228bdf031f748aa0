// Small files of the target that say how it finds hosts: read below /proc/PID/root, parsed once per change. Called by
// settings.ts. A link in there means what it means to the target, so it is followed here, not by the kernel, which
// would go on at the agent's own root (proc(5), path_resolution(7)).

/** Larger files are cut: a hosts file of megabytes is a block list, and costs memory in the agent. */
const mostBytes = 8 << 20;
const mostLinks = 40;

interface Kept<T> {
  stamp: string;
  value: T;
}

/** One file, parsed by `parse` when it changed; an absent or unreadable one counts as empty. */
export class TargetFile<T> {
  readonly #path: string;
  readonly #parse: (text: string) => T;
  #kept: Kept<T> | null = null;

  constructor(path: string, parse: (text: string) => T) {
    this.#path = path;
    this.#parse = parse;
  }

  /** What the file of the process whose root is at `root` says now. */
  read(root: string): T {
    const place = placeInRoot(root, this.#path);
    const stamp = place === null ? "absent" : stampOf(place);
    if (this.#kept?.stamp === stamp) return this.#kept.value;
    const value = this.#parse(place === null || stamp === "absent" ? "" : textOf(place));
    this.#kept = { stamp, value };
    return value;
  }
}

/** Where `path` really is, seen from here; null when it cannot be told. */
export function placeInRoot(root: string, path: string): string | null {
  const waiting = path.split("/").filter(Boolean);
  const walked: string[] = [];
  for (let links = 0; waiting.length > 0;) {
    const part = waiting.shift() ?? "";
    if (part === ".") continue;
    if (part === "..") {
      walked.pop();
      continue;
    }
    walked.push(part);
    const link = linkAt([root, ...walked].join("/"));
    if (link === null) continue;
    if (++links > mostLinks) return null;
    walked.pop();
    if (link.startsWith("/")) walked.length = 0;
    waiting.unshift(...link.split("/").filter(Boolean));
  }
  return [root, ...walked].join("/");
}

/** Where a symbolic link points; null for anything else. */
function linkAt(place: string): string | null {
  try {
    return Deno.readLinkSync(place);
  } catch {
    return null;
  }
}

/** Changes when the file does; the size too, for a change within the clock's grain. */
function stampOf(place: string): string {
  try {
    const { mtime, size, ino, dev, isFile } = Deno.statSync(place);
    return isFile ? [dev, ino, size, mtime?.getTime()].join(" ") : "absent";
  } catch {
    return "absent";
  }
}

/** The text with one character for each byte: these files have no encoding. */
function textOf(place: string): string {
  try {
    return new TextDecoder("latin1").decode(Deno.readFileSync(place).subarray(0, mostBytes));
  } catch {
    return "";
  }
}
