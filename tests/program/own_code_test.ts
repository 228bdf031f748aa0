// The developer's code is this machine's, wherever it lies: a script outside the local trees, what lies
// beside it, and a program that the dynamic linker was told to run. The rest of the same folders stays the
// target's.

import assert from "node:assert/strict";
import { readProgramKind } from "../../core/launch/elf.ts";
import { missingForProcess } from "../support/cases.ts";
import { attempt } from "../cluster/command.ts";
import { FileTarget } from "../support/file_target.ts";
import { userPath } from "../support/program.ts";
import { type Finished, runMirrord } from "../support/program.ts";

const missing = missingForProcess();

/** In the root, where no rule says local. */
interface Places extends AsyncDisposable {
  /** Only here. */
  tool: string;
  /** Here and in the target, with other files. */
  shared: string;
  run(
    argv: string[],
    options?: { env?: Record<string, string>; flags?: string[]; cwd?: string },
  ): Promise<Finished>;
}

async function makePlaces(): Promise<Places> {
  const name = `mirrord-own-${crypto.randomUUID().slice(0, 8)}`;
  const [tool, shared] = [`/${name}/tool`, `/${name}-shared`];
  for (const folder of [`${tool}/bin`, `${tool}/lib/part`, shared]) {
    Deno.mkdirSync(folder, { recursive: true });
  }
  Deno.writeTextFileSync(`${shared}/both`, "here");
  const target = await FileTarget.create({
    fill:
      `mkdir .${shared} && printf there >.${shared}/both && printf there >data/x && printf '#!/bin/sh\\n' >.${shared}/script`,
  });
  return {
    tool,
    shared,
    run: (argv, { env = {}, flags = [], cwd = "/usr" } = {}) =>
      runMirrord(["exec", "--target", `process/${target.pid}`, ...flags, "--", ...argv], { env, cwd }),
    async [Symbol.asyncDispose]() {
      await target[Symbol.asyncDispose]();
      for (const folder of [`/${name}`, shared]) await Deno.remove(folder, { recursive: true });
    },
  };
}

function write(path: string, text: string): string {
  Deno.writeTextFileSync(path, text);
  Deno.chmodSync(path, 0o755);
  return path;
}

/** Runs `argv` and wants `expected` on standard output, and the target's data seen as well. */
async function prints(
  at: Places,
  argv: string[],
  expected: string,
  options?: Parameters<Places["run"]>[1],
): Promise<void> {
  const { code, stdout, stderr } = await at.run(argv, options);
  assert.deepEqual([code, stdout.trim()], [0, expected], `${argv.join(" ")}\n${stderr}`);
}

Deno.test({
  name: "a script outside the local trees is run, by itself and by its interpreter",
  ignore: missing !== null,
}, async () => {
  await using at = await makePlaces();
  for (
    const [name, first] of [["a", "#!/bin/sh"], ["b", "#!/usr/bin/env sh"], [
      "c",
      "#!/usr/bin/env -S GREETING=hi sh",
    ]]
  ) {
    const script = write(`${at.tool}/${name}`, `${first}\ncat /data/x; echo " $1"\n`);
    await prints(at, [script, "arg"], "there arg");
    await prints(at, ["sh", script, "arg"], "there arg");
    await prints(at, ["sh", "-c", `${script} arg`], "there arg");
  }
  const python = write(
    `${at.tool}/bin/run`,
    "import beside, package.inner, json; print(open('/data/x').read(), beside.one, package.inner.two)\n",
  );
  write(`${at.tool}/bin/beside.py`, "one = 1\n");
  Deno.mkdirSync(`${at.tool}/bin/package`);
  write(`${at.tool}/bin/package/__init__.py`, "");
  write(`${at.tool}/bin/package/inner.py`, "two = 2\n");
  await prints(at, ["/usr/bin/python3", python], "there 1 2");
  const node = write(
    `${at.tool}/main`,
    "console.log(require('fs').readFileSync('/data/x', 'utf8'), require('./lib/part'), require('dependency'))\n",
  );
  write(`${at.tool}/lib/part/index.js`, "module.exports = require('./data.json').three\n");
  write(`${at.tool}/lib/part/data.json`, '{"three": 3}');
  Deno.mkdirSync(`${at.tool}/node_modules/dependency`, { recursive: true });
  write(`${at.tool}/node_modules/dependency/package.json`, '{"main": "./start"}');
  write(`${at.tool}/node_modules/dependency/start`, "module.exports = 4\n");
  await prints(at, ["/usr/bin/node", node], "there 3 4");
});

Deno.test({
  name: "where the target has the script's folder, nothing but the script is this machine's",
  ignore: missing !== null,
}, async () => {
  await using at = await makePlaces();
  const script = write(`${at.shared}/script`, `#!/bin/sh\ncat ${at.shared}/both\n`);
  await prints(at, [script], "there");
  await prints(at, ["sh", script], "there");
  await prints(at, ["cat", `${at.shared}/both`], "there");
  await prints(at, ["cat", script], "#!/bin/sh"); // a program that only reads it gets the target's
});

Deno.test(
  { name: "a shim in another user's home leads to its interpreter", ignore: missing !== null },
  async () => {
    await using at = await makePlaces();
    // As pyenv does it: a script that finds the version's program in the folder beside.
    Deno.mkdirSync(`${at.tool}/shims`);
    Deno.mkdirSync(`${at.tool}/versions/3/bin`, { recursive: true });
    const shim = write(
      `${at.tool}/shims/py`,
      `#!/usr/bin/env bash
root=\${0%/shims/*}
[ -d "$root/versions" ] || exit 3
. "$root/lib/part/settings"
exec "$root/versions/$version/bin/py" "$@"
`,
    );
    write(`${at.tool}/lib/part/settings`, "version=3\n");
    Deno.symlinkSync("/usr/bin/python3", `${at.tool}/versions/3/bin/py`);
    const path = `${userPath()}:/bin`;
    await prints(at, [shim, "-c", "print(open('/data/x').read())"], "there", {
      env: { HOME: "/tmp/nobody", PATH: path },
    });
  },
);

Deno.test(
  { name: "the dynamic linker runs a program in the session", ignore: missing !== null },
  async () => {
    await using at = await makePlaces();
    const kind = await readProgramKind(await Deno.realPath("/bin/cat"));
    const loader = kind.kind === "dynamic" ? kind.interpreter : "";
    await prints(at, [loader, "/bin/cat", "/data/x"], "there");
    await prints(at, [loader, "--library-path", "/lib:/usr/lib", "/bin/cat", "/data/x"], "there");
    await prints(at, ["sh", "-c", `${loader} /bin/cat /data/x`], "there");
    const native = await attempt([loader, "--version"]);
    await prints(at, [loader, "--version"], native.stdout.trim());
  },
);

Deno.test({ name: "a set-user-ID program of root's is run by root", ignore: missing !== null }, async () => {
  await using at = await makePlaces();
  Deno.copyFileSync("/bin/cat", `${at.tool}/cat`);
  Deno.chmodSync(`${at.tool}/cat`, 0o4755);
  await prints(at, [`${at.tool}/cat`, "/data/x"], "there");
});
