// install.sh against a release on loopback, under three shells: what it installs where, what it refuses, and
// that no failure leaves anything in the folder. The program that it installs is a shell script.

import assert from "node:assert/strict";
import { newKey } from "../../scripts/minisign.ts";
import { root } from "../../scripts/step.ts";
import { cutOff, FakeRelease } from "../support/fake_release.ts";
import { Machine, type Run, type ShellName, shells } from "./run_script.ts";

/** Mount namespaces and other users need root. */
const ignore = Deno.uid() !== 0;
const program = `mirrord-linux-${Deno.build.arch}`;
const names = Object.keys(shells) as ShellName[];

/** A test for each shell. */
function each(name: string, body: (stage: { machine: Machine; shell: ShellName }) => Promise<void>): void {
  for (const shell of names) {
    Deno.test({ name: `${name} (${shell})`, ignore }, async () => {
      using machine = new Machine();
      await body({ machine, shell });
    });
  }
}

const verifiers: [name: string, without: string[], says: RegExp][] = [
  ["minisign", ["openssl"], /^Verified: signature and checksum$/m],
  ["OpenSSL", ["minisign"], /^Verified: signature and checksum$/m],
  ["neither", ["minisign", "openssl"], /^Verified: the checksum alone.*neither minisign nor OpenSSL 3/m],
];

for (const [name, without, says] of verifiers) {
  each(`root installs into /usr/local/bin, verified by ${name}`, async ({ machine, shell }) => {
    await using release = await FakeRelease.serve("1.2.3");
    const { code, text } = await machine.install(release, [], { shell, without });
    assert.equal(code, 0, text);
    assert.match(text, says);
    assert.match(text, /^Installed mirrord 1\.2\.3 as \/usr\/local\/bin\/mirrord$/m);
    assert.doesNotMatch(text, /PATH/);
    assert.deepEqual(machine.names(machine.localBin), ["mirrord"]);
    assert.equal((Deno.statSync(`${machine.localBin}/mirrord`).mode ?? 0) & 0o7777, 0o755);
  });

  each(`another key's signature is refused by ${name}`, async ({ machine, shell }) => {
    await using release = await FakeRelease.serve("1.2.3");
    await release.publish("1.2.3", await newKey());
    const { code, text } = await machine.install(release, [], { shell, without });
    if (name === "neither") return assert.match(text, says);
    assert.equal(code, 1, text);
    assert.match(text, /^Cannot verify "checksums\.txt": its signature is not that of mirrord's key/m);
    assert.deepEqual(machine.names(machine.localBin), []);
  });

  each(`checksums or a comment that were changed are refused with ${name}`, async ({ machine, shell }) => {
    for (const file of ["checksums.txt", "checksums.txt.minisig"]) {
      await using release = await FakeRelease.serve("1.2.3");
      release.replace(file, (before) => {
        const text = new TextDecoder().decode(before);
        return new TextEncoder().encode(
          file.endsWith("sig") ? text.replace("1.2.3", "1.2.2") : text.replace(/^[0-9a-f]{4}/gm, "abcd"),
        );
      });
      const { code, text } = await machine.install(release, [], { shell, without });
      assert.equal(code, 1, text);
      assert.match(text, name === "neither" ? /checksum is wrong|\(404\)/ : /signature is not that of/);
      assert.deepEqual(machine.names(machine.localBin), []);
    }
  });
}

each("nobody installs with wget into ~/.local/bin, told about PATH", async ({ machine, shell }) => {
  await using release = await FakeRelease.serve("1.2.3");
  const { code, text } = await machine.install(release, [], { shell, nobody: true, without: ["curl"] });
  assert.equal(code, 0, text);
  assert.ok(text.includes(`Installed mirrord 1.2.3 as ${machine.home}/.local/bin/mirrord`), text);
  assert.match(text, /\.local\/bin is not in PATH\. Add this line to ~\/\.profile: export PATH=/);
  assert.deepEqual(machine.names(`${machine.home}/.local/bin`), ["mirrord"]);
  assert.deepEqual(machine.names(machine.localBin), []);
});

each("a program that was changed or cut off is refused", async ({ machine, shell }) => {
  for (const without of [["curl"], ["wget"]]) {
    for (const how of ["changed", "cut off"]) {
      await using release = await FakeRelease.serve("1.2.3");
      release.replace(
        program,
        (before) => how === "changed" ? before.map((byte) => byte ^ 1) : cutOff(before),
      );
      const { code, text } = await machine.install(release, [], { shell, without });
      assert.equal(code, 1, text);
      assert.match(
        text,
        /^Cannot verify "mirrord-linux-\w+": its checksum is wrong; nothing was installed\n {2}help: /m,
      );
      assert.deepEqual(machine.names(machine.localBin), []);
    }
  }
});

each("a file that is not there is named", async ({ machine, shell }) => {
  for (const without of [["curl"], ["wget"]]) {
    await using release = await FakeRelease.serve("1.2.3");
    const { code, text } = await machine.install(release, ["--version", "9.9.9"], { shell, without });
    assert.equal(code, 1, text);
    assert.match(
      text,
      /^Cannot download "http:[^"]*\/v9\.9\.9\/checksums\.txt": the server has no such file \(404\)\n {2}help: /m,
    );
    assert.deepEqual(machine.names(machine.localBin), []);
  }
});

