// Runs a compiled pattern over a text. Called by filter.ts for each header line and path. Method: an
// automaton with sets of instructions as its states, made when first needed and kept in a bounded table that
// is emptied when full. Each look-around is first evaluated for every place of the text at once: a
// look-behind by reading forward, a look-ahead by reading its body backward; the answers are bits of one byte
// for each place, and the programs that use them read them there. Invariant: at most codeSize steps for each
// unit of the text and program, whatever pattern and text; no memory.

import { skipToFirst } from "./first";
import { Assertion } from "./parse";
import { Op, Regex, SET_BYTES, Trait } from "./code";
import { decodeUnit, decodeUnitBefore, unitLength, unitPoint } from "./utf8";

/** Longest text; `places` must have one byte more. */
export const TEXT_LIMIT: u32 = 65536;

/** A transition: the next state, 0 = not known yet, with MATCHED when the pattern matched before the unit. */
const MATCHED: u32 = 0x8000;

/** True when the pattern matches anywhere in the `length` bytes at `text`. `places` is scratch memory. */
export function matchesRegex(regex: Regex, text: usize, length: u32, places: usize): bool {
  const looks = regex.looks;
  if (looks == 0) return search(regex, text, length);
  if (regex.kept && !search(regex, text, length)) return false;
  memory.fill(places, 0, length + 1);
  for (let look: u32 = 0; look < looks; look++) {
    if ((regex.behind >> look) & 1) markForward(regex, look, text, length, places);
    else markBackward(regex, look, text, length, places);
  }
  return searchWithLooks(regex, text, length, places);
}

/** Class of a code point beyond ASCII. */
function classOf(regex: Regex, point: u32): u32 {
  let low: u32 = 0;
  let high = regex.cutCount;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (load<u32>(regex.cuts + (<usize>middle << 2)) <= point) low = middle;
    else high = middle;
  }
  return load<u8>(regex.cutClasses + low);
}

/** Matches the rough program, which is the pattern itself when it has no look-around. */
function search(regex: Regex, text: usize, length: u32): bool {
  const program = regex.rough;
  const end = text + length;
  const rows = regex.rows;
  const ascii = regex.ascii;
  const dead = regex.rowSize;
  const first = regex.first;
  let root = first != 0 ? rootState(regex) : 0;
  let state = first != 0 ? root : startState(regex, program);
  let at = text;
  regex.steps += length;
  while (at < end) {
    if (state == root) {
      // What was passed over is of no account: from this state nothing is asked before a unit is read.
      at = skipToFirst(first, at, end);
      if (at == end) return false;
    }
    const c: u32 = load<u8>(at);
    let symbol: u32;
    if (c < 128) {
      symbol = load<u8>(ascii + c);
      at++;
    } else {
      const unit = decodeUnit(at, <u32>(end - at));
      symbol = classOf(regex, unitPoint(unit));
      at += unitLength(unit);
    }
    let entry: u32 = load<u16>(rows + ((state + symbol) << 1));
    if (entry == 0) {
      entry = step(regex, state, symbol, 0, program, false);
      if (root != 0) root = rootState(regex);
    }
    if (entry & MATCHED) return true;
    if (entry == dead) return false;
    state = entry;
  }
  return (transition(regex, state, regex.classes - 1, 0, program, false) & MATCHED) != 0;
}

/** The state before any match has begun; only of patterns that begin by reading (first.ts). */
function rootState(regex: Regex): u32 {
  if (regex.root == 0) {
    memory.fill(regex.next, 0, regex.keyBytes);
    addToKey(regex, load<u32>(regex.programs + (<usize>regex.rough << 3)));
    regex.root = stateOf(regex, regex.rough, 0);
  }
  return regex.root;
}

function searchWithLooks(regex: Regex, text: usize, length: u32, places: usize): bool {
  let state = startState(regex, 0);
  let at: u32 = 0;
  while (at < length) {
    const unit = unitAt(regex, text + at, length - at);
    const entry = transition(regex, state, unit & 255, load<u8>(places + at), 0, false);
    if (entry & MATCHED) return true;
    if (entry == regex.rowSize) return false;
    state = entry;
    at += unit >> 8;
  }
  return (transition(regex, state, regex.classes - 1, load<u8>(places + at), 0, false) & MATCHED) != 0;
}

