// Homebrew's formula, filled in as scripts/release.ts does it: its install and test blocks run under Debian's
// ruby with a stand-in for Homebrew (formula.rb), from an archive on loopback. Without Homebrew itself.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { root } from "../../scripts/step.ts";
import { FakeRelease } from "../support/fake_release.ts";

const decoder = new TextDecoder();
const template = Deno.readTextFileSync(`${root}scripts/install/mirrord.rb.in`);
/** It answers what the formula's test asks. */
const program = `#!/bin/sh
case "$1 $2" in
"--version ") echo "mirrord 1.2.3" ;;
*good.json) echo '"good.json" can be used' ;;
*) echo 'error: nonsense'; exit 78 ;;
esac
`;
const contents: Record<string, string> = {
  "bin/mirrord": program,
  "LICENSE": "MIT\n",
  "completions/mirrord.bash": "# bash\n",
  "completions/_mirrord": "# zsh\n",
  "completions/mirrord.fish": "# fish\n",
  "man/man1/mirrord.1": ".TH MIRRORD 1\n",
  "man/man1/mirrord-exec.1": ".TH MIRRORD-EXEC 1\n",
};

async function run(
  program: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<Deno.CommandOutput> {
  return await new Deno.Command(program, { args, env, stdin: "null" }).output();
}

async function archive(folder: string, platform: string): Promise<Uint8Array> {
  const top = `mirrord-1.2.3-${platform}`;
  for (const [name, text] of Object.entries(contents)) {
    const path = `${folder}/${top}/${name}`;
    await Deno.mkdir(path.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(path, text, { mode: name.startsWith("bin/") ? 0o755 : 0o644 });
  }
  const { success } = await run("tar", ["-C", folder, "-czf", `${folder}/${top}.tar.gz`, top]);
  assert.ok(success);
  return await Deno.readFile(`${folder}/${top}.tar.gz`);
}

const platforms = ["linux-x86_64", "linux-aarch64", "macos-x86_64", "macos-aarch64"];

/** Serves every archive; `formula` is the file filled in. */
async function withFormula(
  body: (stage: { folder: string; formula: string; release: FakeRelease }) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mirrord-formula." });
  try {
    const files: Record<string, Uint8Array> = {};
    for (const platform of platforms) {
      files[`mirrord-1.2.3-${platform}.tar.gz`] = await archive(folder, platform);
    }
    await using release = await FakeRelease.serve("1.2.3", { files });
    const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
    const words: Record<string, string> = {
      VERSION: "1.2.3",
      HOMEPAGE: "https://mirrord.example",
      DOWNLOAD_BASE: release.base,
      ...Object.fromEntries(platforms.map((platform) => [
        `SHA256_${platform.toUpperCase().replace("-", "_")}`,
        sha256(files[`mirrord-1.2.3-${platform}.tar.gz`] ?? new Uint8Array()),
      ])),
    };
    const formula = `${folder}/mirrord.rb`;
    await Deno.writeTextFile(
      formula,
      template.replaceAll(/@([A-Z0-9_]+)@/g, (_, word) => words[word] ?? "?"),
    );
    await body({ folder, formula, release });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function brew(formula: string, prefix: string, env: { os?: string; cpu?: string } = {}) {
  const { success, stdout, stderr } = await run("ruby", [
    "-w",
    `${root}tests/install/formula.rb`,
    formula,
    prefix,
  ], {
    FORMULA_OS: env.os ?? "linux",
    FORMULA_CPU: env.cpu ?? "intel",
  });
  return { success, out: decoder.decode(stdout), error: decoder.decode(stderr) };
}

function filesBelow(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesBelow(`${folder}/${name}`).map((path) => `${name}/${path}`) : [name]
  ).sort();
}

for (const platform of platforms) {
  const [os = "", machine] = platform.split("-");
  const cpu = machine === "x86_64" ? "intel" : "arm";
  Deno.test(`the formula installs and tests the archive for ${platform}`, async () => {
    await withFormula(async ({ folder, formula, release }) => {
      const prefix = `${folder}/prefix`;
      const { success, out, error } = await brew(formula, prefix, { os, cpu });
      assert.ok(success, error);
      assert.equal(error, "");
      assert.equal(out, "installed and tested 1.2.3\n");
      assert.deepEqual(release.asked, [`v1.2.3/mirrord-1.2.3-${platform}.tar.gz`]);
      assert.deepEqual(filesBelow(prefix), [
        "bin/mirrord",
        "etc/bash_completion.d/mirrord",
        "share/fish/vendor_completions.d/mirrord.fish",
        "share/man/man1/mirrord-exec.1",
        "share/man/man1/mirrord.1",
        "share/zsh/site-functions/_mirrord",
      ]);
    });
  });
}

Deno.test("the formula refuses another archive", async () => {
  await withFormula(async ({ folder, formula, release }) => {
    release.replace("mirrord-1.2.3-linux-x86_64.tar.gz", (before) => before.slice(1));
    const changed = await brew(formula, `${folder}/prefix`);
    assert.match(changed.error, /the hash of .* is another/);
    assert.ok(!changed.success);
  });
});
