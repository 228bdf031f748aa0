// The files of a release, from small stand-ins for what is built: the same bytes each time, sums and
// signature that hold, archives with what belongs to them, and a bill of materials that names what the
// bundler took. That the programs themselves are the same each time: tests/program/reproducible_test.ts.

import assert from "node:assert/strict";
import { verifySignature } from "../cmd/minisign.ts";
import settings from "../deno.json" with { type: "json" };
import { newKey, publicKeyOf } from "./minisign.ts";
import { assembleRelease, releaseFiles, releaseNotes, type ReleaseSources } from "./release_files.ts";
import { billOfMaterials, bundledParts, type LockFile, type Part } from "./sbom.ts";
import { root } from "./step.ts";

const { version } = settings;
const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);
const read = (path: string): string => Deno.readTextFileSync(root + path);
const lock = JSON.parse(read("deno.lock")) as LockFile;
const programs = new Map(["linux-x86_64", "linux-aarch64", "macos-x86_64", "macos-aarch64"].map((name) => [
  name,
  new TextEncoder().encode(`#!/bin/sh\necho "mirrord ${name}"\n`),
]));
const metafile = {
  outputs: {
    "main.js": {
      inputs: {
        "main.ts": { bytesInOutput: 10 },
        "node_modules/zod/index.js": { bytesInOutput: 10 },
        "node_modules/@kubernetes/client-node/dist/index.js": { bytesInOutput: 10 },
        "node_modules/commander/index.js": { bytesInOutput: 0 },
      },
    },
  },
};
const parts = bundledParts(metafile, { lock, root });

async function sources(signed: boolean): Promise<ReleaseSources> {
  const signingKey = signed ? (await newKey()).secretKey : null;
  return {
    facts: {
      commit: "0123abc",
      origin: {
        homepage: "https://mirrord.example",
        downloadBase: "https://mirrord.example/d",
        publicKey: signingKey === null ? "" : publicKeyOf(signingKey),
        agentImage: "",
      },
    },
    signingKey,
    programs,
    image: new Uint8Array([1, 2, 3]),
    parts,
    texts: {
      changelog: read("CHANGELOG.md"),
      exitCodes: read("docs/exit-codes.md"),
      licence: read("LICENSE"),
      installScript: "version=@VERSION@ key=@PUBLIC_KEY@ base=@DOWNLOAD_BASE@ home=@HOMEPAGE@\n",
      formula: 'sha256 "@SHA256_LINUX_X86_64@" "@SHA256_LINUX_AARCH64@"\n',
    },
  };
}

async function run(cwd: string, program: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args, cwd }).output();
  assert.ok(success, `${program} ${args.join(" ")}: ${text(stderr)}`);
  return text(stdout);
}

