// `mirrord upgrade` against a release on loopback: the file is replaced by what was signed, and stays what it
// is otherwise. The programs are shell scripts.

import assert from "node:assert/strict";
import { MirrordError } from "../../core/base/errors.ts";
import { isSafeUrl } from "../../cmd/newest_release.ts";
import { isNewer, performUpgrade } from "../../cmd/upgrade.ts";
import { newKey } from "../../scripts/minisign.ts";
import { cutOff, fakeProgram, FakeRelease } from "../support/fake_release.ts";

const program = `mirrord-linux-${Deno.build.arch}`;

/** A folder with an installed mirrord 1.0.0. */
class Installed implements Disposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "mirrord-upgrade." });
  readonly file: string;

  constructor(path = "mirrord") {
    this.file = `${this.folder}/${path}`;
    Deno.mkdirSync(this.file.replace(/\/[^/]*$/, ""), { recursive: true });
    Deno.writeFileSync(this.file, fakeProgram("1.0.0"), { mode: 0o755 });
    Deno.chmodSync(this.file, 0o750);
  }

  async upgrade(release: FakeRelease, given: { check?: boolean; publicKey?: string } = {}): Promise<string> {
    const { base: downloadBase, publicKey } = release;
    return await performUpgrade({
      file: this.file,
      version: "1.0.0",
      origin: {
        homepage: "https://mirrord.example",
        downloadBase,
        publicKey: given.publicKey ?? publicKey,
        agentImage: "",
      },
      check: given.check ?? false,
    });
  }

  /** Fails as expected, and the file and its folder are as before. */
  async refuses(release: FakeRelease, message: RegExp, publicKey?: string): Promise<MirrordError> {
    const failure = await this.upgrade(release, publicKey === undefined ? {} : { publicKey }).then(
      (text) => assert.fail(text),
      (error: unknown) => error,
    );
    assert.ok(failure instanceof MirrordError, String(failure));
    assert.match(failure.message, message);
    assert.deepEqual(this.content(), fakeProgram("1.0.0"));
    return failure;
  }

  /** The file's content; nothing else may lie beside it. */
  content(): Uint8Array {
    const folder = this.file.replace(/\/[^/]*$/, "");
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["mirrord"]);
    return new Uint8Array(Deno.readFileSync(this.file));
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

Deno.test("upgrade replaces the file, and keeps its mode", async () => {
  await using release = await FakeRelease.serve("1.1.0");
  using installed = new Installed();
  assert.equal(await installed.upgrade(release), `mirrord 1.0.0 was replaced by 1.1.0: ${installed.file}`);
  assert.deepEqual(installed.content(), fakeProgram("1.1.0"));
  assert.equal((Deno.statSync(installed.file).mode ?? 0) & 0o777, 0o750);
});

Deno.test("upgrade --check changes nothing", async () => {
  await using release = await FakeRelease.serve("1.1.0");
  using installed = new Installed();
  assert.equal(
    await installed.upgrade(release, { check: true }),
    "mirrord 1.1.0 can be installed with: mirrord upgrade (this is 1.0.0)",
  );
  assert.deepEqual(installed.content(), fakeProgram("1.0.0"));
  assert.deepEqual(release.asked, ["latest/checksums.txt", "latest/checksums.txt.minisig"]);
});

Deno.test("upgrade never goes back", async () => {
  for (const version of ["1.0.0", "0.9.9", "1.0.0-rc.1"]) {
    await using release = await FakeRelease.serve(version);
    using installed = new Installed();
    assert.equal(await installed.upgrade(release), "mirrord 1.0.0 is the newest release");
    assert.deepEqual(installed.content(), fakeProgram("1.0.0"));
  }
});

