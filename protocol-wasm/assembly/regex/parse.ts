// Regular expressions as text → a tree. Called by program.ts while a filter is compiled; managed memory is
// used here and there only. The syntax is that of the Rust regex crates with look-around; \d \w \s \b and
// case-insensitivity are ASCII's, everything else counts in code points. Invariant: what cannot be matched in
// linear time is refused by name and place, never approximated.

import { complement, namedSet, sameSet } from "./char_set";
import { DEPTH_LIMIT, Flag, Scanner } from "./scan";

export const PATTERN_LIMIT: u32 = 4096;
/** Look-arounds of one pattern; each is a bit of a byte while matching. */
export const LOOK_LIMIT: i32 = 8;
const REPEAT_LIMIT: i32 = 1000;

export const enum NodeKind {
  Empty,
  Set,
  Assert,
  Look,
  Concat,
  Alternate,
  Repeat,
}

export const enum Assertion {
  Start,
  End,
  LineStart,
  LineEnd,
  Boundary,
  NotBoundary,
  WordStart,
  WordEnd,
}

/**
 * A part of a pattern. value: set number, assertion, or look-around number. min, max: of Repeat; max -1 =
 * open.
 */
export class Node {
  kind: NodeKind;
  value: i32;
  negative: bool = false;
  min: i32 = 0;
  max: i32 = 0;
  items: Array<Node> = [];

  constructor(kind: NodeKind, value: i32) {
    this.kind = kind;
    this.value = value;
  }
}

/** A look-around's body; those nested in it have lower numbers. */
export class Look {
  constructor(public body: Node, public behind: bool) {}
}

export class Parser extends Scanner {
  looks: Array<Look> = [];
  sets: Array<Array<u32>> = [];
  usesWords: bool = false;
  usesLines: bool = false;

  /** The whole pattern; when `failed`, the tree is worthless and `error` is the reason. */
  parse(): Node {
    if (this.length > PATTERN_LIMIT) {
      this.fail("the pattern is longer than 4096 bytes", 0);
      return new Node(NodeKind.Empty, 0);
    }
    const tree = this.parseAlternate();
    if (!this.failed && this.at < this.length) this.fail("a closing parenthesis without an opening one", this.at);
    return tree;
  }

  private parseAlternate(): Node {
    const first = this.parseConcat();
    if (this.failed || this.at >= this.length || this.peek() != 124) return first;
    const node = new Node(NodeKind.Alternate, 0);
    node.items.push(first);
    while (!this.failed && this.take(124)) node.items.push(this.parseConcat());
    return node;
  }

  private parseConcat(): Node {
    const node = new Node(NodeKind.Concat, 0);
    while (!this.failed) {
      this.skipBlanks();
      if (this.at >= this.length) break;
      const c = this.peek();
      if (c == 124 || c == 41) break;
      const start = this.at;
      if (c == 42 || c == 43 || c == 63 || (c == 123 && this.repetitionAhead())) {
        this.fail("nothing to repeat", start);
        break;
      }
      const atom = this.parseAtom();
      if (this.failed) break;
      node.items.push(this.parseRepetition(atom));
    }
    return node.items.length == 1 ? node.items[0] : node;
  }

  /** True when the brace at the place begins {n}, {n,}, {n,m} or {,m}; any other brace is a literal. */
  private repetitionAhead(): bool {
    let at = this.at + 1;
    let digits: u32 = 0;
    let commas: u32 = 0;
    while (at < this.length) {
      const c: u32 = load<u8>(this.text + at);
      if (c == 125) return digits > 0;
      if (c == 44) commas++;
      else if (c - 48 < 10) digits++;
      else return false;
      if (commas > 1) return false;
      at++;
    }
    return false;
  }

  private parseRepetition(atom: Node): Node {
    this.skipBlanks();
    const start = this.at;
    let min = 0;
    let max = -1;
    if (this.take(42)) {
      // any number
    } else if (this.take(43)) {
      min = 1;
    } else if (this.take(63)) {
      max = 1;
    } else if (this.peek() == 123 && this.repetitionAhead()) {
      this.at++;
      min = this.takeNumber();
      max = min < 0 ? 0 : min;
      if (this.take(44)) max = this.takeNumber();
      if (min < 0) min = 0;
      this.at++;
      if (min > REPEAT_LIMIT || max > REPEAT_LIMIT) {
        this.fail("a repetition of more than 1000 times", start);
      } else if (max >= 0 && max < min) {
        this.fail("a repetition whose end is below its start", start);
      }
    } else {
      return atom;
    }
    if (this.peek() == 43) {
      this.fail("possessive quantifiers are not supported", start);
    } else {
      this.take(63);
      const c = this.peek();
      if (c == 42 || c == 43 || c == 63 || (c == 123 && this.repetitionAhead())) {
        this.fail("a quantifier follows a quantifier", this.at);
      }
    }
    const node = new Node(NodeKind.Repeat, 0);
    node.min = min;
    node.max = max;
    node.items.push(atom);
    return node;
  }

  /** Digits at the place, -1 when there are none; stops counting far above every limit. */
  private takeNumber(): i32 {
    let value = -1;
    while (this.peek() - 48 < 10) {
      value = min((value < 0 ? 0 : value) * 10 + <i32>(this.peek() - 48), 100000);
      this.at++;
    }
    return value;
  }

