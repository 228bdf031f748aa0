// The table of pinned jars is read as it is written, and another jar than the pinned one is refused.

import assert from "node:assert/strict";
import { parseJars } from "./maven.ts";
import { root } from "./step.ts";
import { checkFiles } from "./tools.ts";

const sum = "ab".repeat(32);
const text =
  `# A table.\n\n# one: for this\n${sum}  a.b:c:1.2\n  d:e-f:3\n\n# two: for that\n${sum}  g:h:4\n`;

Deno.test("jars are read by what they are for", () => {
  assert.deepEqual(parseJars(text, "one"), [
    { sha256: sum, group: "a.b", artifact: "c", version: "1.2" },
    { sha256: "", group: "d", artifact: "e-f", version: "3" },
  ]);
  assert.deepEqual(parseJars(text, "two").map(({ artifact }) => artifact), ["h"]);
  assert.throws(() => parseJars(text, "three"), /names no such use/);
  assert.throws(() => parseJars("# one: x\nnonsense\n", "one"), /Cannot read "nonsense"/);
});

Deno.test("every jar of the table has its sum", () => {
  const table = Deno.readTextFileSync(`${root}scripts/jars.sha256`);
  for (const [, use = ""] of table.matchAll(/^# (\w+): /gm)) {
    const jars = parseJars(table, use);
    assert.ok(jars.length > 0, use);
    for (const { sha256, artifact } of jars) assert.match(sha256, /^[0-9a-f]{64}$/, artifact);
  }
});

Deno.test("a jar with another sum is refused", async () => {
  const path = Deno.makeTempFileSync({ suffix: ".jar" });
  try {
    Deno.writeTextFileSync(path, "other");
    await assert.rejects(checkFiles([{ path, sha256: sum }]), /SHA-256 is [0-9a-f]{64}/);
  } finally {
    Deno.removeSync(path);
  }
});
