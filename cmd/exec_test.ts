// `mirrord exec` without a target: which program runs.

import assert from "node:assert/strict";

const root = new URL("../", import.meta.url).pathname;

Deno.test("the program that was looked at is the one that runs, whatever the app's PATH", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    for (const name of ["own", "other"]) {
      Deno.mkdirSync(`${folder}/${name}`);
      Deno.writeTextFileSync(`${folder}/${name}/app`, `#!/bin/sh\necho ${name} $PATH\n`, { mode: 0o755 });
    }
    const PATH = `${folder}/other:/usr/bin:/bin`;
    const config = { feature: { env: { override: { PATH } } } };
    Deno.writeTextFileSync(`${folder}/mirrord.json`, JSON.stringify(config));
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", `${root}main.ts`, "exec", "-f", `${folder}/mirrord.json`, "app"],
      cwd: root,
      env: { PATH: `${folder}/own:${Deno.env.get("PATH")}` },
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    assert.equal(new TextDecoder().decode(stdout), `own ${PATH}\n`);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
