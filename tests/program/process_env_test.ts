// The app's environment, from the compiled binary: each rule of feature.env in its order, over what a real
// process has.

import assert from "node:assert/strict";
import { missingForProcess } from "../support/cases.ts";
import { deadline } from "../support/deadline.ts";
import { runMirrord } from "../support/program.ts";

const missing = missingForProcess();
const others = { network: false, fs: false, hostname: false };

/** The variables of an app run with `env` as feature.env, beside a process that has `remote`. */
async function appVariables(
  remote: Record<string, string>,
  options: { env?: unknown; flags?: string[]; own?: Record<string, string>; file?: string },
): Promise<Record<string, string>> {
  const target = new Deno.Command("/bin/sh", {
    args: ["-c", "echo ready; exec /bin/sleep infinity"],
    clearEnv: true,
    env: remote,
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const folder = await Deno.makeTempDir({ prefix: "mirrord-env-" });
  try {
    const reader = target.stdout.getReader();
    await deadline(reader.read(), "the target runs");
    await reader.cancel();
    const feature = { ...others, ...(options.env === undefined ? {} : { env: options.env }) };
    await Deno.writeTextFile(`${folder}/m.json`, JSON.stringify({ feature }));
    await Deno.writeTextFile(`${folder}/own.env`, options.file ?? "");
    const flags = ["--target", `process/${target.pid}`, "-f", "m.json", ...(options.flags ?? [])];
    const { code, stdout, stderr } = await runMirrord(["exec", ...flags, "--", "env", "-0"], {
      cwd: folder,
      env: options.own ?? {},
    });
    assert.equal(code, 0, stderr);
    return Object.fromEntries(
      stdout.split("\0").filter(Boolean).map((pair) => {
        const at = pair.indexOf("=");
        return [pair.slice(0, at), pair.slice(at + 1)];
      }),
    );
  } finally {
    target.kill("SIGKILL");
    await target.status;
    await Deno.remove(folder, { recursive: true });
  }
}

const remote = {
  A: "remote",
  B: "remote",
  C_TIMEOUT: "1",
  D: "remote",
  E: "remote",
  LINES: "two\nlines",
  PATH: "/remote",
  NODE_OPTIONS: "--require /remote.js",
  LD_LIBRARY_PATH: "/remote",
};

const cases: [
  name: string,
  options: Parameters<typeof appVariables>[1],
  expected: Record<string, unknown>,
][] = [
  ["everything but the machine's own travels", { own: { A: "own", OWN: "1" } }, {
    ...{ A: "remote", B: "remote", LINES: "two\nlines", OWN: "1" },
    ...{ NODE_OPTIONS: undefined, LD_LIBRARY_PATH: undefined },
  }],
  [
    "env_file beats the target, mapping both, override all, and unset takes away last",
    {
      env: {
        env_file: "own.env",
        mapping: { "^(\\w+)_TIMEOUT$": "${1}-long", "^B$": "mapped" },
        override: { D: "override", F: "new" },
        unset: ["e", "G"],
      },
      file: "A=file\nB=file\nG=file\nC='quoted value'\n",
      own: { D: "own" },
    },
    {
      ...{ A: "file", B: "mapped", C: "quoted value", C_TIMEOUT: "C-long" },
      ...{ D: "override", E: undefined, F: "new", G: undefined },
    },
  ],
  ["include leaves out the rest", { env: { include: ["A", "LI*"] } }, {
    ...{ A: "remote", LINES: "two\nlines", B: undefined, D: undefined },
  }],
  [
    "an allowlist takes what it names, and of the machine's variables what it names in full",
    { env: { mode: "allowlist", include: ["A", "C_*", "NODE_*", "LD_LIBRARY_PATH"] } },
    {
      ...{ A: "remote", C_TIMEOUT: "1", B: undefined, LINES: undefined },
      ...{ NODE_OPTIONS: undefined, LD_LIBRARY_PATH: "/remote" },
    },
  ],
  ["exclude leaves out what it names", { env: { exclude: "?" } }, {
    ...{ A: undefined, E: undefined, C_TIMEOUT: "1" },
  }],
  ["a machine's variable that is named in full comes", { env: { include: ["*", "NODE_OPTIONS"] } }, {
    ...{ A: "remote", NODE_OPTIONS: "--require /remote.js", LD_LIBRARY_PATH: undefined },
  }],
  ["flags say the same as the file", { flags: ["-s", "A;B", "--env-file", "own.env"], file: "B=file" }, {
    ...{ A: "remote", B: "file", D: undefined },
  }],
  ["-x * takes none of the target's", { flags: ["-x", "*"], own: { A: "own" } }, { A: "own", B: undefined }],
  ["without feature.env the app has the developer's alone", { env: false, own: { A: "own" } }, {
    ...{ A: "own", B: undefined },
  }],
];

for (const [name, options, expected] of cases) {
  Deno.test({ name, ignore: missing !== null }, async () => {
    const variables = await appVariables(remote, options);
    const found = Object.fromEntries(Object.keys(expected).map((key) => [key, variables[key]]));
    assert.deepEqual(found, expected);
    assert.notEqual(variables["PATH"], "/remote");
  });
}
