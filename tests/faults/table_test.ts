// docs/reliability.md has every row of rows.ts, with its words, and names only tests that are there.

import assert from "node:assert/strict";
import { document, tableOf, withTable } from "./row.ts";
import { rows } from "./rows.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);

Deno.test("the document's table has the rows as they are", async () => {
  const text = await Deno.readTextFile(document);
  const expected = withTable(text, tableOf(text));
  if (Deno.env.get("MIRRORD_TEST_WRITE") === "1") await Deno.writeTextFile(document, expected);
  else assert.equal(text, expected, "write it again: MIRRORD_TEST_WRITE=1 ./dev test faults");
});

Deno.test("a figure of one row is written without touching the others", async () => {
  const text = await Deno.readTextFile(document);
  const tally = { sent: 1500, lost: 3, by: {}, failures: {}, seconds: 0 };
  const once = withTable(text, tableOf(text, { "1": { tally, code: 137 } }));
  assert.match(once, /^\| 1 \|.*\| 3 of 1,500 \| 137 \|$/m);
  assert.deepEqual(
    once.split("\n").filter((line) => !line.startsWith("| 1 |")),
    text.split("\n").filter((line) => !line.startsWith("| 1 |")),
  );
});

Deno.test("a row that another test shows names one that is there, and every other is run here", async () => {
  const ran = new Set<string>();
  for await (const { name } of Deno.readDir(`${root}tests/faults`)) {
    const text = await Deno.readTextFile(`${root}tests/faults/${name}`);
    for (const [, id = ""] of text.matchAll(/\brow(?:Alone)?(?:<\w+>)?\(\s*"(\w+)"/g)) ran.add(id);
  }
  for (const { id, shown } of rows) {
    if (shown === undefined) assert.ok(ran.has(id), `nothing runs row ${id}`);
    else assert.ok((await Deno.stat(root + shown)).isFile);
  }
});