  private parseAtom(): Node {
    const start = this.at;
    const c = this.peek();
    switch (c) {
      case 40:
        return this.parseGroup();
      case 91:
        this.at++;
        return this.setNode(this.parseClass(start));
      case 46:
        this.at++;
        return this.setNode(this.flags & Flag.DotAll ? complement([]) : complement([10, 10]));
      case 94:
        this.at++;
        return this.assertNode(this.flags & Flag.MultiLine ? Assertion.LineStart : Assertion.Start);
      case 36:
        this.at++;
        return this.assertNode(this.flags & Flag.MultiLine ? Assertion.LineEnd : Assertion.End);
      case 92:
        return this.parseEscape();
    }
    return this.pointNode(this.takePoint());
  }

  private pointNode(point: u32): Node {
    return this.setNode(this.folded([point, point]));
  }

  private setNode(set: Array<u32>): Node {
    for (let i = 0; i < this.sets.length; i++) {
      if (sameSet(this.sets[i], set)) return new Node(NodeKind.Set, i);
    }
    this.sets.push(set);
    return new Node(NodeKind.Set, this.sets.length - 1);
  }

  private assertNode(assertion: Assertion): Node {
    if (assertion >= Assertion.Boundary) this.usesWords = true;
    else if (assertion >= Assertion.LineStart) this.usesLines = true;
    return new Node(NodeKind.Assert, assertion);
  }

  private parseEscape(): Node {
    const start = this.at++;
    if (this.at >= this.length) {
      this.fail("a backslash at the end", start);
      return new Node(NodeKind.Empty, 0);
    }
    switch (this.peek()) {
      case 98:
        this.at++;
        return this.assertNode(Assertion.Boundary);
      case 66:
        this.at++;
        return this.assertNode(Assertion.NotBoundary);
      case 60:
        this.at++;
        return this.assertNode(Assertion.WordStart);
      case 62:
        this.at++;
        return this.assertNode(Assertion.WordEnd);
      case 65:
        this.at++;
        return this.assertNode(Assertion.Start);
      case 122:
        this.at++;
        return this.assertNode(Assertion.End);
    }
    const set = namedSet(this.peek());
    if (set !== null) {
      this.at++;
      return this.setNode(set);
    }
    return this.pointNode(this.takeEscaped(start));
  }

  private parseGroup(): Node {
    const start = this.at++;
    const outer = this.flags;
    if (this.peek() == 42) this.fail("backtracking verbs are not supported", start);
    let look = 0; // 1 ahead, 2 behind
    let negative = false;
    if (this.take(63)) {
      const c = this.peek();
      const next = this.peek(1);
      if (c == 58) this.at++;
      else if (c == 61 || c == 33) {
        this.at++;
        look = 1;
        negative = c == 33;
      } else if (c == 60 && (next == 61 || next == 33)) {
        this.at += 2;
        look = 2;
        negative = next == 33;
      } else if (c == 35) {
        while (this.at < this.length && this.peek() != 41) this.at++;
        if (!this.take(41)) this.fail("a group without an end", start);
        return new Node(NodeKind.Empty, 0);
      } else if (c == 80 || c == 60 || c == 39) {
        this.takeName(start);
      } else if (this.takeFlags(start)) {
        return new Node(NodeKind.Empty, 0);
      }
    }
    if (++this.depth > DEPTH_LIMIT) this.fail("more than 64 groups or classes inside each other", start);
    const body = this.failed ? new Node(NodeKind.Empty, 0) : this.parseAlternate();
    this.depth--;
    if (!this.failed && !this.take(41)) this.fail("a group without an end", start);
    this.flags = outer;
    if (look == 0 || this.failed) return body;
    if (this.looks.length == LOOK_LIMIT) this.fail("more than 8 look-arounds", start);
    this.looks.push(new Look(body, look == 2));
    const node = new Node(NodeKind.Look, this.looks.length - 1);
    node.negative = negative;
    return node;
  }

  /** (?<name>, (?P<name> or (?'name'; nothing refers to it. */
  private takeName(start: u32): void {
    if (this.take(80)) {
      if (this.peek() == 61) this.fail("back-references are not supported", start);
      else if (this.peek() == 62) this.fail("recursion is not supported", start);
    }
    const close: u32 = this.peek() == 39 ? 39 : 62;
    if (!this.take(60) && !this.take(39)) this.fail("an unknown kind of group", start);
    const from = this.at;
    while (this.peek() == 95 || (this.peek() | 32) - 97 < 26 || (this.at > from && this.peek() - 48 < 10)) this.at++;
    if (this.at == from || !this.take(close)) this.fail("a malformed group name", start);
  }

  /** Flags up to ":" (false: a group follows) or ")" (true: they hold to the end of the enclosing group). */
  private takeFlags(start: u32): bool {
    let off = false;
    let flags = this.flags;
    let count = 0;
    while (true) {
      const c = this.peek();
      let flag = 0;
      if (c == 105) flag = Flag.IgnoreCase;
      else if (c == 115) flag = Flag.DotAll;
      else if (c == 109) flag = Flag.MultiLine;
      else if (c == 120) flag = Flag.Extended;
      else if (c == 45 && !off) off = true;
      else if (c == 41 && count > 0) {
        this.at++;
        this.flags = flags;
        return true;
      } else if (c == 58 && count > 0) {
        this.at++;
        this.flags = flags;
        return false;
      } else if (c != 85 && c != 117) {
        this.refuseGroup(c, start);
        return true;
      }
      flags = off ? flags & ~flag : flags | flag;
      count++;
      this.at++;
    }
  }

  private refuseGroup(c: u32, start: u32): void {
    if (c == 62) this.fail("atomic groups are not supported", start);
    else if (c == 40) this.fail("conditionals are not supported", start);
    else if (c == 124) this.fail("branch reset groups are not supported", start);
    else if (c == 82 || c == 38 || c == 43 || c - 48 < 10) this.fail("recursion is not supported", start);
    else this.fail("an unknown kind of group", start);
  }
}
