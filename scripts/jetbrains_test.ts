// The plugin for JetBrains' IDEs as files: its descriptors name classes that are there, its edge stays thin.
// What needs a compiler: tests/editors/jetbrains_test.ts.

import assert from "node:assert/strict";
import { parseJars } from "./maven.ts";
import { exists, root } from "./step.ts";

const folder = `${root}editors/jetbrains`;
const resources = `${folder}/src/ide/resources`;
const edge = `${folder}/src/ide/java/mirrord/ide`;
const read = (path: string): string => Deno.readTextFileSync(path);
const descriptors = [...Deno.readDirSync(`${resources}/META-INF`)].map(({ name }) => name);

Deno.test("the plugin's descriptors name every class of the edge that the IDE makes, and no others", () => {
  const texts = descriptors.map((name) => read(`${resources}/META-INF/${name}`)).join("\n");
  const named = new Set(
    [...texts.matchAll(/"mirrord\.ide\.(\w+)(?:\$(\w+))?"/g)].map(([, name = "", inner]) => {
      const source = read(`${edge}/${name}.java`);
      assert.ok(
        inner === undefined || source.includes(`public static final class ${inner} `),
        `${name}.${inner}`,
      );
      return name;
    }),
  );
  const made = [...Deno.readDirSync(edge)].map(({ name }) => name.replace(".java", ""))
    .filter((name) =>
      new RegExp(`^public (final|abstract) class ${name}\\b`, "m").test(read(`${edge}/${name}.java`))
    );
  assert.deepEqual([...named].sort(), made.sort());
});

Deno.test("the plugin's parts and icon are there", () => {
  const plugin = read(`${resources}/META-INF/plugin.xml`);
  const parts = [...plugin.matchAll(/config-file="([^"]+)"/g)].map(([, name]) => name);
  assert.deepEqual([...parts, "plugin.xml"].sort(), descriptors.sort());
  for (const [, path] of plugin.matchAll(/icon="(\/[^"]+)"/g)) assert.ok(exists(resources + path), path);
  assert.match(plugin, /<version>0\.0\.0</, "scripts/jetbrains.ts puts the version in its place");
});

Deno.test("the edge to the IDE has less than 400 lines of code", () => {
  const lines = [...Deno.readDirSync(edge)].flatMap(({ name }) => read(`${edge}/${name}`).split("\n"))
    .filter((line) => !/^\s*$|^import |^package |^\s*\/\//.test(line));
  assert.ok(lines.length > 200 && lines.length < 400, String(lines.length));
});

Deno.test("what knows no IDE imports nothing of one", () => {
  const core = `${folder}/src/core/java/mirrord/editor`;
  for (const { name } of Deno.readDirSync(core)) {
    for (const [, type = ""] of read(`${core}/${name}`).matchAll(/^import (?:static )?([\w.]+);/gm)) {
      assert.match(type, /^(java|javax|com\.google\.gson)\./, `${name} imports ${type}`);
    }
  }
});

Deno.test("what is read of the IDE by its name is among the stubs", () => {
  const core = `${folder}/src/core/java/mirrord/editor`;
  const types = [...read(`${core}/Kind.java`).matchAll(/"((?:com|org)\.[\w.]+\w)"/g)].map(([, name = ""]) =>
    name
  );
  assert.ok(types.length >= 8, types.join());
  for (const type of types) {
    const path = `${folder}/stubs/platform/${type.replaceAll(".", "/")}.java`;
    assert.ok(exists(path), `${type} is no stub`);
  }
});

Deno.test("the Gradle build takes the jars that scripts/jars.sha256 names", () => {
  const gradle = read(`${folder}/src/core/build.gradle.kts`);
  for (const { group, artifact, version } of parseJars(read(`${root}scripts/jars.sha256`), "plugin")) {
    assert.ok(gradle.includes(`implementation("${group}:${artifact}:${version}")`), artifact);
  }
});
