// Sets of code points as sorted, disjoint, inclusive pairs [low, high, low, high, …]; used while compiling
// only. A complement also holds the bytes that are no UTF-8 (utf8.ts), so that "." and [^a] take such a byte
// as one.

import { equalsWord } from "../ascii";
import { INVALID } from "./utf8";

const LAST: u32 = INVALID + 255;

/** Sorts and joins pairs in any order. */
export function normalize(set: Array<u32>): Array<u32> {
  const pairs = new Array<u64>(set.length >> 1);
  for (let i = 0; i < pairs.length; i++) pairs[i] = (<u64>set[2 * i] << 32) | set[2 * i + 1];
  pairs.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const result: Array<u32> = [];
  for (let i = 0; i < pairs.length; i++) {
    const low = <u32>(pairs[i] >> 32);
    const high = <u32>pairs[i];
    const last = result.length - 1;
    if (last > 0 && low <= result[last] + 1) {
      if (high > result[last]) result[last] = high;
    } else {
      result.push(low);
      result.push(high);
    }
  }
  return result;
}

/** Everything that is not in `set` (normalized). */
export function complement(set: Array<u32>): Array<u32> {
  const result: Array<u32> = [];
  let next: u32 = 0;
  for (let i = 0; i < set.length; i += 2) {
    if (set[i] > next) {
      result.push(next);
      result.push(set[i] - 1);
    }
    next = set[i + 1] + 1;
  }
  if (next <= LAST) {
    result.push(next);
    result.push(LAST);
  }
  return result;
}

/** `set` and the other case of its ASCII letters. */
export function addFolded(set: Array<u32>): Array<u32> {
  const result = set.slice();
  for (let i = 0; i < set.length; i += 2) {
    addShifted(result, set[i], set[i + 1], 65, 32);
    addShifted(result, set[i], set[i + 1], 97, -32);
  }
  return normalize(result);
}

function addShifted(result: Array<u32>, low: u32, high: u32, first: u32, shift: i32): void {
  const from = max(low, first);
  const to = min(high, first + 25);
  if (from > to) return;
  result.push(from + shift);
  result.push(to + shift);
}

export function sameSet(a: Array<u32>, b: Array<u32>): bool {
  if (a.length != b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

export function wordSet(): Array<u32> {
  return [48, 57, 65, 90, 95, 95, 97, 122];
}

/** The set of \d \w \s \D \W \S by its letter; null for any other. ASCII only. */
export function namedSet(letter: u32): Array<u32> | null {
  switch (letter) {
    case 100:
      return [48, 57];
    case 68:
      return complement([48, 57]);
    case 119:
      return wordSet();
    case 87:
      return complement(wordSet());
    case 115:
      return [9, 13, 32, 32];
    case 83:
      return complement([9, 13, 32, 32]);
  }
  return null;
}

/** The set of a POSIX class by its name; null when there is none of that name. */
export function namedSetOf(at: usize, length: u32): Array<u32> | null {
  if (equalsWord(at, length, "alpha")) return [65, 90, 97, 122];
  if (equalsWord(at, length, "digit")) return [48, 57];
  if (equalsWord(at, length, "alnum")) return [48, 57, 65, 90, 97, 122];
  if (equalsWord(at, length, "upper")) return [65, 90];
  if (equalsWord(at, length, "lower")) return [97, 122];
  if (equalsWord(at, length, "space")) return [9, 13, 32, 32];
  if (equalsWord(at, length, "blank")) return [9, 9, 32, 32];
  if (equalsWord(at, length, "punct")) return [33, 47, 58, 64, 91, 96, 123, 126];
  if (equalsWord(at, length, "xdigit")) return [48, 57, 65, 70, 97, 102];
  if (equalsWord(at, length, "word")) return wordSet();
  if (equalsWord(at, length, "cntrl")) return [0, 31, 127, 127];
  if (equalsWord(at, length, "print")) return [32, 126];
  if (equalsWord(at, length, "graph")) return [33, 126];
  if (equalsWord(at, length, "ascii")) return [0, 127];
  return null;
}
