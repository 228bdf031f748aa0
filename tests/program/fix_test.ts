// `mirrord fix kubeconfig` as a user runs it: links, modes, lists, and what is left alone.

import assert from "node:assert/strict";
import { type Finished, runMirrord } from "../support/program.ts";

/** Does `work` in a folder with `kube/config`, which names a path relative to it. */
async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/kube`);
    await Deno.writeTextFile(
      `${folder}/kube/config`,
      "users:\n- name: ana\n  user: {client-key: a.key} # hers\n",
      {
        mode: 0o640,
      },
    );
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function fix(env: Record<string, string>, ...flags: string[]): Promise<Finished> {
  return await runMirrord(["fix", "kubeconfig", ...flags], { env });
}

Deno.test("relative paths of ~/.kube/config become absolute, and the file keeps its mode, group and link", async () => {
  await inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/.kube`);
    await Deno.symlink("../kube/config", `${folder}/.kube/config`);
    if (Deno.uid() === 0) await Deno.chown(`${folder}/kube/config`, null, 4711); // others have no such group
    const { gid } = await Deno.stat(`${folder}/kube/config`);
    const dry = await fix({ HOME: folder }, "--dry-run");
    const change = `${folder}/.kube/config: user "ana", client-key: "a.key"`;
    assert.deepEqual([dry.code, dry.stdout], [0, `${change} would become "${folder}/.kube/a.key"\n`]);
    assert.match(await Deno.readTextFile(`${folder}/kube/config`), /client-key: a\.key\}/);
    const { code, stdout } = await fix({ HOME: folder });
    assert.deepEqual([code, stdout], [0, `${change} is now "${folder}/.kube/a.key"\n`]);
    assert.equal(
      await Deno.readTextFile(`${folder}/.kube/config`),
      `users:\n- name: ana\n  user: {client-key: ${folder}/.kube/a.key} # hers\n`,
    );
    assert.equal((await Deno.lstat(`${folder}/.kube/config`)).isSymlink, true);
    const fixed = await Deno.stat(`${folder}/kube/config`);
    assert.deepEqual([(fixed.mode ?? 0) & 0o777, fixed.gid], [0o640, gid]);
    assert.deepEqual([...Deno.readDirSync(`${folder}/kube`)].map(({ name }) => name), ["config"]);
    const again = await fix({ HOME: folder });
    assert.equal(again.stdout, `${folder}/.kube/config: no path in it is relative\n`);
  });
});

Deno.test("each file of a KUBECONFIG list is fixed; one that cannot be used is an error", async () => {
  await inFolder(async (folder) => {
    const listed = await fix({ KUBECONFIG: `${folder}/none:${folder}/kube/config` });
    assert.deepEqual([listed.code, listed.stderr], [0, ""]);
    assert.match(await Deno.readTextFile(`${folder}/kube/config`), new RegExp(`${folder}/kube/a.key`));
    await Deno.writeTextFile(`${folder}/broken`, "users: [\nclient-key: hidden");
    for (
      const [flag, said] of [["broken", /Cannot use the kubeconfig/], [
        "none",
        /there is no such file/,
      ]] as const
    ) {
      const { code, stderr } = await fix({}, "--kubeconfig", `${folder}/${flag}`);
      assert.equal(code, 78);
      assert.match(stderr, said);
      assert.ok(!stderr.includes("hidden"), stderr);
    }
    assert.equal((await runMirrord(["fix", "other"])).code, 2);
  });
});
