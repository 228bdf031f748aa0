// `mirrord upgrade` as the compiled binary does it to a copy of itself, from a release on loopback.

import assert from "node:assert/strict";
import { fakeProgram, FakeRelease } from "../support/fake_release.ts";
import { binary } from "../support/program.ts";

const decoder = new TextDecoder();

Deno.test("the compiled binary replaces itself, once", async () => {
  await using release = await FakeRelease.serve("999.0.0");
  const folder = await Deno.makeTempDir({ prefix: "mirrord-upgrade." });
  try {
    const file = `${folder}/mirrord`;
    await Deno.copyFile(binary, file);
    const run = async (...args: string[]) => {
      const { code, stdout, stderr } = await new Deno.Command(file, {
        args,
        clearEnv: true,
        env: {
          PATH: "/usr/bin:/bin",
          MIRRORD_DOWNLOAD_BASE: release.base,
          MIRRORD_PUBLIC_KEY: release.publicKey,
        },
        stdin: "null",
      }).output();
      return { code, out: decoder.decode(stdout), error: decoder.decode(stderr) };
    };
    const checked = await run("upgrade", "--check");
    assert.equal(checked.code, 0, checked.error);
    assert.match(
      checked.out,
      /^mirrord 999\.0\.0 can be installed with: mirrord upgrade \(this is [\d.]+\)\n$/,
    );

    release.replace("checksums.txt.minisig", () => () => new Response("nonsense\n"));
    const refused = await run("upgrade");
    assert.equal(refused.code, 69);
    assert.match(refused.error, /error: Cannot verify ".*": its signature is not that of mirrord's key$/m);

    await release.publish("999.0.0");
    const { code, out, error } = await run("upgrade");
    assert.equal(code, 0, error);
    assert.match(out, new RegExp(`^mirrord [\\d.]+ was replaced by 999\\.0\\.0: ${file}\n$`));
    assert.deepEqual(new Uint8Array(await Deno.readFile(file)), fakeProgram("999.0.0"));
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["mirrord"]);
    assert.equal((await run("--version")).out, "mirrord 999.0.0\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/**
 * Runs a copy of the binary, as nobody where `user` says so, with programs of the test's in front of the
 * system's.
 */
async function refusal(
  posing: Record<string, string>,
  user: string[],
): Promise<{ code: number; text: string }> {
  await using release = await FakeRelease.serve("999.0.0");
  const folder = await Deno.makeTempDir({ prefix: "mirrord-upgrade." });
  try {
    await Deno.chmod(folder, 0o755);
    await Deno.mkdir(`${folder}/bin`);
    for (const [name, script] of Object.entries(posing)) {
      await Deno.writeTextFile(`${folder}/bin/${name}`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    }
    await Deno.copyFile(binary, `${folder}/mirrord`);
    const { code, stderr } = await new Deno.Command("env", {
      args: [...user, `${folder}/mirrord`, "upgrade"],
      clearEnv: true,
      env: {
        PATH: `${folder}/bin:/usr/bin:/bin`,
        MIRRORD_DOWNLOAD_BASE: release.base,
        MIRRORD_PUBLIC_KEY: release.publicKey,
      },
      stdin: "null",
    }).output();
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["bin", "mirrord"]);
    return { code, text: decoder.decode(stderr).replaceAll(folder, "FOLDER") };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a file of dpkg or rpm is left to it", async () => {
  for (
    const [manager, program, help] of [["dpkg", "dpkg-query", "apt install"], ["rpm", "rpm", "rpm --upgrade"]]
  ) {
    const only = { "dpkg-query": "exit 1", "rpm": "exit 1", [`${program}`]: "exit 0" };
    const { code, text } = await refusal(only, []);
    assert.equal(code, 77, text);
    assert.ok(text.includes(`Cannot replace "FOLDER/mirrord": it belongs to ${manager}\n`), text);
    assert.ok(text.includes(`help: Use: sudo ${help}`), text);
  }
});

Deno.test(
  { name: "a user who may not write to the folder gets an error", ignore: Deno.uid() !== 0 },
  async () => {
    const { code, text } = await refusal({}, ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]);
    assert.equal(code, 77, text);
    assert.ok(text.includes('Cannot replace "FOLDER/mirrord": you may not write to its folder\n'), text);
    assert.ok(text.includes("help: Run: sudo FOLDER/mirrord upgrade\n"), text);
  },
);
