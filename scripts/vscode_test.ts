// The extension for VS Code as a folder: its schema is core's, its program is one that the editor's Node
// loads, and what its package names is there.

import assert from "node:assert/strict";
import { strToU8 } from "fflate";
import { schemaText } from "../core/config/schema.ts";
import { command, root } from "./step.ts";
import { vsix } from "./vsix.ts";

const folder = `${root}editors/vscode`;
const manifest = JSON.parse(Deno.readTextFileSync(`${folder}/package.json`));

Deno.test("the schema that editors check by is that of the configuration: ./dev vscode", () => {
  assert.equal(Deno.readTextFileSync(`${folder}/mirrord.schema.json`), schemaText());
});

Deno.test("the package has the version of mirrord, and names a schema that is there", () => {
  assert.equal(manifest.version, JSON.parse(Deno.readTextFileSync(`${root}deno.json`)).version);
  const { jsonValidation, yamlValidation } = manifest.contributes;
  for (const { url } of [...jsonValidation, ...yamlValidation]) {
    assert.ok(Deno.statSync(`${folder}/${url}`).isFile);
  }
});

Deno.test("every command of the package is registered, every setting read, and no others", () => {
  const source = Deno.readTextFileSync(`${folder}/src/extension.ts`);
  const registered = [...source.matchAll(/registerCommand\("([^"]+)"/g)].map(([, name]) => name).sort();
  const named = manifest.contributes.commands.map(({ command }: { command: string }) => command).sort();
  assert.deepEqual(registered, named);
  const read = [...source.matchAll(/getConfiguration\("mirrord"\)\s*\.get\("([^"]+)"/g)]
    .map(([, name]) => `mirrord.${name}`);
  assert.deepEqual(
    [...new Set(read)].sort(),
    Object.keys(manifest.contributes.configuration.properties).sort(),
  );
});

Deno.test("the package is a zip archive whose manifest says what package.json says", async () => {
  const texts = { ...manifest, description: `"a" <b> & c` };
  const files = new Map(["package.json", "README.md", "dist/a.js"].map((name) => [name, strToU8(name)]));
  const bytes = vsix(texts, files);
  assert.deepEqual(vsix(texts, files), bytes);
  // Python reads it: its zip and XML are not those that wrote it.
  const script = `
import io, json, sys, xml.dom.minidom as dom, zipfile
archive = zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read()))
assert archive.testzip() is None
read = lambda name: dom.parseString(archive.read(name))
said = read("extension.vsixmanifest")
identity = said.getElementsByTagName("Identity")[0]
print(json.dumps({
  "names": archive.namelist(),
  "identity": dict(identity.attributes.items()),
  "description": said.getElementsByTagName("Description")[0].firstChild.data,
  "types": [one.getAttribute("Extension") for one in read("[Content_Types].xml").getElementsByTagName("Default")],
}))`;
  const python = new Deno.Command("python3", { args: ["-c", script], stdin: "piped", stdout: "piped" })
    .spawn();
  const input = python.stdin.getWriter();
  await input.write(bytes);
  await input.close();
  const { names, identity, description, types } = await new Response(python.stdout).json();
  assert.ok((await python.status).success);
  assert.deepEqual(names.slice(2), [...files.keys()].map((name) => `extension/${name}`));
  assert.deepEqual(identity, {
    Language: "en-US",
    Id: "mirrord",
    Publisher: "mirrord",
    Version: manifest.version,
  });
  assert.equal(description, texts.description);
  for (const name of names.filter((name: string) => !name.startsWith("["))) {
    assert.ok(types.includes(name.replace(/^.*(?=\.)/, "")), name);
  }
});

Deno.test("the program is one file that loads in Node, with the editor's module", async () => {
  const temporary = Deno.makeTempDirSync({ prefix: "mirrord-vscode-" });
  try {
    // In a process of its own: esbuild's program may end later than this test.
    const bundle =
      `import { bundleExtension } from "./scripts/vscode.ts"; await bundleExtension(Deno.args[0]);`;
    await command([Deno.execPath(), "eval", "--quiet", bundle, `${temporary}/extension.js`]);
    const code = Deno.readTextFileSync(`${temporary}/extension.js`);
    assert.deepEqual(
      [...new Set([...code.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name]) => name))].sort(),
      ["node:child_process", "node:fs", "node:net", "node:process", "vscode"],
    );
    assert.ok(!code.includes("withResolvers"), "VS Code's Node may be 20");
  } finally {
    Deno.removeSync(temporary, { recursive: true });
  }
});
