// A parsed regular expression → a program in plain memory. Called by filter.ts for each leaf, once.
// Code points are divided into classes that no set of the pattern distinguishes; instructions and automaton
// states know classes only. Invariant: everything match.ts needs is taken here, so that matching takes no
// memory.

import { wordSet } from "./char_set";
import { Op, Regex, SET_BYTES, take, Trait } from "./code";
import { findFirst } from "./first";
import { Assertion, Node, NodeKind, Parser } from "./parse";
import { Flag } from "./scan";
import { INVALID } from "./utf8";

/** Most instructions of one pattern, its look-arounds included. */
export const CODE_LIMIT: i32 = 4096;
/** Most classes, the one of the text's end included. */
const CLASS_LIMIT: i32 = 250;
/** Steps that expanding counted repetitions may take. */
const WORK_LIMIT: i32 = 65536;
/** Transitions of an automaton (two bytes each); bounds the memory of one pattern. */
const TRANSITION_LIMIT: u32 = 12288;
/**
 * Where rows grow too long for that, at least so many states, as far as 15 bits can number the transitions.
 */
const LEAST_STATES: u32 = 16;
const NUMBER_LIMIT: u32 = 32767;
/** With more look-arounds than this, transitions are not kept: there would be too many for each state. */
const KEPT_LOOKS: i32 = 3;

class Compiler {
  code: Array<u64> = [];
  work: i32 = 0;
  tooLarge: bool = false;
  /** Leave look-arounds out, as if they were true. */
  rough: bool = false;

  emit(op: Op, x: u32 = 0, y: u32 = 0): i32 {
    if (this.code.length >= CODE_LIMIT) this.tooLarge = true;
    else this.code.push(op | (<u64>x << 8) | (<u64>y << 32));
    return this.code.length - 1;
  }

  setX(at: i32, x: u32): void {
    this.code[at] = (this.code[at] & 0xffffffff000000ff) | (<u64>x << 8);
  }

  setY(at: i32, y: u32): void {
    this.code[at] = (this.code[at] & 0xffffffff) | (<u64>y << 32);
  }

  get here(): u32 {
    return this.code.length;
  }

  /** `backward`: to be read against the direction of the text. */
  add(node: Node, backward: bool): void {
    if (++this.work > WORK_LIMIT) this.tooLarge = true;
    if (this.tooLarge) return;
    switch (node.kind) {
      case NodeKind.Set:
        this.emit(Op.Set, node.value);
        break;
      case NodeKind.Assert:
        this.emit(Op.Assert, node.value);
        break;
      case NodeKind.Look:
        if (!this.rough) this.emit(Op.Look, node.value, node.negative ? 1 : 0);
        break;
      case NodeKind.Concat: {
        const count = node.items.length;
        for (let i = 0; i < count; i++) this.add(node.items[backward ? count - 1 - i : i], backward);
        break;
      }
      case NodeKind.Alternate:
        this.addAlternate(node, backward);
        break;
      case NodeKind.Repeat:
        this.addRepeat(node, backward);
        break;
    }
  }

  private addAlternate(node: Node, backward: bool): void {
    const jumps: Array<i32> = [];
    const last = node.items.length - 1;
    for (let i = 0; i <= last && !this.tooLarge; i++) {
      if (i == last) {
        this.add(node.items[i], backward);
        break;
      }
      const split = this.emit(Op.Split, this.here + 1);
      this.add(node.items[i], backward);
      jumps.push(this.emit(Op.Jump));
      this.setY(split, this.here);
    }
    for (let i = 0; i < jumps.length; i++) this.setX(jumps[i], this.here);
  }

  private addRepeat(node: Node, backward: bool): void {
    const body = node.items[0];
    const open = node.max < 0;
    for (let i = 0; i < node.min && !this.tooLarge; i++) {
      const from = this.here;
      this.add(body, backward);
      if (open && i == node.min - 1) this.emit(Op.Split, from, this.here + 1);
    }
    if (open && node.min == 0) {
      const split = this.emit(Op.Split, this.here + 1);
      this.add(body, backward);
      this.emit(Op.Jump, split);
      this.setY(split, this.here);
    }
    const splits: Array<i32> = [];
    for (let i = node.min; i < node.max && !this.tooLarge; i++) {
      splits.push(this.emit(Op.Split, this.here + 1));
      this.add(body, backward);
    }
    for (let i = 0; i < splits.length; i++) this.setY(splits[i], this.here);
  }
}

