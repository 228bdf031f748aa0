// Descriptors of the target's files, asked about themselves by every call that takes one: what each says
// beside the target is what it says inside.

import assert from "node:assert/strict";
import { missingForProcess } from "../support/cases.ts";
import { FileTarget } from "../support/file_target.ts";
import { compileApp } from "../support/layer_app.ts";
import { Mirrord } from "../support/program.ts";

const missing = missingForProcess();

const fill = (program: string) => `
cp ${program} data/program; cd data; printf 'some text' >small; seq 1 90000 >large; mkdir folder; chmod 644 small large; cd ..
`;

async function beside(target: FileTarget, argv: string[]) {
  const flags = ["exec", "--target", `process/${target.pid}`, "--fs-mode", "write", "--"];
  await using run = new Mirrord([...flags, ...argv], { cwd: "/usr", env: { PATH: "/usr/bin:/bin" } });
  const { stdout, stderr, code } = await run.finished(120_000);
  assert.equal(code, 0, stderr);
  return stdout.trim().split("\n");
}

const cases = [
  ["large", "r", "read only"],
  ["large", "rw", "read and written"],
  ["large", "w", "written only"],
  ["large", "a", "appended to"],
  ["small", "r", "small, read only"],
  ["small", "rw", "small, read and written"],
  ["folder", "d", "a folder"],
] as const;
for (const [file, how, name] of cases) {
  Deno.test(
    { name: `a descriptor says of itself what a file's does: ${name}`, ignore: missing !== null },
    async () => {
      const program = await compileApp("descriptor");
      await using target = await FileTarget.create({ fill: fill(program) });
      await using other = await FileTarget.create({ fill: fill(program) });
      const there = (await other.run(`/data/program /data/${file} ${how}`)).trim().split("\n");
      assert.ok(there.length > 100, `${there.length} lines`);
      assert.deepEqual(await beside(target, [program, `/data/${file}`, how]), there);
      const left = `cd /data; ls -l --time-style=+ small large; sha256sum small large`;
      assert.equal(await target.run(left), await other.run(left));
    },
  );
}

Deno.test(
  {
    name: "what passes every hook fails on such a descriptor, and is no empty file",
    ignore: missing !== null,
  },
  async () => {
    const program = await compileApp("descriptor");
    await using target = await FileTarget.create({ fill: fill(program) });
    const lines = await beside(target, [program, "/data/large", "rw", "raw"]);
    assert.deepEqual(lines, ["read: EINVAL", "write: ENOTCONN", "a child reads: 0"]);
  },
);
