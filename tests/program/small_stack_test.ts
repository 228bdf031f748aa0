// Every hook in a thread whose stack is as small as threads may have it (PTHREAD_STACK_MIN, 16 KiB): what
// works there inside the target works beside it.

import assert from "node:assert/strict";
import { missingForProcess } from "../support/cases.ts";
import { FileTarget } from "../support/file_target.ts";
import { compileApp } from "../support/layer_app.ts";
import { Mirrord } from "../support/program.ts";

const missing = missingForProcess();
const smallest = "16384";

const fill = (program: string) => `
cp ${program} data/program; cd data
mkdir many deep; printf text >small; seq 1 90000 >large; ln -s small link; echo inner >deep/inner; echo kept >kept
for name in 1 2 3 10 11; do : >many/$name; done
cd ..; printf '127.0.0.1 localhost\\n127.0.0.9 beside\\n' >etc/hosts
`;

function lines(text: string): string[] {
  return text.trim().split("\n");
}

Deno.test(
  { name: "every hook works in a thread with the smallest stack", ignore: missing !== null },
  async () => {
    const program = await compileApp("small_stack", { flags: ["-lresolv"] });
    await using target = await FileTarget.create({ fill: fill(program) });
    await using other = await FileTarget.create({ fill: fill(program) });
    const there = lines(await other.run(`/data/program /data ${smallest}`));
    const flags = ["exec", "--target", `process/${target.pid}`, "--fs-mode", "write", "--"];
    await using run = new Mirrord([...flags, program, "/data", smallest], {
      cwd: "/usr",
      env: { PATH: "/usr/bin:/bin" },
    });
    const { stdout, stderr, code } = await run.finished(120_000);
    assert.equal(code, 0, stderr);
    // libc's own look-ups need more than that, in the target too.
    const works = (line: string) => !/ signal /.test(line);
    const here = new Map(lines(stdout).map((line) => [line.split(" ")[0], line]));
    const wanted = there.filter(works);
    assert.ok(wanted.length > 100, `${wanted.length} calls`);
    assert.deepEqual(wanted.map((line) => here.get(line.split(" ")[0])), wanted);
  },
);