/** Class of the unit at `at`, and its length << 8. */
@inline
function unitAt(regex: Regex, at: usize, rest: u32): u32 {
  const c: u32 = load<u8>(at);
  if (c < 128) return <u32>load<u8>(regex.ascii + c) | (1 << 8);
  const unit = decodeUnit(at, rest);
  return classOf(regex, unitPoint(unit)) | (unitLength(unit) << 8);
}

/** The same of the unit before `at`. */
@inline
function unitBefore(regex: Regex, text: usize, at: usize): u32 {
  const c: u32 = load<u8>(at - 1);
  if (c < 128) return <u32>load<u8>(regex.ascii + c) | (1 << 8);
  const unit = decodeUnitBefore(text, at);
  return classOf(regex, unitPoint(unit)) | (unitLength(unit) << 8);
}

/** Look-behind: marks every place at which a match of the body ends. */
function markForward(regex: Regex, look: u32, text: usize, length: u32, places: usize): void {
  let state = startState(regex, look + 1);
  let at: u32 = 0;
  while (true) {
    const unit = at < length ? unitAt(regex, text + at, length - at) : regex.classes - 1;
    const bits: u32 = load<u8>(places + at);
    const entry = transition(regex, state, unit & 255, bits, look + 1, false);
    if (entry & MATCHED) store<u8>(places + at, bits | (1 << look));
    if (at >= length) return;
    state = entry & ~MATCHED;
    at += unit >> 8;
  }
}

/** Look-ahead: marks every place at which a match of the body begins. */
function markBackward(regex: Regex, look: u32, text: usize, length: u32, places: usize): void {
  let state = startState(regex, look + 1);
  let at = length;
  while (true) {
    const unit = at > 0 ? unitBefore(regex, text, text + at) : regex.classes - 1;
    const bits: u32 = load<u8>(places + at);
    const entry = transition(regex, state, unit & 255, bits, look + 1, true);
    if (entry & MATCHED) store<u8>(places + at, bits | (1 << look));
    if (at == 0) return;
    state = entry & ~MATCHED;
    at -= unit >> 8;
  }
}

/** The kept transition, or a new one. `bits`: look-arounds true at the place. */
@inline
function transition(regex: Regex, state: u32, symbol: u32, bits: u32, program: u32, backward: bool): u32 {
  regex.steps++;
  if (!regex.kept) return step(regex, state, symbol, bits, program, backward);
  const entry: u32 = load<u16>(entryOf(regex, state, symbol, bits));
  return entry != 0 ? entry : step(regex, state, symbol, bits, program, backward);
}

@inline
function entryOf(regex: Regex, state: u32, symbol: u32, bits: u32): usize {
  return regex.rows + ((state + symbol + regex.classes * bits) << 1);
}

/** The state before the first unit of program `program`. */
function startState(regex: Regex, program: u32): u32 {
  const entry = regex.programs + (<usize>program << 3);
  const known = load<u32>(entry, 4);
  if (known != 0) return known;
  memory.fill(regex.next, 0, regex.keyBytes);
  addToKey(regex, load<u32>(entry));
  const state = stateOf(regex, program, Trait.Edge);
  store<u32>(entry, state, 4);
  return state;
}

@inline
function addToKey(regex: Regex, instruction: u32): void {
  const word = regex.next + 4 + (<usize>(instruction >> 5) << 2);
  store<u32>(word, load<u32>(word) | (1 << (instruction & 31)));
}

/**
 * Computes a transition: which instructions `state` reaches without reading, and where the unit leads from
 * them.
 */