/** True when the node can match only at the start of the text. */
function startsAnchored(node: Node): bool {
  if (node.kind == NodeKind.Assert) return node.value == Assertion.Start;
  if (node.kind == NodeKind.Concat) {
    for (let i = 0; i < node.items.length; i++) {
      const item = node.items[i];
      if (startsAnchored(item)) return true;
      if (item.kind != NodeKind.Assert && item.kind != NodeKind.Look) return false;
    }
    return false;
  }
  if (node.kind == NodeKind.Alternate) {
    for (let i = 0; i < node.items.length; i++) {
      if (!startsAnchored(node.items[i])) return false;
    }
    return true;
  }
  return node.kind == NodeKind.Repeat && node.min > 0 && startsAnchored(node.items[0]);
}

/** Why a pattern was refused. */
export class Refusal {
  error: string = "";
  at: u32 = 0;
}

function refuse(refusal: Refusal, error: string): usize {
  refusal.error = error;
  refusal.at = 0;
  return 0;
}

/** Compiles the pattern at `text`; 0 and the reason in `refusal` when it cannot be used. */
export function compileRegex(text: usize, length: u32, ignoreCase: bool, refusal: Refusal): usize {
  const parser = new Parser(text, length, ignoreCase ? Flag.IgnoreCase : 0);
  const tree = parser.parse();
  if (parser.failed) {
    refusal.error = parser.error;
    refusal.at = parser.errorAt;
    return 0;
  }
  const compiler = new Compiler();
  const starts: Array<u32> = [0];
  compiler.add(tree, false);
  compiler.emit(Op.Match);
  let behind: u32 = 0;
  for (let i = 0; i < parser.looks.length; i++) {
    const look = parser.looks[i];
    starts.push(compiler.here);
    // A look-ahead is found by reading its body backward from every place where it may end.
    compiler.add(look.body, !look.behind);
    compiler.emit(Op.Match);
    if (look.behind) behind |= 1 << i;
  }
  const kept = parser.looks.length <= KEPT_LOOKS;
  if (kept && parser.looks.length > 0) {
    starts.push(compiler.here);
    compiler.rough = true;
    compiler.add(tree, false);
    compiler.emit(Op.Match);
  }
  if (compiler.tooLarge) return refuse(refusal, "it needs more than 4096 instructions");

  const regex = changetype<Regex>(take(offsetof<Regex>()));
  regex.looks = parser.looks.length;
  regex.rough = kept && regex.looks != 0 ? regex.looks + 1 : 0;
  regex.kept = kept ? 1 : 0;
  regex.behind = behind;
  regex.anchored = startsAnchored(tree) ? 1 : 0;
  if (!divide(regex, parser)) return refuse(refusal, "it tells too many characters apart");
  place(regex, compiler.code, starts);
  return changetype<usize>(regex);
}

