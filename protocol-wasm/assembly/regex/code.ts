// The program of a regular expression as it lies in plain memory. program.ts and first.ts write it, match.ts
// runs it.

/** Bytes of one set: a bit for each class. */
export const SET_BYTES: u32 = 32;

export const enum Op {
  Set,
  Jump,
  Split,
  Assert,
  Look,
  Match,
}

/** Attributes of a class, and of what was read last. */
export const enum Trait {
  Word = 1,
  Line = 2,
  Edge = 4,
}

/** A compiled pattern; lives in plain memory until its instance is dropped. */
@unmanaged
export class Regex {
  /** Instructions: u32 op | x << 8, u32 y. */
  code: usize;
  /** One bit for each class, SET_BYTES for each set. */
  sets: usize;
  /** Class of each ASCII code point (u8); first code point of each class range (u32) and its class (u8). */
  ascii: usize;
  cuts: usize;
  cutClasses: usize;
  traits: usize;
  /**
   * For each program (0 = the pattern, 1.. = look-arounds, then `rough`): u32 first instruction, u32 start
   * state.
   */
  programs: usize;
  /**
   * Automaton: for each state its key (u32 program and traits, then one bit for each instruction) and its row
   * of transitions. A state is named by the number of its row's first transition.
   */
  keys: usize;
  rows: usize;
  hashes: usize;
  /** Scratch: the next key, the closure's stack, and the last closure each instruction was in. */
  next: usize;
  stack: usize;
  marks: usize;
  mark: u32;
  codeSize: u32;
  cutCount: u32;
  /** Classes, the text's end (the last) included. */
  classes: u32;
  looks: u32;
  /**
   * The program that takes every look-around as true, to rule out most texts cheaply; 0 (the pattern) without
   * any.
   */
  rough: u32;
  /** One bit for each look-around: it looks behind. */
  behind: u32;
  anchored: u32;
  kept: u32;
  keyBytes: u32;
  rowSize: u32;
  stateLimit: u32;
  /** What a match can begin with (first.ts), and the state before it; 0 = not known. */
  first: usize;
  root: u32;
  states: u32;
  hashMask: u32;
  /** Elementary steps of all matches so far; what the tests of linearity count. */
  steps: u32;
}

/** New memory, zeroed. */
export function take(bytes: usize): usize {
  const at = heap.alloc(bytes);
  memory.fill(at, 0, bytes);
  return at;
}
