// byteText: every byte becomes one character of its own value, and the same byte again.

import assert from "node:assert/strict";
import { byteText, lowerBytes, textBytes } from "./byte_text.ts";

Deno.test("every byte is the character of its value, and comes back", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  const text = byteText(bytes);
  assert.deepEqual([...text].map((one) => one.charCodeAt(0)), [...bytes]);
  assert.deepEqual(textBytes(text), bytes);
  assert.equal(byteText(bytes.subarray(0x80, 0x82)), "\u0080\u0081");
});

Deno.test("only ASCII has cases", () => {
  assert.equal(lowerBytes("HOST.É\u00c9"), "host.É\u00c9");
});