function step(regex: Regex, state: u32, symbol: u32, bits: u32, program: u32, backward: bool): u32 {
  const key = regex.keys + (state / regex.rowSize) * regex.keyBytes;
  const before: u32 = load<u8>(key, 1);
  const after: u32 = load<u8>(regex.traits + symbol);
  const previous = backward ? after : before;
  const following = backward ? before : after;
  const reads = symbol != regex.classes - 1;
  memory.fill(regex.next, 0, regex.keyBytes);
  if (++regex.mark == 0) {
    memory.fill(regex.marks, 0, regex.codeSize << 2);
    regex.mark = 1;
  }
  const mark = regex.mark;
  const stack = regex.stack;
  let steps: u32 = regex.keyBytes >> 2;
  let matched = false;
  let any = false;
  for (let word: u32 = 4; word < regex.keyBytes; word += 4) {
    let pending: u32 = load<u32>(key + word);
    while (pending != 0) {
      let top = stack;
      store<u32>(top, ((word - 4) << 3) + ctz(pending));
      top += 4;
      pending &= pending - 1;
      while (top != stack) {
        top -= 4;
        const instruction = load<u32>(top);
        const seen = regex.marks + (<usize>instruction << 2);
        if (load<u32>(seen) == mark) continue;
        store<u32>(seen, mark);
        steps++;
        const first = load<u32>(regex.code + (<usize>instruction << 3));
        const x = first >> 8;
        switch (first & 255) {
          case Op.Set:
            if (reads && (load<u8>(regex.sets + x * SET_BYTES + (symbol >> 3)) >> (symbol & 7)) & 1) {
              addToKey(regex, instruction + 1);
              any = true;
            }
            break;
          case Op.Jump:
            store<u32>(top, x);
            top += 4;
            break;
          case Op.Split:
            store<u32>(top, load<u32>(regex.code + (<usize>instruction << 3), 4));
            store<u32>(top, x, 4);
            top += 8;
            break;
          case Op.Assert:
            if (!holds(x, previous, following)) break;
            store<u32>(top, instruction + 1);
            top += 4;
            break;
          case Op.Look:
            if (((bits >> x) & 1) == load<u32>(regex.code + (<usize>instruction << 3), 4)) break;
            store<u32>(top, instruction + 1);
            top += 4;
            break;
          case Op.Match:
            matched = true;
            break;
        }
      }
    }
  }
  regex.steps += steps;
  if (!regex.anchored || (program != 0 && program != regex.rough)) {
    addToKey(regex, load<u32>(regex.programs + (<usize>program << 3)));
    any = true;
  }
  const known = regex.states;
  // The first row is that of the state without instructions: nothing can match any more.
  let entry = any ? stateOf(regex, program, after & ~Trait.Edge) : regex.rowSize;
  if (matched) entry |= MATCHED;
  // A table emptied just now no longer holds `state`: its row belongs to another.
  if (regex.kept && regex.states >= known) store<u16>(entryOf(regex, state, symbol, bits), entry);
  return entry;
}

function holds(assertion: u32, previous: u32, following: u32): bool {
  switch (assertion) {
    case Assertion.Start:
      return (previous & Trait.Edge) != 0;
    case Assertion.End:
      return (following & Trait.Edge) != 0;
    case Assertion.LineStart:
      return (previous & (Trait.Edge | Trait.Line)) != 0;
    case Assertion.LineEnd:
      return (following & (Trait.Edge | Trait.Line)) != 0;
  }
  const left = previous & Trait.Word;
  const right = following & Trait.Word;
  switch (assertion) {
    case Assertion.Boundary:
      return left != right;
    case Assertion.NotBoundary:
      return left == right;
    case Assertion.WordStart:
      return left < right;
  }
  return left > right;
}

/** The state whose instructions are in `regex.next`; makes it when it is new. */
function stateOf(regex: Regex, program: u32, traits: u32): u32 {
  const next = regex.next;
  const keyBytes = regex.keyBytes;
  store<u32>(next, program | (traits << 8));
  let hash: u32 = 0;
  for (let at: u32 = 0; at < keyBytes; at += 4) hash = rotl(hash, 5) ^ (load<u32>(next + at) * 0x9e3779b1);
  hash ^= hash >> 15;
  let slot = hash & regex.hashMask;
  while (true) {
    const number: u32 = load<u16>(regex.hashes + (slot << 1));
    if (number == 0) break;
    if (memory.compare(regex.keys + number * keyBytes, next, keyBytes) == 0) return number * regex.rowSize;
    slot = (slot + 1) & regex.hashMask;
  }
  if (regex.states >= regex.stateLimit) {
    empty(regex);
    slot = hash & regex.hashMask;
  }
  const number = ++regex.states;
  memory.copy(regex.keys + number * keyBytes, next, keyBytes);
  memory.fill(regex.rows + ((number * regex.rowSize) << 1), 0, regex.rowSize << 1);
  store<u16>(regex.hashes + (slot << 1), number);
  return number * regex.rowSize;
}

/**
 * Forgets all states. Those in use are made again from their keys, which the callers hold in `regex.next`.
 */
function empty(regex: Regex): void {
  regex.states = 1;
  regex.root = 0;
  memory.fill(regex.hashes, 0, (regex.hashMask + 1) << 1);
  for (let program: u32 = 0; program <= regex.looks + 1; program++) {
    store<u32>(regex.programs + (<usize>program << 3), 0, 4);
  }
}