each("a version is chosen, and none passes for another", async ({ machine, shell }) => {
  await using release = await FakeRelease.serve("1.2.3");
  await release.publish("1.3.0");
  const chosen = await machine.install(release, ["--version", "v1.2.3"], { shell });
  assert.match(chosen.text, /^Installed mirrord 1\.2\.3 /m);
  const newest = await machine.install(release, [], { shell });
  assert.match(newest.text, /^Installed mirrord 1\.3\.0 /m);
  for (const [path, content] of release.served) {
    if (path.startsWith("v1.2.3/")) release.served.set(path.replace("v1.2.3", "v1.3.0"), content);
  }
  const passed = await machine.install(release, ["--version", "1.3.0"], { shell });
  assert.match(
    passed.text,
    /^Cannot install "mirrord 1\.3\.0": the server sent release 1\.2\.3 in its place/m,
  );
  assert.equal(passed.code, 1);
});

each("a folder that cannot be written to is named", async ({ machine, shell }) => {
  await using release = await FakeRelease.serve("1.2.3");
  const there = `${machine.folder}/there`;
  Deno.mkdirSync(there);
  Deno.writeTextFileSync(`${there}/mirrord`, "old");
  for (const [folder, action] of [[there, "write"], [`${there}/below`, "create"]] as const) {
    const { code, text } = await machine.install(release, ["--to", folder], { shell, nobody: true });
    assert.equal(code, 1, text);
    assert.ok(text.startsWith(`Cannot ${action} "${folder}": you may not`), text);
  }
  assert.equal(Deno.readTextFileSync(`${there}/mirrord`), "old");
  assert.deepEqual(machine.names(there), ["mirrord"]);
});

each("a program that runs is replaced under it", async ({ machine, shell }) => {
  await using release = await FakeRelease.serve("1.2.3");
  const file = `${machine.folder}/to/mirrord`;
  Deno.mkdirSync(`${machine.folder}/to`);
  Deno.copyFileSync("/usr/bin/sleep", file);
  const old = new Deno.Command(file, { args: ["infinity"] }).spawn();
  try {
    const { code, text } = await machine.install(release, ["--to", `${machine.folder}/to/`], { shell });
    assert.equal(code, 0, text);
    assert.equal(Deno.readLinkSync(`/proc/${old.pid}/exe`), `${file} (deleted)`);
    assert.deepEqual(machine.names(`${machine.folder}/to`), ["mirrord"]);
  } finally {
    old.kill("SIGKILL");
    await old.status;
  }
});

each("a signal leaves nothing behind", async ({ machine, shell }) => {
  for (const [signal, ends] of [["INT", 130], ["TERM", 143], ["HUP", 129]] as const) {
    await using release = await FakeRelease.serve("1.2.3");
    const asked = Promise.withResolvers<void>();
    release.replace(program, (before) => () => {
      asked.resolve();
      const start = (controller: ReadableStreamDefaultController) => controller.enqueue(before.slice(0, 9));
      return new Response(new ReadableStream({ start }));
    });
    const during = async (group: number) => {
      await asked.promise;
      await new Deno.Command("kill", { args: [`-${signal}`, "--", `-${group}`] }).output();
    };
    const { code, text } = await machine.install(release, [], { shell, during });
    assert.equal(code, ends, text);
    assert.deepEqual(machine.names(machine.localBin), []);
  }
});

each("it is removed where it was installed", async ({ machine, shell }) => {
  await using release = await FakeRelease.serve("1.2.3");
  await machine.install(release, [], { shell });
  await machine.install(release, [], { shell, nobody: true });
  const removed = await machine.install(release, ["--uninstall"], { shell });
  assert.equal(removed.text, `Removed /usr/local/bin/mirrord\nRemoved ${machine.home}/.local/bin/mirrord\n`);
  const again = await machine.install(release, ["--uninstall"], { shell });
  assert.equal(again.code, 1);
  assert.match(again.text, /^Cannot remove "mirrord": it is not in \/usr\/local\/bin or ~\/\.local\/bin/);
});

