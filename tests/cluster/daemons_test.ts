// Processes are told apart by more than their pid.

import { strictEqual } from "node:assert";
import { parseStartTime } from "./daemons.ts";

Deno.test("a start time is read past a command name with parentheses", () => {
  const fields = Array.from({ length: 49 }, (_, index) => String(index + 4));
  strictEqual(parseStartTime(`7 (a) b (c)) S ${fields.join(" ")}`), "22");
  strictEqual(parseStartTime(`7 (gone) Z ${fields.join(" ")}`), null);
});
