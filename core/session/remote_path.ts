// Paths of the target as bytes: they need not be UTF-8. Called by files.ts.

const slash = 0x2f;
const dot = 0x2e;

/** The absolute path of `relative` in `directory`, by its text alone: links are the target's to follow. */
export function besideDirectory(directory: Uint8Array, relative: Uint8Array): Uint8Array {
  const parts = split(directory);
  for (const part of split(relative)) {
    if (part.length === 2 && part[0] === dot && part[1] === dot) parts.pop();
    else if (part.length !== 1 || part[0] !== dot) parts.push(part);
  }
  if (parts.length === 0) return Uint8Array.of(slash);
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + 1 + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined[at] = slash;
    joined.set(part, at + 1);
    at += 1 + part.length;
  }
  return joined;
}

/** Whether `path` is `top` or lies below it; a slash at the end of either does not count. */
export function isBelow(path: Uint8Array, top: Uint8Array): boolean {
  const end = top.length > 0 && top[top.length - 1] === slash ? top.length - 1 : top.length;
  for (let at = 0; at < end; at++) if (path[at] !== top[at]) return false;
  return path.length >= end && (path.length === end || path[end] === slash);
}

function split(path: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let start = 0; start < path.length;) {
    const found = path.indexOf(slash, start);
    const end = found < 0 ? path.length : found;
    if (end > start) parts.push(path.subarray(start, end));
    start = end + 1;
  }
  return parts;
}