Deno.test("two releases in two folders are the same bytes, with sums and a signature that hold", async () => {
  const given = await sources(true);
  const folder = await Deno.makeTempDir({ prefix: "mirrord-release." });
  try {
    await Deno.mkdir(`${folder}/two/release`, { recursive: true });
    await Deno.writeTextFile(`${folder}/two/release/old`, "of an earlier release");
    const made = await assembleRelease(`${folder}/one`, given);
    await assembleRelease(`${folder}/two/release`, given);
    await run(folder, "diff", "-r", "one", "two/release");
    assert.deepEqual(made.map(([name]) => name), [
      "checksums.txt",
      "checksums.txt.minisig",
      "install.sh",
      `mirrord-${version}-linux-aarch64.tar.gz`,
      `mirrord-${version}-linux-x86_64.tar.gz`,
      `mirrord-${version}-macos-aarch64.tar.gz`,
      `mirrord-${version}-macos-x86_64.tar.gz`,
      `mirrord-agent-${version}.tar`,
      "mirrord-linux-aarch64",
      "mirrord-linux-x86_64",
      "mirrord-macos-aarch64",
      "mirrord-macos-x86_64",
      "mirrord.rb",
      "release-notes.md",
      "sbom.cdx.json",
    ]);
    assert.deepEqual([...Deno.readDirSync(`${folder}/one`)].length, made.length);
    const checked = await run(`${folder}/one`, "sha256sum", "--check", "--strict", "checksums.txt");
    assert.equal(checked.match(/: OK$/gm)?.length, made.length - 2);
    assert.equal(await run(`${folder}/one`, "./mirrord-linux-x86_64"), "mirrord linux-x86_64\n");
    const signature = await Deno.readTextFile(`${folder}/one/checksums.txt.minisig`);
    const { publicKey } = given.facts.origin;
    const sums = await Deno.readFile(`${folder}/one/checksums.txt`);
    assert.equal(await verifySignature(sums, { signature, publicKey }), `mirrord ${version}`);
    const script = await Deno.readTextFile(`${folder}/one/install.sh`);
    assert.equal(
      script,
      `version=${version} key=${publicKey} base=https://mirrord.example/d home=https://mirrord.example\n`,
    );
    const formula = await Deno.readTextFile(`${folder}/one/mirrord.rb`);
    const lines = text(sums).split("\n");
    for (const machine of ["x86_64", "aarch64"]) {
      const line = lines.find((one) => one.endsWith(`-linux-${machine}.tar.gz`)) ?? "";
      assert.ok(formula.includes(`"${line.slice(0, 64)}"`), machine);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("an archive has the program, manual pages, completions and licences, without a time or a user", async () => {
  const given = await sources(false);
  const files = await releaseFiles(given);
  assert.ok(!files.has("checksums.txt.minisig"), "unsigned, and yet there is a signature");
  const folder = await Deno.makeTempDir({ prefix: "mirrord-release." });
  try {
    const name = `mirrord-${version}-linux-x86_64`;
    await Deno.writeFile(`${folder}/a.tar.gz`, files.get(`${name}.tar.gz`) ?? new Uint8Array());
    const listed = await run(folder, "tar", "--utc", "--numeric-owner", "-tvzf", "a.tar.gz");
    const entries = listed.trim().split("\n").map((line) => line.split(/\s+/));
    for (const [, owner, , date, time] of entries) {
      assert.deepEqual([owner, date, time], ["0/0", "1970-01-01", "00:00"]);
    }
    const names = entries.map((entry) => entry[5]?.slice(name.length + 1));
    for (
      const expected of [
        "LICENSE",
        "THIRD-PARTY-LICENSES",
        "bin/mirrord",
        "completions/_mirrord",
        "completions/mirrord.bash",
        "completions/mirrord.fish",
        "man/man1/mirrord.1",
        "man/man1/mirrord-exec.1",
      ]
    ) assert.ok(names.includes(expected), expected);
    await run(folder, "tar", "-xzf", "a.tar.gz");
    assert.equal(await run(folder, `${name}/bin/mirrord`), "mirrord linux-x86_64\n");
    const licences = await Deno.readTextFile(`${folder}/${name}/THIRD-PARTY-LICENSES`);
    assert.match(licences, /^zod [\d.]+ \(MIT; bundled into mirrord\)$/m);
    assert.match(licences, /^ *Apache License$/m);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the bill of materials names each package of the bundle with the hash of deno.lock", () => {
  assert.deepEqual(parts.map(({ name }) => name), ["@kubernetes/client-node", "zod"]);
  const other: Part = { ...parts[0] as Part, licence: "A-1.0 OR B-2.0", purl: "pkg:npm/other@1" };
  const document = JSON.parse(billOfMaterials([...parts, other], "0123abc"));
  assert.equal(document.bomFormat, "CycloneDX");
  assert.equal(document.metadata.component.version, version);
  assert.match(
    document.serialNumber,
    /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  const [kubernetes, zod, third] = document.components;
  assert.match(kubernetes.purl, /^pkg:npm\/%40kubernetes\/client-node@\d/);
  assert.deepEqual(zod.licenses, [{ license: { id: "MIT" } }]);
  assert.deepEqual(third.licenses, [{ expression: "A-1.0 OR B-2.0" }]);
  assert.match(zod.hashes[0].content, /^[0-9a-f]{128}$/);
  const known = document.components.map((one: Record<string, string>) => one["bom-ref"]);
  assert.deepEqual(document.dependencies[0].dependsOn, known);
  assert.throws(() => bundledParts(metafile, { lock: { npm: {} }, root }), /deno\.lock has no hash/);
});

Deno.test("the notes are the changelog's section of this version, before it what is not released yet", () => {
  const released =
    `# Changelog\n\n## Unreleased\n- later\n\n## ${version} - 2030-01-02\n- now\n\n## 0.0.1\n- old\n`;
  assert.equal(releaseNotes(released), `# mirrord ${version}\n\n- now\n`);
  assert.equal(releaseNotes("# Changelog\n\n## Unreleased\n- later\n"), `# mirrord ${version}\n\n- later\n`);
  assert.throws(() => releaseNotes("# Changelog\n"), /has no section/);
});

Deno.test("install.sh and the formula are filled in whole", async () => {
  const given = await sources(true);
  given.texts.installScript = read("scripts/install/install.sh");
  given.texts.formula = read("scripts/install/mirrord.rb.in");
  const files = await releaseFiles(given);
  const [script, formula] = ["install.sh", "mirrord.rb"].map((name) => text(files.get(name)));
  for (const filled of [script, formula]) assert.doesNotMatch(filled ?? "", /@[A-Z][A-Z0-9_]*@/);
  assert.match(script ?? "", new RegExp(`^version=${version}$`, "m"));
  assert.ok(script?.includes(`\npublic_key=${given.facts.origin.publicKey}\n`));
  assert.match(
    formula ?? "",
    /url "https:\/\/mirrord\.example\/d\/v[\d.]+\/mirrord-[\d.]+-linux-x86_64\.tar\.gz"/,
  );
  const folder = await Deno.makeTempDir({ prefix: "mirrord-release." });
  try {
    await Deno.writeTextFile(`${folder}/install.sh`, script ?? "");
    await run(folder, "sh", "-n", "install.sh");
    assert.match(await run(folder, "sh", "install.sh", "--help"), /--uninstall/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a word in a template that no release has is an error", async () => {
  const given = await sources(false);
  given.texts.formula = "@NO_SUCH_WORD@";
  await assert.rejects(releaseFiles(given), /Cannot fill in "@NO_SUCH_WORD@"/);
});
