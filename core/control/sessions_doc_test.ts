// docs/sessions.md lists the details and the facts that sessions tell, with their fields, in their order.

import assert from "node:assert/strict";

const read = (path: string): string => Deno.readTextFileSync(new URL(path, import.meta.url));
const page = read("../../docs/sessions.md");

/** The words in backquotes of a cell. */
function named(cell: string): string[] {
  return [...cell.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name);
}

Deno.test("docs/sessions.md lists every detail with its fields", () => {
  const source = read("../session/details.ts");
  const declared = [...source.matchAll(/\{\s*type: "(\w+)";([^{}]*)\}/g)].map(([, type, rest = ""]) =>
    `${type}: ${rest.split(";").map((field) => field.split(":")[0]?.trim()).filter(Boolean).join(", ")}`
  );
  const section = page.split("## Details")[1]?.replace(/^\| `type` .*$/m, "") ?? "";
  const documented = [...section.matchAll(/^\| `(\w+)` \| ([^|]*) \|/gm)].map(([, type, fields = ""]) =>
    `${type}: ${named(fields).join(", ")}`
  );
  assert.equal(declared.length, 4);
  assert.deepEqual(documented, declared);
});

Deno.test("docs/sessions.md lists every fact", () => {
  const [, body = ""] = /interface SessionFacts \{([^]*?)\n\}/.exec(read("./messages.ts")) ?? [];
  const declared = [...body.matchAll(/^ {2}(\w+):/gm)].map(([, name]) => name).sort();
  const table = page.split("| fact | |")[1]?.split("\n\n")[0] ?? "";
  const documented = [...table.matchAll(/^\| ((?:`\w+` ?)+)\|/gm)].flatMap(([, cell = ""]) => named(cell))
    .sort();
  assert.deepEqual(documented, declared);
});
