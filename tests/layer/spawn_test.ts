// Files that posix_spawn opens for a child (posix_spawn_file_actions_addopen(3)): those of the target are the
// target's, whatever else is done to the child's descriptors, and nothing of this machine takes their place.

import assert from "node:assert/strict";
import { deadline } from "../support/deadline.ts";
import { FakeFiles } from "../support/fake_files.ts";
import { FakeSession } from "../support/fake_session.ts";
import { App, compileApp } from "../support/layer_app.ts";

const [readOnly, writeOnly, creates, truncates, appends] = [0, 1, 0o100, 0o1000, 0o2000];
const closesOnExec = 0o2000000;

/** What the child, or its parent for want of one, prints; files of the target at the end. */
async function spawn(args: string[], check?: (files: FakeFiles) => void): Promise<string[]> {
  await using files = new FakeFiles();
  files.fill();
  await using session = new FakeSession({ files });
  await using app = new App(session, [await compileApp("spawns"), ...args]);
  const lines: string[] = [];
  await deadline(app.status, "the app ends");
  for (;;) {
    try {
      lines.push(await app.line());
    } catch (error) {
      assert.match(String(error), /the app ended/);
      break;
    }
  }
  check?.(files);
  await deadline(files.closed(), "every file is closed");
  return lines;
}

const cases: Record<string, [args: string[], lines: string[]]> = {
  "a small file": [[`open:0:${readOnly}:/pod/small`, "--", "cat"], ["hello target"]],
  "a large file, which the child's layer knows": [
    [
      `open:0:${readOnly}:/pod/big`,
      "--",
      "sh",
      "-c",
      "head -n 2; wc -c < /dev/fd/0 > /dev/null && echo more",
    ],
    ["1", "2", "more"],
  ],
  "a file at a high number": [[`open:77:${readOnly}:/pod/small`, "--", "bash", "-c", "cat <&77"], [
    "hello target",
  ]],
  "a file that is moved on": [
    [
      `open:9:${readOnly}:/pod/small`,
      "dup2:9:0",
      "close:9",
      "--",
      "sh",
      "-c",
      "cat; test -e /dev/fd/9 || echo closed",
    ],
    ["hello targetclosed"],
  ],
  "a file under a number that was closed before": [
    ["close:0", "close:3", `open:3:${readOnly}:/pod/small`, "dup2:3:0", "--", "cat"],
    ["hello target"],
  ],
  "a file with close-on-exec, gone with the exec": [
    [
      `open:9:${readOnly | closesOnExec}:/pod/small`,
      "dup2:9:0",
      "--",
      "sh",
      "-c",
      "cat; test -e /dev/fd/9 || echo closed",
    ],
    ["hello targetclosed"],
  ],
  "a number that another file comes to after close-on-exec": [
    [`open:0:${readOnly | closesOnExec}:/pod/small`, `open:0:${readOnly}:/pod/a.json`, "--", "cat"],
    ['{"a": 1}'],
  ],
  "two files": [
    [
      `open:3:${readOnly}:/pod/small`,
      `open:4:${readOnly}:/pod/d/e`,
      "--",
      "sh",
      "-c",
      "cat <&4 <&3; cat <&4",
    ],
    ["hello targetdeep"],
  ],
  "a file that is not there": [[`open:0:${readOnly}:/pod/none`, "--", "cat"], ["ENOENT"]],
  "a file after all descriptors are closed, ours too": [
    ["closefrom:3", `open:3:${readOnly}:/pod/small`, "--", "cat"],
    ["EOPNOTSUPP"],
  ],
  "all descriptors are closed behind it": [[`open:0:${readOnly}:/pod/small`, "closefrom:3", "--", "cat"], [
    "hello target",
  ]],
  "this machine's files": [
    [
      "open:0:0:/dev/null",
      `open:9:${readOnly}:/pod/small`,
      "chdir:/usr",
      "--",
      "sh",
      "-c",
      "wc -c; pwd; cat <&9",
    ],
    ["0", "/usr", "hello target"],
  ],
};
for (const [title, [args, lines]] of Object.entries(cases)) {
  Deno.test(`posix_spawn opens ${title}`, async () => assert.deepEqual(await spawn(args), lines));
}

Deno.test("posix_spawn makes, cuts and appends to the target's files", async () => {
  const flags = writeOnly | creates;
  await spawn([`open:1:${flags | truncates}:/pod/out`, "--", "echo", "new"], (files) => {
    assert.equal(Deno.readTextFileSync(`${files.root}/out`), "new\n");
    assert.equal((Deno.statSync(`${files.root}/out`).mode ?? 0) & 0o777, 0o640);
  });
  await spawn([`open:1:${flags | appends}:/pod/small`, "--", "echo", "!"], (files) => {
    assert.equal(Deno.readTextFileSync(`${files.root}/small`), "hello target!\n");
  });
});

Deno.test("posix_spawn opens where a rule of the session's leads", async () => {
  const args = [`open:1:${writeOnly | creates}:/mapped/out`, "--", "echo", "mapped"];
  await spawn(args, (files) => assert.equal(Deno.readTextFileSync(`${files.mapped}/out`), "mapped\n"));
});