each("what Homebrew installed is left alone", async ({ machine, shell }) => {
  await using release = await FakeRelease.serve("1.2.3");
  Deno.symlinkSync("../Cellar/mirrord/1.2.2/bin/mirrord", `${machine.localBin}/mirrord`);
  for (const args of [[], ["--uninstall"]]) {
    const { code, text } = await machine.install(release, args, { shell });
    assert.equal(code, 1);
    assert.match(
      text,
      /^Cannot change "\/usr\/local\/bin\/mirrord": Homebrew installed it\n {2}help: Use: brew upgrade/,
    );
  }
});

each("a machine that cannot be served gets one sentence", async ({ machine, shell }) => {
  const uname = (system: string, cpu: string) => `[ "$1" = -s ] && echo ${system} || echo ${cpu}`;
  const cases: [Run, RegExp][] = [
    [
      { posing: { uname: uname("Darwin", "arm64") } },
      /^Cannot install "mirrord-macos-aarch64": release 1\.2\.3 has no such build$/m,
    ],
    [
      { posing: { uname: uname("FreeBSD", "amd64") } },
      /^Cannot install "mirrord": there is no build for FreeBSD$/m,
    ],
    [{ posing: { uname: uname("Linux", "riscv64") } }, /there is no build for the processor riscv64$/m],
    [{ without: ["curl", "wget"] }, /": neither curl nor wget is installed$/m],
    [{ env: { MIRRORD_DOWNLOAD_BASE: "http://mirrord.example" } }, /": only https is safe enough$/m],
    [{ env: { MIRRORD_DOWNLOAD_BASE: "http://127.0.0.1:1@mirrord.example" } }, /": this address is not one/m],
  ];
  for (const [run, says] of cases) {
    await using release = await FakeRelease.serve("1.2.3");
    const { code, text } = await machine.install(release, [], { ...run, shell });
    assert.equal(code, 1, text);
    assert.match(text, says);
    assert.deepEqual(machine.names(machine.localBin), []);
  }
});

each("without a signature, a download that checks no certificate is refused", async ({ machine, shell }) => {
  await using release = await FakeRelease.serve("1.2.3");
  const wget = `if [ "$1" = --help ]; then echo "BusyBox v1.36" >&2; exit 1; fi
exec /usr/bin/curl -fsS -o "$2" "${release.base}\${3#https://mirrord.example}"`;
  const run: Run = {
    shell,
    without: ["curl"],
    posing: { wget },
    env: { MIRRORD_DOWNLOAD_BASE: "https://mirrord.example" },
  };
  const alone = await machine.install(release, [], { ...run, without: ["curl", "minisign", "openssl"] });
  assert.equal(alone.code, 1, alone.text);
  assert.match(alone.text, /^Cannot verify "checksums\.txt": .* the wget of busybox does not check/m);
  assert.deepEqual(machine.names(machine.localBin), []);
  const signed = await machine.install(release, [], run);
  assert.match(signed.text, /^Verified: signature and checksum$/m);
});

each("Rosetta is seen through", async ({ machine, shell }) => {
  await using release = await FakeRelease.serve("1.2.3", {
    files: { "mirrord-macos-aarch64": new TextEncoder().encode("#!/bin/sh\necho mirrord for arm64\n") },
  });
  const posing = { uname: '[ "$1" = -s ] && echo Darwin || echo x86_64', sysctl: "echo 1" };
  const { text } = await machine.install(release, [], { shell, posing });
  assert.match(text, /^Installed mirrord for arm64 as /m);
});

each("without a key it does not pretend", async ({ machine, shell }) => {
  await using release = await FakeRelease.serve("1.2.3");
  release.served.delete("v1.2.3/checksums.txt.minisig");
  for (const publicKey of ["", "@PUBLIC_KEY@"]) {
    const { code, text } = await machine.install(release, [], { shell, publicKey, version: "1.2.3" });
    assert.equal(code, 0, text);
    assert.match(text, /^Verified: the checksum alone.*this install\.sh has no public key/m);
  }
});

each("a wrong command line is refused", async ({ machine, shell }) => {
  await using release = await FakeRelease.serve("1.2.3");
  for (const args of [["--nonsense"], ["--to"], ["--version", "../1"], ["--version", ""]]) {
    const { code, text } = await machine.install(release, args, { shell });
    assert.equal(code, 1);
    assert.match(text, /^Cannot use "/);
  }
  assert.deepEqual(release.asked, []);
});

each("the template itself installs nothing", async ({ machine, shell }) => {
  const { code, text } = await machine.sh(Deno.readTextFileSync(`${root}scripts/install/install.sh`), [], {
    shell,
  });
  assert.equal(code, 1);
  assert.match(text, /^Cannot download "@DOWNLOAD_BASE@": this address is not one of a release/m);
});

Deno.test("shellcheck finds nothing", async () => {
  const { success, stdout } = await new Deno.Command("shellcheck", {
    args: [`${root}scripts/install/install.sh`],
  }).output();
  assert.ok(success, new TextDecoder().decode(stdout));
});
