// Lines of JSON stay JSON, whatever passes.

import assert from "node:assert/strict";
import { jsonLine } from "./traffic_json.ts";
import { printable } from "./ui.ts";

Deno.test("a line that is printed is the value again, and no terminal obeys it", () => {
  const value = { text: "a\u{10ffe9}b\x1b[2J\x9b\u202e\x7f\r\n" };
  const line = printable(jsonLine(value));
  assert.deepEqual(JSON.parse(line), value);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(line, /[\x00-\x1f\x7f-\x9f\u202e]/);
});
