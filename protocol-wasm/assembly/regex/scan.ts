// Regular expressions as text: code points, escapes and classes. parse.ts builds the tree on top of this.
// Invariant: the first refusal stays, with the byte it is about; after it every reading ends soon.

import { addFolded, complement, namedSet, namedSetOf, normalize } from "./char_set";
import { decodeUnit, unitLength, unitPoint } from "./utf8";

/** Groups and classes inside each other. */
export const DEPTH_LIMIT: i32 = 64;

export const enum Flag {
  IgnoreCase = 1,
  DotAll = 2,
  MultiLine = 4,
  Extended = 8,
}

export class Scanner {
  at: u32 = 0;
  depth: i32 = 0;
  error: string = "";
  errorAt: u32 = 0;

  constructor(public text: usize, public length: u32, public flags: i32) {}

  get failed(): bool {
    return this.error.length != 0;
  }

  fail(error: string, at: u32): void {
    if (this.failed) return;
    this.error = error;
    this.errorAt = at;
  }

  /** The byte `ahead` of the place, 0 behind the end. */
  peek(ahead: u32 = 0): u32 {
    const at = this.at + ahead;
    return at < this.length ? <u32>load<u8>(this.text + at) : 0;
  }

  take(byte: u32): bool {
    if (this.at >= this.length || this.peek() != byte) return false;
    this.at++;
    return true;
  }

  /** The next code point; a byte that is no UTF-8 is refused. */
  takePoint(): u32 {
    const unit = decodeUnit(this.text + this.at, this.length - this.at);
    if (unitPoint(unit) > 0x10ffff) this.fail("the pattern is not UTF-8", this.at);
    this.at += unitLength(unit);
    return unitPoint(unit);
  }

  skipBlanks(): void {
    if ((this.flags & Flag.Extended) == 0) return;
    while (this.at < this.length) {
      const c = this.peek();
      if (c == 35) {
        while (this.at < this.length && this.peek() != 10) this.at++;
      } else if (c == 32 || (c >= 9 && c <= 13)) {
        this.at++;
      } else {
        return;
      }
    }
  }

  folded(set: Array<u32>): Array<u32> {
    return this.flags & Flag.IgnoreCase ? addFolded(set) : set;
  }

  /**
   * The code point of an escape whose backslash stands at `start`; what is refused is refused by its name.
   */
  takeEscaped(start: u32): u32 {
    const c = this.peek();
    if (c - 49 < 9 || c == 107) return this.refuse("back-references are not supported", start);
    if (c == 48) return this.refuse("octal escapes are not supported", start);
    if (c == 103) return this.refuse("back-references and recursion are not supported", start);
    if (c == 112 || c == 80) return this.refuse("Unicode properties (\\p) are not supported", start);
    this.at++;
    switch (c) {
      case 97:
        return 7;
      case 101:
        return 27;
      case 102:
        return 12;
      case 110:
        return 10;
      case 114:
        return 13;
      case 116:
        return 9;
      case 118:
        return 11;
      case 120:
        return this.takeHex(start, 2);
      case 117:
        return this.takeHex(start, 4);
      case 85:
        return this.takeHex(start, 8);
    }
    if (c >= 128) {
      this.at--;
      return this.takePoint();
    }
    if ((c | 32) - 97 < 26) return this.refuse("an unknown escape", start);
    return c;
  }

  refuse(error: string, at: u32): u32 {
    this.fail(error, at);
    return 0;
  }

  /** `digits` hexadecimal digits, or any number of them in braces. */
  takeHex(start: u32, digits: i32): u32 {
    const braced = this.take(123);
    let value: u32 = 0;
    let count = 0;
    while (braced ? this.at < this.length && this.peek() != 125 : count < digits) {
      const c = this.peek();
      const letter = (c | 32) - 97;
      const digit: u32 = c - 48 < 10 ? c - 48 : letter < 6 ? letter + 10 : 16;
      if (digit > 15 || count == 8) return this.refuse("a malformed hexadecimal escape", start);
      value = (value << 4) | digit;
      count++;
      this.at++;
    }
    if (braced && (count == 0 || !this.take(125))) return this.refuse("a malformed hexadecimal escape", start);
    if (value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return this.refuse("no such code point", start);
    return value;
  }

  /** A class whose bracket at `start` is taken; the place is behind its closing bracket then. */
  parseClass(start: u32): Array<u32> {
    const set: Array<u32> = [];
    if (++this.depth > DEPTH_LIMIT) this.fail("more than 64 groups or classes inside each other", start);
    const negated = this.take(94);
    let first = true;
    while (!this.failed) {
      this.skipBlanks();
      if (this.at >= this.length) {
        this.fail("a class without an end", start);
        break;
      }
      if (this.peek() == 93 && !first) break;
      first = false;
      const at = this.at;
      const c = this.peek();
      if ((c == 38 || c == 45 || c == 126) && this.peek(1) == c) {
        this.fail("operations on classes (&& -- ~~) are not supported", at);
      } else if (c == 91) {
        this.append(set, this.peek(1) == 58 ? this.parsePosix(at) : this.parseNested(at));
      } else {
        this.parseClassItem(set);
      }
    }
    this.at++;
    this.depth--;
    const whole = this.folded(normalize(set));
    return negated ? complement(whole) : whole;
  }

  parseNested(at: u32): Array<u32> {
    this.at++;
    return this.parseClass(at);
  }

  append(set: Array<u32>, more: Array<u32>): void {
    for (let i = 0; i < more.length; i++) set.push(more[i]);
  }

  /** One member of a class: a code point, a range, or a named set such as \d. */
  parseClassItem(set: Array<u32>): void {
    const start = this.at;
    const low = this.takeMember(set);
    if (this.failed) return;
    this.skipBlanks();
    const ranged = this.peek() == 45 && this.peek(1) != 93 && this.peek(1) != 45 && this.at + 1 < this.length;
    if (low < 0) {
      if (ranged) this.fail("a range that begins with a set", start);
      return;
    }
    if (!ranged) {
      set.push(low);
      set.push(low);
      return;
    }
    this.at++;
    this.skipBlanks();
    if (this.peek() == 91) this.fail("a range that ends with a set", start);
    const high = this.takeMember(set);
    if (this.failed) return;
    if (high < 0) this.fail("a range that ends with a set", start);
    else if (high < low) this.fail("a range whose end is below its start", start);
    set.push(low);
    set.push(high);
  }

  /** A code point, or -1 when it was a named set, which is then in `set`. */
  takeMember(set: Array<u32>): i32 {
    const start = this.at;
    if (!this.take(92)) return this.takePoint();
    if (this.at >= this.length) return this.refuse("a backslash at the end", start);
    const named = namedSet(this.peek());
    if (named !== null) {
      this.at++;
      this.append(set, named);
      return -1;
    }
    if (this.take(98)) return 8;
    return this.takeEscaped(start);
  }

  /** [:name:] or [:^name:] inside a class. */
  parsePosix(start: u32): Array<u32> {
    this.at += 2;
    const negated = this.take(94);
    const from = this.at;
    while ((this.peek() | 32) - 97 < 26) this.at++;
    const set = namedSetOf(this.text + from, this.at - from);
    if (set === null || !this.take(58) || !this.take(93)) {
      this.fail("an unknown class name", start);
      return [];
    }
    return negated ? complement(set) : set;
  }
}
