// Mode "read": what would change a file that the target alone has fails as on a file system that is mounted
// read-only, and comes to nothing on this machine. The right answers are the same program's inside such a
// mount.

import assert from "node:assert/strict";
import { missingForProcess } from "../support/cases.ts";
import { FileTarget } from "../support/file_target.ts";
import { Mirrord } from "../support/program.ts";

const missing = missingForProcess();
const python = "/usr/bin/python3";
const apps = decodeURIComponent(new URL("../apps", import.meta.url).pathname);

/** A tree of every kind of file, databases among them. */
const fill = `
printf 'some text' >data/file; seq 1 90000 >data/large; mkdir data/folder; ln -s file data/link; ln -s nowhere data/dangling
${python} -c '
import dbm.ndbm, sqlite3
with sqlite3.connect("data/db") as db:
    db.execute("create table words (text)")
    db.execute("insert into words values (?)", ("of the target",))
dbm.ndbm.open("data/ndbm", "n")["key"] = "value"
'
cp ${apps}/changes.py data/
`;
/** The folder in which it lies, seen by nobody else. */
const mountedReadOnly = `${fill}
mount --bind data data; mount -o remount,bind,ro data
`;

async function inside(target: FileTarget, argv: string[]): Promise<string[]> {
  const enter = ["--target", `${target.pid}`, "--mount", "--pid", "--root", "--wd", ...argv];
  const { code, stdout, stderr } = await new Deno.Command("nsenter", {
    args: enter,
    stdin: "null",
    clearEnv: true,
  })
    .output();
  const text = new TextDecoder();
  assert.equal(code, 0, text.decode(stderr));
  return text.decode(stdout).trim().split("\n");
}

async function beside(target: FileTarget, argv: string[], flags: string[] = []) {
  const exec = ["exec", "--target", `process/${target.pid}`, "--fs-mode", "read", ...flags, "--"];
  await using run = new Mirrord([...exec, ...argv], { cwd: "/usr", env: { PATH: "/usr/bin:/bin" } });
  return await run.finished(120_000);
}

Deno.test(
  { name: "changes in mode read fail as on a file system mounted read-only", ignore: missing !== null },
  async () => {
    await using target = await FileTarget.create({ fill });
    await using wanted = await FileTarget.create({ fill: mountedReadOnly });
    const there = await inside(wanted, [python, "/data/changes.py", "/data"]);
    const here = await beside(target, [python, `${apps}/changes.py`, "/data"]);
    assert.deepEqual(here.stdout.trim().split("\n"), there, here.stderr);
    assert.equal(here.code, 0, here.stderr);
    assert.equal(await target.run("cd /data; ls; cat file"), await wanted.run("cd /data; ls; cat file"));
    await assert.rejects(Deno.lstat("/data"), Deno.errors.NotFound);
    const said = here.stderr.split("\n").filter((line) => line.includes('Cannot write "/data/file"'));
    assert.equal(said.length, 1, here.stderr);
    assert.match(said[0] ?? "", /feature\.fs\.mode "write", or feature\.fs\.read_write/);
  },
);

Deno.test(
  { name: "the sqlite3 program reads a database of the target in mode read", ignore: missing !== null },
  async () => {
    await using target = await FileTarget.create({ fill });
    const argv = ["/usr/bin/sqlite3", "/data/db", "select text from words; insert into words values (1);"];
    const { code, stdout, stderr } = await beside(target, argv);
    assert.equal(stdout, "of the target\n", stderr);
    assert.match(stderr, /attempt to write a readonly database/);
    assert.notEqual(code, 0);
  },
);

Deno.test(
  {
    name: "what is only written stays on this machine, which is logged once for a folder",
    ignore: missing !== null,
  },
  async () => {
    const folder = await Deno.makeTempDir({ dir: "/var/lib", prefix: "mirrord-test-" });
    try {
      await using target = await FileTarget.create({ fill: `mkdir -p .${folder}; echo there >.${folder}/a` });
      const script = `echo here >${folder}/b; echo here >>${folder}/c; cat ${folder}/a; ls ${folder}`;
      const { stdout, stderr } = await beside(target, ["/bin/sh", "-c", script]);
      assert.equal(stdout, "there\na\n", stderr);
      assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["b", "c"]);
      const said = stderr.split("\n").filter((line) =>
        line.includes(`writes in "${folder}" stays on this machine`)
      );
      assert.equal(said.length, 1, stderr);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
