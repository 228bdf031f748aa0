// Bytes as ASCII: the character kinds of HTTP's grammar and comparison with words of the source. Knows no
// state.

/** tchar of RFC 9110, 5.6.2. */
@inline
export function isToken(c: u32): bool {
  if ((c | 32) - 97 < 26 || c - 48 < 10) return true;
  // ! # $ % & ' * + - . in the first word, ^ _ ` | ~ beyond.
  return c < 64 ? c > 32 && ((0x6cfa >> (c - 32)) & 1) != 0 : c == 94 || c == 95 || c == 96 || c == 124 || c == 126;
}

/** A byte that may stand in a field value: visible, space, tab, or beyond ASCII. */
@inline
export function isText(c: u32): bool {
  return (c >= 32 && c != 127) || c == 9;
}

/** The first place from `at` whose byte may not stand in a field value, 16 bytes at a time. */
export function skipText(base: usize, at: u32, end: u32): u32 {
  const space = i8x16.splat(32);
  const rubout = i8x16.splat(127);
  while (at + 16 <= end) {
    const bytes = v128.load(base + at);
    const mask = i8x16.bitmask(v128.or(i8x16.lt_u(bytes, space), i8x16.eq(bytes, rubout)));
    if (mask == 0) {
      at += 16;
      continue;
    }
    at += ctz(mask);
    if (load<u8>(base + at) != 9) return at;
    at++;
  }
  while (at < end && isText(load<u8>(base + at))) at++;
  return at;
}

/** Case-sensitive comparison of bytes with an ASCII word. */
export function equalsWord(at: usize, length: u32, word: string): bool {
  if (length != <u32>word.length) return false;
  for (let i: u32 = 0; i < length; i++) {
    if (<u32>load<u8>(at + i) != <u32>load<u16>(changetype<usize>(word) + (<usize>i << 1))) return false;
  }
  return true;
}

/** Comparison of bytes with a lower-case ASCII word, whatever the case of the bytes. */
export function equalsFolded(at: usize, length: u32, word: string): bool {
  if (length != <u32>word.length) return false;
  for (let i: u32 = 0; i < length; i++) {
    let c: u32 = load<u8>(at + i);
    if (c - 65 < 26) c |= 32;
    if (c != <u32>load<u16>(changetype<usize>(word) + (<usize>i << 1))) return false;
  }
  return true;
}
