// One regular expression over any text, for the host (../regex.ts). The engine is in regex/. Invariant: after
// `regex_compile` no call allocates memory.

import { matchesRegex, TEXT_LIMIT } from "./regex/match";
import { Regex } from "./regex/code";
import { compileRegex, Refusal } from "./regex/program";

@unmanaged
class Slot {
  text: usize;
  places: usize;
  regex: usize;
  error: usize;
  errorAt: u32;
}

export function regex_open(): usize {
  const slot = changetype<Slot>(heap.alloc(offsetof<Slot>()));
  slot.text = heap.alloc(TEXT_LIMIT);
  slot.places = heap.alloc(TEXT_LIMIT + 1);
  slot.regex = 0;
  slot.error = 0;
  slot.errorAt = 0;
  return changetype<usize>(slot);
}

/** Where the pattern and texts are to be written: at most 64 KiB. */
export function regex_text(slot: Slot): usize {
  return slot.text;
}

/** Compiles the first `length` bytes of the text; 0 when the pattern is refused. */
export function regex_compile(slot: Slot, length: u32, ignoreCase: u32): u32 {
  const refusal = new Refusal();
  slot.regex = compileRegex(slot.text, length, ignoreCase != 0, refusal);
  slot.error = changetype<usize>(refusal.error);
  slot.errorAt = refusal.at;
  return slot.regex != 0 ? 1 : 0;
}

/** Why the pattern was refused (a static string), and the byte it is about. */
export function regex_error(slot: Slot): usize {
  return slot.error;
}

export function regex_error_at(slot: Slot): u32 {
  return slot.errorAt;
}

/** 1 when the pattern matches anywhere in the first `length` bytes of the text. */
export function regex_matches(slot: Slot, length: u32): u32 {
  return matchesRegex(changetype<Regex>(slot.regex), slot.text, length, slot.places) ? 1 : 0;
}

/** Steps of all matches so far, and instructions of the program: what the tests of linearity compare. */
export function regex_steps(slot: Slot): u32 {
  return changetype<Regex>(slot.regex).steps;
}

export function regex_size(slot: Slot): u32 {
  return changetype<Regex>(slot.regex).codeSize;
}
