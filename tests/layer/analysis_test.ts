// gcc's analyzer over every file of the layer (-fanalyzer): leaks, uses after free, null and uninitialized
// values along the paths of a function and what it calls. analysis_exceptions.ts has the reports that are
// wrong, with the reason of each.

import assert from "node:assert/strict";
import { layerFlags, layerSources } from "../../scripts/build_layer.ts";
import { root } from "../../scripts/step.ts";
import { exceptions } from "./analysis_exceptions.ts";

/** Reports as "file: kind", each once. */
async function reports(file: string): Promise<string[]> {
  const { code, stderr } = await new Deno.Command("gcc", {
    args: [...layerFlags, "-O1", "-fanalyzer", "-Wno-error", "-c", "-o", "/dev/null", file],
    cwd: root,
    env: { LC_ALL: "C" },
    stdout: "null",
    stderr: "piped",
  }).output();
  const text = new TextDecoder().decode(stderr);
  assert.equal(code, 0, text);
  const kinds = [...text.matchAll(/\[-Wanalyzer-([a-z-]+)\]/g)].map(([, kind]) => kind);
  return [...new Set(kinds)].map((kind) => `${file.replace(/^layer\//, "")}: ${kind}`);
}

Deno.test("gcc's analyzer reports nothing in the layer but what is argued", async () => {
  const waiting = layerSources();
  const found: string[] = [];
  const worker = async (): Promise<void> => {
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      found.push(...await reports(file));
    }
  };
  await Promise.all(Array.from({ length: navigator.hardwareConcurrency }, worker));
  assert.deepEqual(found.sort(), exceptions.map(({ file, kind }) => `${file}: ${kind}`).sort());
});

Deno.test("the analyzer finds what it is there for", async () => {
  const folder = await Deno.makeTempDir({ prefix: "mirrord-analysis-test." });
  try {
    const file = `${folder}/planted.c`;
    await Deno.writeTextFile(
      file,
      "#include <stdlib.h>\nint planted(void);\nint planted(void)\n{\n\tchar *one = malloc(1);\n\n\tif (!one)\n\t\treturn 0;\n" +
        "\tfree(one);\n\treturn one[0];\n}\n",
    );
    assert.deepEqual(await reports(file), [`${file}: use-after-free`]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