/** Divides all code points into classes; false when there are too many. */
function divide(regex: Regex, parser: Parser): bool {
  const sets = parser.sets;
  const count = sets.length;
  if (parser.usesWords) sets.push(wordSet());
  if (parser.usesLines) sets.push([10, 10]);
  const cuts: Array<u32> = [0];
  for (let i = 0; i < sets.length; i++) {
    const set = sets[i];
    for (let j = 0; j < set.length; j += 2) {
      cuts.push(set[j]);
      if (set[j + 1] < INVALID + 255) cuts.push(set[j + 1] + 1);
    }
  }
  cuts.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  // Ranges that lie in the same sets share a class: their signature is one bit for each set.
  const words = (sets.length + 63) >> 6;
  const firsts: Array<u32> = [];
  const classOf: Array<i32> = [];
  const signatures: Array<StaticArray<u64>> = [];
  for (let i = 0; i < cuts.length; i++) {
    if (i > 0 && cuts[i] == cuts[i - 1]) continue;
    const signature = new StaticArray<u64>(words);
    for (let s = 0; s < sets.length; s++) {
      if (contains(sets[s], cuts[i])) signature[s >> 6] |= <u64>1 << (s & 63);
    }
    let found = -1;
    for (let k = 0; k < signatures.length && found < 0; k++) {
      let same = true;
      for (let w = 0; w < words && same; w++) same = signatures[k][w] == signature[w];
      if (same) found = k;
    }
    if (found < 0) {
      found = signatures.length;
      signatures.push(signature);
      if (found >= CLASS_LIMIT - 1) return false;
    }
    firsts.push(cuts[i]);
    classOf.push(found);
  }
  regex.classes = signatures.length + 1;
  regex.cutCount = firsts.length;
  regex.cuts = take(firsts.length * 4);
  regex.cutClasses = take(firsts.length);
  regex.ascii = take(128);
  for (let i = 0; i < firsts.length; i++) {
    store<u32>(regex.cuts + (<usize>i << 2), firsts[i]);
    store<u8>(regex.cutClasses + i, classOf[i]);
    const end = i + 1 < firsts.length ? firsts[i + 1] : 128;
    for (let c = firsts[i]; c < end && c < 128; c++) store<u8>(regex.ascii + c, classOf[i]);
  }
  regex.sets = take(max(count, 1) * SET_BYTES);
  regex.traits = take(regex.classes);
  for (let k = 0; k < signatures.length; k++) {
    for (let s = 0; s < sets.length; s++) {
      if (((signatures[k][s >> 6] >> (s & 63)) & 1) == 0) continue;
      if (s < count) {
        const at = regex.sets + s * SET_BYTES + (k >> 3);
        store<u8>(at, <u8>(<u32>load<u8>(at) | (1 << (<u32>k & 7))));
      } else {
        const trait = s == count && parser.usesWords ? Trait.Word : Trait.Line;
        store<u8>(regex.traits + k, <u8>(<u32>load<u8>(regex.traits + k) | <u32>trait));
      }
    }
  }
  store<u8>(regex.traits + regex.classes - 1, Trait.Edge);
  return true;
}

function contains(set: Array<u32>, point: u32): bool {
  for (let i = 0; i < set.length; i += 2) {
    if (point >= set[i] && point <= set[i + 1]) return true;
  }
  return false;
}

/** Writes the code and takes the memory of the automaton and of matching. */
function place(regex: Regex, code: Array<u64>, starts: Array<u32>): void {
  const size = code.length;
  regex.codeSize = size;
  regex.code = take(size << 3);
  for (let i = 0; i < size; i++) store<u64>(regex.code + (<usize>i << 3), code[i]);
  regex.programs = take((regex.looks + 2) << 3);
  for (let i = 0; i < starts.length; i++) store<u32>(regex.programs + (<usize>i << 3), starts[i]);
  regex.keyBytes = 4 + ((size + 31) >> 5 << 2);
  regex.rowSize = regex.kept ? regex.classes << regex.looks : 1;
  const fitting = min<u32>(TRANSITION_LIMIT / regex.rowSize, (2 * TRANSITION_LIMIT) / regex.keyBytes);
  regex.stateLimit = min<u32>(min<u32>(max<u32>(fitting, LEAST_STATES), 1024), NUMBER_LIMIT / regex.rowSize - 1);
  regex.keys = take((regex.stateLimit + 1) * regex.keyBytes);
  regex.rows = take(((regex.stateLimit + 1) * regex.rowSize) << 1);
  let slots: u32 = 64;
  while (slots < 2 * regex.stateLimit) slots <<= 1;
  regex.hashMask = slots - 1;
  regex.hashes = take(slots << 1);
  regex.next = take(regex.keyBytes);
  regex.stack = take((size + 1) << 3);
  regex.marks = take(size << 2);
  regex.states = 1;
  regex.root = 0;
  regex.first = !regex.kept || regex.anchored ? 0 : findFirst(regex, starts[regex.rough]);
}
