// Pauses, by a clock that the test moves.

import assert from "node:assert/strict";
import { Pauses } from "./pauses.ts";

Deno.test("a pause is reported for a while after its end, ordinary time is none", () => {
  let now = 1000;
  using pauses = new Pauses(() => now);
  now += 2.5;
  assert.equal(pauses.recent(), null);
  now += 47; // its timer was due after 2
  assert.equal(pauses.recent(), 45);
  for (let second = 0; second < 59; second++) {
    now += 1;
    assert.equal(pauses.recent(), 45);
  }
  now += 2;
  assert.equal(pauses.recent(), null);
});
