// Positions and tolerated forms of configuration text.

import assert from "node:assert/strict";
import { blankComments, formatOf, parseDocument, parseUnnamed } from "./document.ts";

Deno.test("comments and trailing commas become blanks, text in quotes stays", () => {
  const text = '{"a": "http://x/*y*/", // note\n /* more\n lines */ "b": [1, 2,], }';
  const plain = blankComments(text);
  assert.equal(plain.length, text.length);
  assert.deepEqual(JSON.parse(plain), { a: "http://x/*y*/", b: [1, 2] });
  assert.equal(blankComments('["a,]", "\\",}"]'), '["a,]", "\\",}"]');
});

Deno.test("the line of a key is found in JSON and YAML", async () => {
  const json = await parseDocument("x", '{\n// c\n"a": {\n"b": [1,\n2]}}', "json");
  assert.equal(await json.lineOf(["a"]), 3);
  assert.equal(await json.lineOf(["a", "b"]), 4);
  assert.equal(await json.lineOf(["a", "b", 1]), 5);
  assert.equal(await json.lineOf(["a", "gone"]), 3);
  const yaml = await parseDocument("x", "u: http://x\na:\n  b: 1\n", "yaml");
  assert.equal(await yaml.lineOf(["a", "b"]), 3);
});

Deno.test("the line of a key is found in TOML", async () => {
  const text =
    '# c\ntarget = "a"\n[feature.network.incoming]\nmode = "x"\n"ports" = [\n 1]\n[[x.y]]\nz.w = 1';
  const toml = await parseDocument("x", text, "toml");
  assert.equal(await toml.lineOf(["target"]), 2);
  assert.equal(await toml.lineOf(["feature", "network", "incoming", "mode"]), 4);
  assert.equal(await toml.lineOf(["feature", "network", "incoming", "ports", 0]), 5);
  assert.equal(await toml.lineOf(["feature", "network", "incoming"]), 3);
  assert.equal(await toml.lineOf(["x", "y", 0, "z", "w"]), 8);
  assert.equal(await toml.lineOf(["gone"]), undefined);
});

Deno.test("standard input is read in the format it looks like", async () => {
  const value = { target: "pod/a" };
  for (
    const text of ['{"target": "pod/a"}', 'target: "pod/a"', '# c\ntarget = "pod/a"', "// c\n{target: 1}"]
  ) {
    if (text.startsWith("//")) await assert.rejects(parseUnnamed("stdin", text), /no valid JSON/);
    else assert.deepEqual((await parseUnnamed("stdin", text)).value, value);
  }
  assert.deepEqual((await parseUnnamed("stdin", "target:\n  path: a=b\n")).value, {
    target: { path: "a=b" },
  });
});

Deno.test("the extension names the format", () => {
  assert.equal(formatOf("dir.d/config"), "json");
  assert.equal(formatOf("a.YAML"), "yaml");
  assert.equal(formatOf("a.toml"), "toml");
});

Deno.test("an empty file is an empty configuration", async () => {
  assert.deepEqual((await parseDocument("x", " \n", "json")).value, {});
  assert.deepEqual((await parseDocument("x", "", "yaml")).value, {});
});

Deno.test("a syntax error of JSON names its line and what stands there", async () => {
  const cases: [string, RegExp][] = [
    ['{\n "a": 1\n "b": 2}', /line 3, column 2: "b": 2} does not belong here/],
    ['{"a": [1,\n2', /line 2, column 2: the text ends too early/],
    ["{\na: 1}", /line 2, column 1: a: 1} does not belong/],
    ['{"a": tru}', /line 1, column 7: tru} does not/],
    ['{"a": 1}\n{', /line 2, column 1: { does not/],
    ['{"a": [1}', /line 1, column 9: } does not/],
    ['{"a" 1}', /line 1, column 6: 1} does not/],
    ["]", /line 1, column 1: ] does not/],
  ];
  for (const [text, message] of cases) await assert.rejects(parseDocument("x", text, "json"), message);
});