Deno.test("upgrade refuses what is not what was signed", async () => {
  for (const how of ["changed", "cut off"]) {
    await using release = await FakeRelease.serve("1.1.0");
    using installed = new Installed();
    release.replace(program, (before) => how === "changed" ? before.map((byte) => byte ^ 1) : cutOff(before));
    const failure = await installed.refuses(release, /^Cannot verify "http.*": its checksum is wrong/);
    assert.equal(failure.exitCode, 69);
  }
  for (const file of ["checksums.txt", "checksums.txt.minisig"]) {
    await using release = await FakeRelease.serve("1.1.0");
    using installed = new Installed();
    release.replace(file, (before) => {
      const text = new TextDecoder().decode(before);
      return new TextEncoder().encode(text.replace(/1\.1\.0|^[0-9a-f]{4}/m, "abcd"));
    });
    const failure = await installed.refuses(release, /^Cannot verify "http.*its signature is not that of/);
    assert.equal(failure.exitCode, 69);
  }
  await using release = await FakeRelease.serve("1.1.0");
  using installed = new Installed();
  await release.publish("1.1.0", await newKey());
  await installed.refuses(release, /^Cannot verify "http.*its signature is not that of/);
});

Deno.test("upgrade names what the server does not have", async () => {
  await using release = await FakeRelease.serve("1.1.0");
  using installed = new Installed();
  release.served.delete(`v1.1.0/${program}`);
  await installed.refuses(
    release,
    /^Cannot download "http.*\/v1\.1\.0\/mirrord-.*": the server answered 404$/,
  );
  await release.publish("1.2.0", { files: { other: new Uint8Array(1) } });
  await installed.refuses(
    release,
    /^Cannot download "mirrord-.*": release 1\.2\.0 has no build for this machine$/,
  );
  release.served.clear();
  await installed.refuses(release, /checksums\.txt": the server answered 404$/);
});

Deno.test("upgrade refuses a program that does not run here", async () => {
  await using release = await FakeRelease.serve("1.1.0", {
    files: { [program]: new TextEncoder().encode("#!/bin/sh\necho no such libc >&2\nexit 1\n") },
  });
  using installed = new Installed();
  const { cause } = await installed.refuses(release, /^Cannot start the new release: it does not run/);
  assert.equal(cause instanceof Error && cause.message, "no such libc");
});

Deno.test("upgrade leaves a package manager's file to it", async () => {
  await using release = await FakeRelease.serve("1.1.0");
  using installed = new Installed("Cellar/mirrord/1.0.0/bin/mirrord");
  const { help, exitCode } = await installed.refuses(
    release,
    /^Cannot replace ".*": it belongs to Homebrew$/,
  );
  assert.deepEqual([help, exitCode], ["Use: brew upgrade mirrord", 77]);
  assert.match(await installed.upgrade(release, { check: true }), /installed with: brew upgrade mirrord \(/);
});

Deno.test("upgrade says that its file is gone", async () => {
  await using release = await FakeRelease.serve("1.1.0");
  using installed = new Installed();
  await Deno.remove(installed.file);
  await assert.rejects(
    installed.upgrade(release),
    /^MirrordError: Cannot replace ".*": it is not there any more$/,
  );
});

Deno.test("upgrade without a key does not pretend", async () => {
  await using release = await FakeRelease.serve("1.1.0");
  using installed = new Installed();
  await installed.refuses(release, /^Cannot upgrade "mirrord": this build knows no key/, "");
  assert.deepEqual(release.asked, []);
});

Deno.test("only https is safe, but on loopback", () => {
  const safe = ["https://mirrord.example/x", "http://127.0.0.1:8/x", "http://[::1]/", "http://localhost/"];
  const unsafe = ["http://mirrord.example/x", "http://127.0.0.1@mirrord.example/", "ftp://127.0.0.1/", "x"];
  assert.deepEqual([...safe, ...unsafe].filter(isSafeUrl), safe);
});

Deno.test("versions are ordered as semantic versioning orders them", () => {
  const order = [
    "0.9.10",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-rc.2",
    "1.0.0-rc.10",
    "1.0.0",
    "1.0.10",
  ];
  order.forEach((one, at) =>
    order.forEach((other, than) => assert.equal(isNewer(one, other), at > than, `${one} ${other}`))
  );
  assert.equal(isNewer("1.0.0+b", "1.0.0+a"), false);
});
