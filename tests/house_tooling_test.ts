// The house rules about what stands around the code: tests that leave nothing to the next one, documents that
// name files which are there, and files of editors and of the workflow that can be read. The rules of the
// code: house_test.ts.

import assert from "node:assert/strict";
import { parse } from "yaml";
import { exists, root } from "../scripts/step.ts";

const output = new Deno.Command("git", {
  args: ["ls-files", "--cached", "--others", "--exclude-standard"],
  cwd: root,
}).outputSync();
const tracked = new TextDecoder().decode(output.stdout).split("\n")
  .filter((path) => path !== "" && exists(root + path));
const read = (path: string): string => Deno.readTextFileSync(root + path);
const tests = tracked.filter((path) =>
  /^tests\/.*\.ts$|_test\.ts$/.test(path) && !/^tests\/house_/.test(path)
)
  .map((path) => ({ path, lines: read(path).split("\n") }));

/** Fails with every finding at once. */
function none(findings: string[]): void {
  assert.equal(findings.length, 0, "\n" + findings.join("\n"));
}

Deno.test("no test puts a sanitizer off without its reason in the line above", () => {
  none(tests.flatMap(({ path, lines }) =>
    lines.flatMap((line, index) => {
      if (!/\bsanitize(Ops|Resources|Exit): false/.test(line)) return [];
      const above = lines.slice(0, index).findLast((one) => !/\bsanitize\w+: false/.test(one)) ?? "";
      return /^\s*\/\/ /.test(above) ? [] : [`${path}:${index + 1}: ${line.trim()}`];
    })
  ));
});

/**
 * Statements that call an async function, of `shared` or of the same file, and do not wait for it. A kept
 * promise is no such.
 */
function unawaited(lines: string[], shared: string[]): number[] {
  const own = lines.flatMap((line) => line.match(/\basync function (\w+)/)?.[1] ?? []);
  const started = new Set([...own, ...shared].filter((name) => name !== "resolve"));
  return lines.flatMap((line, index) => {
    const [, call = ""] = line.match(/^\s+([\w.]+)\((?!.*\): ).*;$/) ?? [];
    const files = /^Deno\.(?:\w*(?:File|Dir|Link)|l?stat|open|remove|rename|copyFile|connect)$/.test(call);
    // A line that begins like a call is a statement where the line before has ended.
    const begins = /(?:[;{}]|^\s*\/\/.*|^\s*)$/.test(lines[index - 1] ?? "");
    return begins && (files || started.has(call)) ? [index] : [];
  });
}

Deno.test("tests wait for what they start", () => {
  const sample = [
    "async function one() {",
    "}",
    "() => {",
    "  one();",
    "  await one();",
    "  Deno.stat(path);",
  ];
  assert.deepEqual(unawaited(sample, []), [3, 5]);
  const shared = tests.filter(({ path }) => path.startsWith("tests/support/")).flatMap(({ lines }) =>
    lines.flatMap((line) => line.match(/^export async function (\w+)/)?.[1] ?? [])
  );
  none(
    tests.flatMap(({ path, lines }) =>
      unawaited(lines, shared).map((index) => `${path}:${index + 1}: ${lines[index]?.trim()}`)
    ),
  );
});

Deno.test("docs/development.md names files that are there", () => {
  const named = [...read("docs/development.md").matchAll(/`((?:[\w.-]+\/)+[\w.-]*|\.[\w-]+|\w+\.md)`/g)]
    .map(([, path = ""]) => path);
  const below = (path: string): boolean => tracked.some((one) => one === path || one.startsWith(path));
  const inText = named.filter((path) => !/^(dns|sockets|processes)\/$/.test(path));
  assert.ok(inText.length > 50, `only ${inText.length} were found`);
  none(
    inText.filter((path) => !below(path)).map((path) =>
      `docs/development.md names ${path}, which is not there`
    ),
  );
});

Deno.test("files of editors, container and workflow can be read", () => {
  const [jsons, yamls] = [/\.json$/, /\.ya?ml$/].map((ending) =>
    tracked.filter((path) => /^\.(vscode|devcontainer|github)\//.test(path) && ending.test(path))
  );
  assert.ok(jsons !== undefined && jsons.length >= 4 && yamls !== undefined && yamls.length >= 4);
  for (const path of jsons) assert.equal(typeof JSON.parse(read(path)), "object", path);
  for (const path of yamls) assert.equal(typeof parse(read(path)), "object", path);
  assert.equal(typeof parse(read(".clang-format")), "object");
});

Deno.test("every Deno that is named is the one of ./dev", () => {
  const version = read("dev").match(/^deno_version=(\S+)$/m)?.[1];
  const named = [...read(".github/workflows/test.yml").matchAll(/deno-version: (\S+)/g)].map(([, found]) =>
    found
  );
  assert.ok(named.length > 0);
  assert.deepEqual(named.filter((found) => found !== version), []);
});

// Tables and drawings keep their columns: what is indented, or has two spaces inside.
Deno.test("a comment keeps to 110 columns, as the code does", () => {
  // env_programs.ts holds names of variables with stars, a list and no comment.
  const generated = [
    "layer/wire.h",
    "agent/bpf/numbers.h",
    "scripts/wire.ts",
    "core/session/env_programs.ts",
  ];
  const findings = tracked.filter((path) => /\.(ts|c|h)$/.test(path) && !generated.includes(path)).flatMap(
    (path) => {
      const tab = path.endsWith(".ts") ? "  " : " ".repeat(8);
      return Deno.readTextFileSync(root + path).split("\n").flatMap((line, index) => {
        const text = /^\s*(?:\/\/|\/\*\*?|\*) (.*)$/.exec(line)?.[1];
        if (text === undefined || line.replaceAll("\t", tab).length <= 110) return [];
        return /^\s|\S {2,}|^--|^[|]/.test(text) ? [] : [`${path}:${index + 1}: ${line.trim()}`];
      });
    },
  );
  assert.deepEqual(findings, []);
});
