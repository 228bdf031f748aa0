// The house rules about what stands around the code: tests that leave nothing to the next one, documents that
// name files which are there, and files of editors and of the workflow that can be read. The rules of the
// code: house_test.ts.

import assert from "node:assert/strict";
import { parse } from "yaml";
import { exists, root } from "../scripts/step.ts";
import { macTests } from "./runner/suites.ts";

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

/** The shell lines of workflows, of the container and of the editor's tasks: [file, line]. */
function toolCommands(): [path: string, line: string][] {
  const workflows = tracked.filter((path) => /^\.github\/workflows\//.test(path)).flatMap((path) => {
    const { jobs } = parse(read(path)) as { jobs: Record<string, { steps: { run?: string }[] }> };
    return Object.values(jobs).flatMap(({ steps }) => steps).flatMap(({ run }) =>
      (run ?? "").split("\n").map((line): [string, string] => [path, line])
    );
  });
  const { tasks } = JSON.parse(read(".vscode/tasks.json")) as { tasks: { command: string }[] };
  const { postCreateCommand } = JSON.parse(read(".devcontainer/devcontainer.json"));
  return [
    ...workflows,
    ...tasks.map(({ command }): [string, string] => [".vscode/tasks.json", command]),
    [".devcontainer/devcontainer.json", String(postCreateCommand)],
  ];
}

/** What of a shell line is not there: a verb of ./dev, a suite, a task, a file; empty where all is. */
function missingOf(line: string): string[] {
  const [, verb, words = ""] = /(?:^|&& )\.\/dev (\w+)([^&]*)/.exec(line) ?? [];
  const verbs = [...read("dev").matchAll(/^\t(\w+)\)$/gm)].map(([, name]) => name);
  const suites = [...read("tests/runner/suites.ts").matchAll(/name: "(\w+)"/g)].map(([, name]) => name);
  const missing = verb === undefined || verbs.includes(verb) ? [] : [`./dev ${verb}`];
  if (verb === "test") {
    missing.push(...words.split(" ").filter((name) => name !== "" && !suites.includes(name)));
  }
  const [, deno = ""] = /(?:^|\.\/dev )deno (?:run|test) ([^&]*)/.exec(line) ?? [];
  // What an editor fills in is not looked at, nor what a script itself is given.
  const named = deno.split(" ").map((word) => word.replace(/^--ignore=/, ""))
    .filter((word) => word !== "" && !/^[-$]/.test(word));
  const files = line.includes("deno run") ? named.slice(0, 1) : named;
  return [...missing, ...files.filter((path) => !tracked.some((one) => `${one}/`.startsWith(`${path}/`)))];
}

Deno.test("the commands of workflows, container and editor exist", () => {
  assert.deepEqual(missingOf("./dev nonsense"), ["./dev nonsense"]);
  assert.deepEqual(missingOf("./dev test layer nonsense"), ["nonsense"]);
  assert.deepEqual(missingOf("deno run -A scripts/nonsense.ts wasm"), ["scripts/nonsense.ts"]);
  assert.deepEqual(missingOf("deno test -A --ignore=core/none.ts core"), ["core/none.ts"]);
  const commands = toolCommands();
  assert.ok(commands.filter(([, line]) => /\.\/dev|deno /.test(line)).length >= 6);
  none(commands.flatMap(([path, line]) => missingOf(line).map((name) => `${path}: ${name} does not exist`)));
});

/** The project's files that `from` and its imports load. */
function loadedBy(from: string[]): Set<string> {
  const loaded = new Set<string>();
  for (const path of from) {
    if (loaded.has(path) || !exists(root + path)) continue;
    loaded.add(path);
    const named = read(path).matchAll(/^(?:import|export)(?! type)[^;]*?from "(\.[^"]*)"/gm);
    from.push(...[...named].map(([, name = ""]) => new URL(name, `file:///${path}`).pathname.slice(1)));
  }
  return loaded;
}

Deno.test("what runs on macOS loads nothing of Linux", () => {
  // The list of a platform's parts, each of which is loaded when it is asked for.
  const linux = /^(agent\/sys\/|core\/(net|launch)\/linux\/(?!platform\.ts))/;
  none(macTests.filter((place) => !tracked.some((path) => `${path}/`.startsWith(`${place}/`))));
  const tested = tracked.filter((path) =>
    path.endsWith("_test.ts") && macTests.some((place) => `${path}/`.startsWith(`${place}/`))
  );
  assert.ok(tested.length > 20, `only ${tested.length} test files`);
  none([...loadedBy(tested)].filter((path) => linux.test(path)));
});

Deno.test("every Deno that is named is the one of ./dev", () => {
  const version = read("dev").match(/^deno_version=(\S+)$/m)?.[1];
  const named = [...read(".github/workflows/test.yml").matchAll(/deno-version: (\S+)/g)].map(([, found]) =>
    found
  );
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
  const findings = tracked.filter((path) => /\.(ts|c|h|java)$/.test(path) && !generated.includes(path))
    .flatMap(
      (path) => {
        const tab = /\.(ts|java)$/.test(path) ? "  " : " ".repeat(8);
        return Deno.readTextFileSync(root + path).split("\n").flatMap((line, index) => {
          const text = /^\s*(?:\/\/|\/\*\*?|\*) (.*)$/.exec(line)?.[1];
          if (text === undefined || line.replaceAll("\t", tab).length <= 110) return [];
          return /^\s|\S {2,}|^--|^[|]/.test(text) ? [] : [`${path}:${index + 1}: ${line.trim()}`];
        });
      },
    );
  assert.deepEqual(findings, []);
});

/** Words that cost an ordinary reader a second reading; issue 10 has more of them. */
const twiceRead = [/\bwhoever\b/i, /\b(?:is|are|was|were|be) said\b/, /\banew\b(?!\()/, /\bof ours\b/];

Deno.test("comments, names of tests and documents are in plain English", () => {
  const texts = tracked.filter((path) =>
    /\.(ts|c|h|java|md)$/.test(path) && !/^tests\/house_|^layer\/wire/.test(path)
  );
  none(
    texts.flatMap((path) =>
      read(path).split("\n").flatMap((line, index) =>
        twiceRead.some((word) => word.test(line)) || /(?:\/\/|\*).*, say\b/.test(line)
          ? [`${path}:${index + 1}: ${line.trim()}`]
          : []
      )
    ),
  );
});
