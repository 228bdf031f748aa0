// Hints for mistyped names.

import assert from "node:assert/strict";
import { nearWords, quoteList } from "./near.ts";

Deno.test("a mistyped key finds the near one", () => {
  assert.deepEqual(nearWords("incomming", ["incoming", "outgoing", "dns"]), ["incoming"]);
  assert.deepEqual(nearWords("tagret", ["target", "agent"]), ["target"]);
});

Deno.test("a beginning finds what it begins", () => {
  assert.deepEqual(nearWords("che", ["checkout", "cart"]), ["checkout"]);
});

Deno.test("nothing near gives nothing", () => {
  assert.deepEqual(nearWords("xyz", ["incoming", "outgoing"]), []);
  assert.deepEqual(nearWords("ap", []), []);
});

Deno.test("a list reads like a sentence", () => {
  assert.equal(quoteList([]), "");
  assert.equal(quoteList(["a"]), '"a"');
  assert.equal(quoteList(["a", "b", "c"]), '"a", "b" or "c"');
});
