// Wildcards over names of environment variables: "*" is any number of characters, "?" is one. Case counts.
// The host (../glob.ts) adds patterns, then asks; a name matches when one pattern matches all of it.
// Invariant: at most pattern x name steps, and no memory while matching.

import { decodeUnit, unitLength } from "./regex/utf8";

const GLOB_TEXT_LIMIT: u32 = 65536;

/** One pattern; its bytes follow it. */
@unmanaged
class Pattern {
  next: usize;
  length: u32;
}

@unmanaged
class Globs {
  first: usize;
}

export function glob_open(): usize {
  const globs = changetype<Globs>(heap.alloc(offsetof<Globs>() + GLOB_TEXT_LIMIT));
  globs.first = 0;
  return changetype<usize>(globs);
}

/** Where patterns and names are to be written: at most 64 KiB. */
export function glob_text(globs: Globs): usize {
  return changetype<usize>(globs) + offsetof<Globs>();
}

/** Adds the pattern in the first `length` bytes of the text. */
export function glob_add(globs: Globs, length: u32): void {
  const pattern = changetype<Pattern>(heap.alloc(offsetof<Pattern>() + length));
  pattern.next = globs.first;
  pattern.length = length;
  memory.copy(changetype<usize>(pattern) + offsetof<Pattern>(), glob_text(globs), length);
  globs.first = changetype<usize>(pattern);
}

/** 1 when a pattern matches the name in the first `length` bytes of the text. */
export function glob_matches(globs: Globs, length: u32): u32 {
  const text = glob_text(globs);
  let at = globs.first;
  while (at != 0) {
    const pattern = changetype<Pattern>(at);
    if (matchesGlob(at + offsetof<Pattern>(), pattern.length, text, length)) return 1;
    at = pattern.next;
  }
  return 0;
}

/**
 * After a mismatch only the last "*" takes one unit more: what an earlier one took need not be tried again.
 */
function matchesGlob(pattern: usize, patternLength: u32, text: usize, textLength: u32): bool {
  let p: u32 = 0;
  let t: u32 = 0;
  let star: u32 = u32.MAX_VALUE;
  let taken: u32 = 0;
  while (t < textLength) {
    const c: u32 = p < patternLength ? <u32>load<u8>(pattern + p) : 0;
    if (p < patternLength && c == 42) {
      star = p++;
      taken = t;
    } else if (p < patternLength && c == 63) {
      p++;
      t += unitLength(decodeUnit(text + t, textLength - t));
    } else if (p < patternLength && c == <u32>load<u8>(text + t)) {
      p++;
      t++;
    } else if (star != u32.MAX_VALUE) {
      p = star + 1;
      taken += unitLength(decodeUnit(text + taken, textLength - taken));
      t = taken;
    } else {
      return false;
    }
  }
  while (p < patternLength && load<u8>(pattern + p) == 42) p++;
  return p == patternLength;
}
