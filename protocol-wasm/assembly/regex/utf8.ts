// Text as units: a whole UTF-8 code point, or one byte that belongs to none. Used while compiling and
// matching. Invariant: reading forward and reading backward cut a text at the same places.

/** What a byte that is no UTF-8 counts as: this plus the byte, beyond every code point. */
export const INVALID: u32 = 0x110000;

/** Code point of a unit. */
@inline
export function unitPoint(unit: u32): u32 {
  return unit & 0x1fffff;
}

/** Bytes of a unit. */
@inline
export function unitLength(unit: u32): u32 {
  return unit >> 24;
}

@inline
function isTail(at: usize): bool {
  return (<u32>load<u8>(at) & 0xc0) == 0x80;
}

/**
 * The unit at `at`, of which `rest` bytes (at least 1) may be read: RFC 3629, no surrogates, shortest form.
 */
export function decodeUnit(at: usize, rest: u32): u32 {
  const c: u32 = load<u8>(at);
  if (c < 0x80) return c | (1 << 24);
  if (c >= 0xc2 && c < 0xe0 && rest > 1 && isTail(at + 1)) {
    return ((c & 31) << 6) | (<u32>load<u8>(at, 1) & 63) | (2 << 24);
  }
  if ((c & 0xf0) == 0xe0 && rest > 2 && isTail(at + 1) && isTail(at + 2)) {
    const point = ((c & 15) << 12) | ((<u32>load<u8>(at, 1) & 63) << 6) | (<u32>load<u8>(at, 2) & 63);
    if (point >= 0x800 && (point & 0xf800) != 0xd800) return point | (3 << 24);
  }
  if ((c & 0xf8) == 0xf0 && rest > 3 && isTail(at + 1) && isTail(at + 2) && isTail(at + 3)) {
    const point = ((c & 7) << 18) | ((<u32>load<u8>(at, 1) & 63) << 12) | ((<u32>load<u8>(at, 2) & 63) << 6) |
      (<u32>load<u8>(at, 3) & 63);
    if (point >= 0x10000 && point <= 0x10ffff) return point | (4 << 24);
  }
  return (INVALID + c) | (1 << 24);
}

/** The unit that ends just before `end` in a text that begins at `start` (start < end). */
export function decodeUnitBefore(start: usize, end: usize): u32 {
  const c: u32 = load<u8>(end - 1);
  if (c < 0x80) return c | (1 << 24);
  for (let length: u32 = 2; length <= 4 && end - start >= length; length++) {
    const unit = decodeUnit(end - length, length);
    if (unitLength(unit) == length) return unit;
  }
  return (INVALID + c) | (1 << 24);
}
