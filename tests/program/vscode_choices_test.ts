// What the extension for VS Code offers besides a start, with a stub of the editor and the compiled binary: a
// configuration that is created and checked, a target that is typed, a start that is copied.

import assert from "node:assert/strict";
import { activate } from "../../editors/vscode/src/extension.ts";
import { usualFiles } from "../../editors/vscode/src/checks.ts";
import { fileNames } from "../../core/config/load.ts";
import { binary, runMirrord } from "../support/program.ts";
import { VscodeStub } from "../support/vscode_stub.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const python = { type: "debugpy", name: "Run", request: "launch", program: "app.py" };

/** An editor with an empty folder, on a machine without a cluster. */
async function withFolder(
  settings: Record<string, unknown>,
  work: (editor: VscodeStub, folder: string) => Promise<void>,
): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "mirrord-vscode-" });
  try {
    const alone = `#!/bin/sh\nexport KUBECONFIG=/nowhere HOME=/nowhere\nexec '${binary}' "$@"\n`;
    Deno.writeTextFileSync(`${folder}/mirrord`, alone, { mode: 0o755 });
    using editor = new VscodeStub({ binaryPath: `${folder}/mirrord`, ...settings }, folder);
    activate(editor.context, editor.api);
    await work(editor, folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("a configuration is created for a target that is typed, opened, and found in order", () =>
  withFolder({}, async (editor, folder) => {
    const file = `${folder}/.mirrord/mirrord.json`;
    editor.picks.push("Type a target …");
    editor.typed.push("deployment/api");
    await editor.run("mirrord.createConfig");
    assert.deepEqual(editor.errors, []);
    assert.deepEqual(editor.offered, [["others", "No target", "Type a target …"]]);
    assert.deepEqual(editor.executed, [`vscode.open ${file}`]);
    assert.equal(JSON.parse(Deno.readTextFileSync(file)).target.path, "deployment/api");
    await editor.save(file);
    assert.deepEqual(editor.findings.get(file), []);
    await editor.run("mirrord.createConfig");
    assert.equal(editor.executed.length, 2, "it overwrote the file, or did not open it");
    assert.deepEqual(editor.offered.length, 1, "it asked for a target again");
    assert.deepEqual(usualFiles, fileNames.map((name) => `.mirrord/${name}`));
  }));

Deno.test("a file that is saved has its findings at their lines, in every format", () =>
  withFolder({}, async (editor, folder) => {
    const files: [name: string, text: string, line: number, finding: RegExp][] = [
      [
        "mirrord.yaml",
        "target: pod/a\nfeature:\n  netwrok: {}\n",
        2,
        /"feature.netwrok".*Did you mean "network"/,
      ],
      [
        "my-mirrord.toml",
        'target = "pod/a"\n[agent]\nmetrics = "0.0.0.0:1"\n',
        2,
        /^Ignoring "agent.metrics"/,
      ],
      ["mirrord.json", '{\n "target": "pod/a"\n "feature": {}\n}', 2, /no valid JSON in line 3/],
    ];
    for (const [name, text, line, expected] of files) {
      Deno.writeTextFileSync(`${folder}/${name}`, text);
      await editor.save(`${folder}/${name}`);
      const [, at = "", said = ""] =
        /^(\d+): ([^]*)$/.exec(editor.findings.get(`${folder}/${name}`)?.[0] ?? "") ??
          [];
      assert.equal(at, String(line), name);
      assert.match(said, expected);
    }
    await editor.save(`${folder}/package.json`);
    assert.equal(editor.findings.size, files.length);
  }));

Deno.test("the problem matchers read what verify-config prints", () =>
  withFolder({}, async (_, folder) => {
    const { problemPatterns: patterns } = JSON.parse(
      Deno.readTextFileSync(`${root}editors/vscode/package.json`),
    ).contributes;
    const read = async (text: string): Promise<unknown[]> => {
      Deno.writeTextFileSync(`${folder}/mirrord.json`, text);
      const { stdout, stderr } = await runMirrord(["verify-config", "mirrord.json"], { cwd: folder });
      return (stdout + stderr).split("\n").flatMap((line) =>
        patterns.flatMap((pattern: Record<string, number> & { regexp: string }) => {
          const found = new RegExp(pattern.regexp).exec(line);
          const part = (name: string) => found?.[pattern[name] ?? -1];
          const place = part("line");
          return found === null
            ? []
            : [[part("severity"), part("file"), place, part("message")?.slice(0, 12)]];
        })
      );
    };
    assert.deepEqual(await read('{"target": "pod/a",\n"agent": {"metrics": "x"},\n"feature": {"a": 1}}'), [
      ["error", "mirrord.json", "3", 'Cannot use "'],
      ["warning", "mirrord.json", "2", 'Ignoring "ag'],
    ]);
    assert.deepEqual(await read('{"target": 1\n"a": 2}'), [["error", "mirrord.json", "2", "Cannot read "]]);
  }));

Deno.test("a target for every start, and a start copied as a command with it", () =>
  withFolder({ configurations: [python, { ...python, request: "attach" }] }, async (editor) => {
    await editor.run("mirrord.toggle");
    editor.picks.push("Type a target …");
    editor.typed.push("pod/web-1");
    await editor.run("mirrord.selectTarget");
    assert.equal(editor.statusBar, "mirrord: on, pod/web-1");
    await editor.run("mirrord.copyCommand");
    assert.deepEqual(editor.errors, []);
    assert.match(editor.executed[0] ?? "", /^copy \S*mirrord exec -t pod\/web-1 -- python3 app\.py$/);
    editor.picks.push("Ask at each start");
    await editor.run("mirrord.selectTarget");
    assert.equal(editor.statusBar, "mirrord: on");
    assert.equal(editor.offered.at(-1)?.[1], "web-1", "the last target does not come first");
  }));

Deno.test("without mirrord a start says so, and what to do", () =>
  withFolder({ binaryPath: "no-such-mirrord", enabledByDefault: true }, async (editor) => {
    assert.equal(await editor.start(python), undefined);
    assert.match(editor.errors[0] ?? "", /^Cannot run "no-such-mirrord".*mirrord\.binaryPath/);
    assert.deepEqual(editor.offered, []);
  }));

Deno.test("a notification has no link that a name brought along", () =>
  withFolder(
    { binaryPath: "[look](command:workbench.action.quit)", enabledByDefault: true },
    async (editor) => {
      await editor.start(python);
      assert.match(editor.errors[0] ?? "", /^Cannot run "\[look\] \(command:workbench\.action\.quit\)"/);
    },
  ));
