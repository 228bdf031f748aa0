// osText and osBytes: whatever the bytes, they come back, and what is UTF-8 stays readable.

import assert from "node:assert/strict";
import { hasRawBytes, osBytes, osText, shownText } from "./os_text.ts";

const utf8 = (text: string): number[] => [...new TextEncoder().encode(text)];

const samples: Record<string, number[]> = {
  "nothing": [],
  "plain text": utf8("/srv/a b"),
  "text of all lengths": utf8("aé€😀"),
  "a byte order mark": [0xef, 0xbb, 0xbf, 0x61],
  "Latin-1": [0x63, 0x61, 0x66, 0xe9],
  "a letter that is cut": utf8("aé€").slice(0, -1),
  "a letter that is cut, then text": [0xe2, 0x82, 0x61],
  "an overlong slash": [0xc0, 0xaf],
  "half of a surrogate pair": [0xed, 0xa0, 0x80],
  "beyond Unicode": [0xf4, 0x90, 0x80, 0x80],
  "lone continuation bytes": [0x80, 0xbf],
  "the characters that stand for bytes": utf8("\u{10ff80}\u{10ffff}\u{10ff7f}"),
  "every byte": Array.from({ length: 255 }, (_, index) => index + 1),
};

for (const [name, bytes] of Object.entries(samples)) {
  Deno.test(`${name} comes back byte for byte`, () => {
    const text = osText(Uint8Array.from(bytes));
    assert.deepEqual([...osBytes(text)], bytes);
    // The text itself can travel as UTF-8: a variable, a JSON file.
    assert.equal(
      new TextDecoder().decode(new TextEncoder().encode(text)).replace(/^\ufeff/, ""),
      text.replace(/^\ufeff/, ""),
    );
  });
}

Deno.test("random bytes come back", () => {
  for (let round = 0; round < 2000; round++) {
    const bytes = crypto.getRandomValues(new Uint8Array(round % 40));
    assert.deepEqual(osBytes(osText(bytes)), bytes);
  }
});

Deno.test("UTF-8 is the text that it is, and other bytes are shown by their number", () => {
  assert.equal(osText(Uint8Array.from(utf8("aé€😀"))), "aé€😀");
  assert.equal(hasRawBytes("aé€😀"), false);
  const cafe = osText(Uint8Array.of(0x63, 0x61, 0x66, 0xe9));
  assert.equal(hasRawBytes(cafe), true);
  assert.equal(shownText(cafe), "caf\\xE9");
});
