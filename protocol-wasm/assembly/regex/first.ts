// The bytes that a match can begin with, so that text in which none begins is skipped 16 bytes at a time.
// program.ts computes it for patterns that begin by reading a character of few, match.ts uses it while no
// match has begun.
// Invariant: a place that is skipped cannot be the start of a match.

import { Op, Regex, SET_BYTES, take } from "./code";

/** Most different bytes that are compared side by side. */
const BYTE_LIMIT: u32 = 4;
/** With more first bytes than this, passing over is not worth its start. */
const WORTH_LIMIT: u32 = 40;
const TABLE: u32 = 256;

/**
 * Layout: 256 x u8 first table | u8 x 4 first bytes | u8 x 4 second bytes | u32 counts of both (0 = too
 * many).
 */
const FIRST: u32 = TABLE;
const SECOND: u32 = TABLE + 4;
const FIRST_COUNT: u32 = TABLE + 8;
const SECOND_COUNT: u32 = TABLE + 12;

/**
 * Marks in `table` what the instructions reachable from `from` read; false when they ask or match instead.
 */
function reach(regex: Regex, from: u32, table: usize, depth: u32, next: usize): bool {
  let top = regex.stack;
  store<u32>(top, from);
  top += 4;
  const mark = ++regex.mark;
  while (top != regex.stack) {
    top -= 4;
    const instruction = load<u32>(top);
    const seen = regex.marks + (<usize>instruction << 2);
    if (load<u32>(seen) == mark) continue;
    store<u32>(seen, mark);
    const first = load<u32>(regex.code + (<usize>instruction << 3));
    switch (first & 255) {
      case Op.Set:
        markSet(regex, first >> 8, table);
        if (depth == 0) store<u8>(next + instruction + 1, 1);
        break;
      case Op.Jump:
        store<u32>(top, first >> 8);
        top += 4;
        break;
      case Op.Split:
        store<u32>(top, load<u32>(regex.code + (<usize>instruction << 3), 4));
        store<u32>(top, first >> 8, 4);
        top += 8;
        break;
      default:
        return false;
    }
  }
  return true;
}

/** Marks the first UTF-8 bytes of a set; all bytes beyond ASCII when it has one code point there. */
function markSet(regex: Regex, set: u32, table: usize): void {
  const bits = regex.sets + set * SET_BYTES;
  for (let c: u32 = 0; c < 128; c++) {
    const symbol: u32 = load<u8>(regex.ascii + c);
    if ((load<u8>(bits + (symbol >> 3)) >> <u8>(symbol & 7)) & 1) store<u8>(table + c, 1);
  }
  let beyond = false;
  for (let i: u32 = 0; i < regex.cutCount; i++) {
    const last = i + 1 == regex.cutCount || load<u32>(regex.cuts + (<usize>(i + 1) << 2)) > 128;
    const symbol: u32 = load<u8>(regex.cutClasses + i);
    if (last && (load<u8>(bits + (symbol >> 3)) >> <u8>(symbol & 7)) & 1) beyond = true;
  }
  if (beyond) memory.fill(table + 128, 1, 128);
}

/** Writes the bytes of `table` to `list`, repeated to four; returns how many there are, 0 when more. */
function listBytes(table: usize, list: usize): u32 {
  let count: u32 = 0;
  for (let c: u32 = 0; c < TABLE; c++) {
    if (load<u8>(table + c) == 0) continue;
    if (count == BYTE_LIMIT) return 0;
    store<u8>(list + count++, <u8>c);
  }
  for (let i = count; i < BYTE_LIMIT; i++) store<u8>(list + i, load<u8>(list));
  return count;
}

/**
 * What matches of the program that begins at `start` begin with; 0 when they may begin without reading, or
 * with too many characters.
 */
export function findFirst(regex: Regex, start: u32): usize {
  const first = take(TABLE + 16);
  const next = take(regex.codeSize + 1);
  if (!reach(regex, start, first, 0, next)) return 0;
  let count: u32 = 0;
  for (let c: u32 = 0; c < TABLE; c++) count += load<u8>(first + c);
  if (count == 0 || count > WORTH_LIMIT) return 0;
  store<u32>(first + FIRST_COUNT, listBytes(first, first + FIRST));
  const table = take(TABLE);
  let reads = true;
  for (let i: u32 = 0; i < regex.codeSize && reads; i++) {
    if (load<u8>(next + i) != 0) reads = reach(regex, i, table, 1, 0);
  }
  store<u32>(first + SECOND_COUNT, reads ? listBytes(table, first + SECOND) : 0);
  return first;
}

/** The first place from `at` where a match can begin; `end` when there is none. */
export function skipToFirst(first: usize, at: usize, end: usize): usize {
  if (load<u32>(first + FIRST_COUNT) != 0) {
    const a = v128.load8_splat(first + FIRST);
    const b = v128.load8_splat(first + FIRST + 1);
    const c = v128.load8_splat(first + FIRST + 2);
    const d = v128.load8_splat(first + FIRST + 3);
    const paired = load<u32>(first + SECOND_COUNT) != 0;
    const e = v128.load8_splat(first + SECOND);
    const f = v128.load8_splat(first + SECOND + 1);
    const g = v128.load8_splat(first + SECOND + 2);
    const h = v128.load8_splat(first + SECOND + 3);
    while (at + 16 < end) {
      const here = v128.load(at);
      let hits = v128.or(
        v128.or(i8x16.eq(here, a), i8x16.eq(here, b)),
        v128.or(i8x16.eq(here, c), i8x16.eq(here, d)),
      );
      if (paired) {
        const there = v128.load(at + 1);
        const follows = v128.or(
          v128.or(i8x16.eq(there, e), i8x16.eq(there, f)),
          v128.or(i8x16.eq(there, g), i8x16.eq(there, h)),
        );
        hits = v128.and(hits, follows);
      }
      const mask = i8x16.bitmask(hits);
      if (mask != 0) return at + ctz(mask);
      at += 16;
    }
  }
  while (at < end && load<u8>(first + load<u8>(at)) == 0) at++;
  return at;
}
