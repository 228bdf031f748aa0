// docs/events.md lists the events of events.ts with their fields, in their order; and core/session reports
// through events alone.

import assert from "node:assert/strict";

const source = Deno.readTextFileSync(new URL("./events.ts", import.meta.url));
const page = Deno.readTextFileSync(new URL("../../docs/events.md", import.meta.url));

/** The events of the source: "type: field, field". */
function declared(): string[] {
  return [...source.matchAll(/\{\s*type: "(\w+)";([^{}]*)\}/g)].map(([, type, rest = ""]) => {
    const fields = rest.replace(/\/\*\*[^]*?\*\//g, "").split(";").map((field) =>
      field.split(":")[0]?.trim()
    );
    return `${type}: ${fields.filter((field) => field !== "").join(", ")}`;
  });
}

/** The events of the page. */
function documented(): string[] {
  return [...page.matchAll(/^\| `(\w+)` \| ([^|]*) \|/gm)].map(([, type, fields = ""]) =>
    `${type}: ${[...fields.matchAll(/`(\w+)`/g)].map(([, field]) => field).join(", ")}`
  );
}

Deno.test("docs/events.md lists every event with its fields", () => {
  assert.ok(declared().length > 30);
  assert.deepEqual(documented(), declared());
});

Deno.test("what a session has to say leaves it as an event", () => {
  const files = ["./", "./forward/"].flatMap((folder) =>
    [...Deno.readDirSync(new URL(folder, import.meta.url))].filter(({ isFile }) => isFile)
      .map(({ name }) => folder + name)
  );
  const speaking = files.filter((file) =>
    !file.endsWith("_test.ts") &&
    /\blog\.(info|warning|error)\(/.test(Deno.readTextFileSync(new URL(file, import.meta.url)))
  );
  assert.ok(files.length > 60);
  assert.deepEqual(speaking, []);
});
