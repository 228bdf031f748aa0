// Packages for Debian and RPM, made from small files: what dpkg and rpm read in them, and that two of them
// are the same bytes.

import assert from "node:assert/strict";
import { mirrordVersion } from "../../core/base/version.ts";
import { makePackages, type PackageFacts, packagesOf } from "../../scripts/packages/packages.ts";

const contents = [
  "bin/mirrord",
  "LICENSE",
  "THIRD-PARTY-LICENSES",
  "completions/mirrord.bash",
  "completions/_mirrord",
  "completions/mirrord.fish",
  "man/man1/mirrord.1",
  "man/man1/mirrord-exec.1",
];

async function output(program: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** Packages made from files of a folder of their own. */
async function made(
  facts: Pick<PackageFacts, "version" | "machine">,
  body: (folder: string) => Promise<void>,
) {
  const folder = await Deno.makeTempDir({ prefix: "mirrord-packages." });
  try {
    for (const name of contents) {
      const path = `${folder}/from/${name}`;
      await Deno.mkdir(path.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeTextFile(path, `${name}\n`);
    }
    await makePackages({ ...facts, homepage: "https://mirrord.example", from: `${folder}/from` }, folder);
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("dpkg reads the package", async () => {
  await made({ version: "1.2.3", machine: "x86_64" }, async (folder) => {
    const file = `${folder}/mirrord_1.2.3_amd64.deb`;
    const fields = await output("dpkg-deb", "--field", file, "Package", "Version", "Architecture", "Depends");
    assert.equal(fields, "Package: mirrord\nVersion: 1.2.3\nArchitecture: amd64\nDepends: libc6\n");
    const lines = (await output("dpkg-deb", "--contents", file)).trim().split("\n")
      .filter((line) => line.startsWith("-")).map((line) => line.split(/\s+/));
    assert.deepEqual(lines.map(([mode, owner, , , , path]) => `${mode} ${owner} ${path}`).sort(), [
      "-rw-r--r-- root/root ./usr/share/bash-completion/completions/mirrord",
      "-rw-r--r-- root/root ./usr/share/doc/mirrord/THIRD-PARTY-LICENSES",
      "-rw-r--r-- root/root ./usr/share/doc/mirrord/copyright",
      "-rw-r--r-- root/root ./usr/share/fish/vendor_completions.d/mirrord.fish",
      "-rw-r--r-- root/root ./usr/share/man/man1/mirrord-exec.1",
      "-rw-r--r-- root/root ./usr/share/man/man1/mirrord.1",
      "-rw-r--r-- root/root ./usr/share/zsh/vendor-completions/_mirrord",
      "-rwxr-xr-x root/root ./usr/bin/mirrord",
    ]);
  });
});

Deno.test("rpm reads the package", async () => {
  await made({ version: "1.2.3", machine: "aarch64" }, async (folder) => {
    const file = `${folder}/mirrord-1.2.3-1.aarch64.rpm`;
    const query =
      "%{NAME} %{VERSION}-%{RELEASE} %{ARCH} %{LICENSE} %{BUILDTIME:date}\n[%{FILEMODES:perms} %{FILENAMES}\n]";
    const lines = (await output("rpm", "--query", "--package", "--queryformat", query, file)).trim().split(
      "\n",
    );
    assert.match(lines[0] ?? "", /^mirrord 1\.2\.3-1 aarch64 MIT .*2026/);
    assert.ok(lines.includes("-rwxr-xr-x /usr/bin/mirrord"), lines.join("\n"));
    assert.ok(lines.includes("-rw-r--r-- /usr/share/zsh/site-functions/_mirrord"), lines.join("\n"));
    assert.equal(lines.length, 1 + contents.length);
  });
});

Deno.test("two packages of the same files are the same bytes", async () => {
  const facts = { version: "1.2.3", machine: "x86_64" } as const;
  const bytes: Uint8Array[][] = [];
  for (let time = 0; time < 2; time++) {
    await made(facts, async (folder) => {
      const names = ["mirrord_1.2.3_amd64.deb", "mirrord-1.2.3-1.x86_64.rpm"];
      bytes.push(await Promise.all(names.map((name) => Deno.readFile(`${folder}/${name}`))));
    });
  }
  assert.deepEqual(bytes[0], bytes[1]);
});

Deno.test("an archive of the release becomes both packages", async () => {
  const top = `mirrord-${mirrordVersion}-linux-aarch64`;
  const folder = await Deno.makeTempDir({ prefix: "mirrord-packages." });
  try {
    for (const name of contents) {
      await Deno.mkdir(`${folder}/${top}/${name.replace(/[^/]*$/, "")}`, { recursive: true });
      await Deno.writeTextFile(`${folder}/${top}/${name}`, `${name}\n`);
    }
    await output("tar", "-C", folder, "-czf", `${folder}/archive`, top);
    const packages = await packagesOf(await Deno.readFile(`${folder}/archive`), {
      platform: "linux-aarch64",
      homepage: "https://mirrord.example",
    });
    assert.deepEqual([...packages.keys()], [
      `mirrord_${mirrordVersion}_arm64.deb`,
      `mirrord-${mirrordVersion}-1.aarch64.rpm`,
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
