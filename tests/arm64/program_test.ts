// The compiled program for aarch64, run here by qemu-user: that it starts, reads a configuration, and runs an
// app with its layer. What needs more of the kernel than qemu-user hands on (bpf(2), ptrace(2)) runs on a
// machine of its own: tests/kernels/linux_6_1_arm64_test.ts.

import assert from "node:assert/strict";
import { exists, root } from "../../scripts/step.ts";
import { mirrordVersion } from "../../core/base/version.ts";
import { zig } from "../../scripts/tools.ts";
import { attempt, type Finished, run as runToEnd } from "../cluster/command.ts";
import { deadline } from "../support/deadline.ts";

const program = `${root}dist/mirrord-linux-aarch64`;
const libraries = "/usr/aarch64-linux-gnu";
/** An emulated program on a busy machine. */
const limitMs = 600_000;

const missing = Deno.build.os !== "linux"
  ? "only Linux has qemu-user"
  : Deno.build.arch === "aarch64"
  ? null
  : !exists("/usr/bin/qemu-aarch64")
  ? "qemu-aarch64 is not installed"
  : !exists(`${libraries}/lib/ld-linux-aarch64.so.1`)
  ? "libc6-arm64-cross is not installed"
  : null;

/** Runs the program to its end, in a folder with `files`. */
async function run(args: string[], files: Record<string, string> = {}): Promise<Finished> {
  const folder = await Deno.makeTempDir({ prefix: "mirrord-arm64-" });
  try {
    for (const [name, content] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder}/${name}`, content);
    }
    const emulator = Deno.build.arch === "aarch64" ? [] : ["/usr/bin/qemu-aarch64", "-L", libraries];
    const clean = ["/usr/bin/env", "-i", "PATH=/usr/bin:/bin", `HOME=${folder}`, "NO_COLOR=1"];
    return await deadline(
      attempt([...clean, ...emulator, program, ...args], { cwd: folder }),
      args.join(" "),
      limitMs,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function arm64Test(name: string, fn: () => Promise<void>): void {
  Deno.test({
    name: missing === null ? name : `${name} (skipped: ${missing})`,
    ignore: missing !== null,
    fn,
  });
}

arm64Test("the aarch64 program tells its version and its platform", async () => {
  const { code, stdout, stderr } = await run(["version", "-o", "json"]);
  assert.equal(code, 0, stderr);
  const told = JSON.parse(stdout) as { version: string; platform: string };
  assert.deepEqual([told.version, told.platform], [mirrordVersion, "linux-aarch64"]);
});

arm64Test("the aarch64 program checks a configuration, and names what is wrong in one", async () => {
  const good = { target: "pod/api", feature: { network: { incoming: { mode: "steal" } } } };
  const right = await run(["verify-config", "m.json"], { "m.json": JSON.stringify(good) });
  assert.equal(right.code, 0, right.stderr);
  const wrong = await run(["verify-config", "m.json"], {
    "m.json": '{"feature":{"network":{"incoming":"stea"}}}',
  });
  assert.equal(wrong.code, 78, wrong.stderr);
  assert.match(wrong.stdout, /"feature\.network\.incoming" \(line 1/);
});

/**
 * Registers qemu-user for aarch64 programs in a user namespace of its own (the kernel's binfmt_misc, from 6.7
 * on), then runs a command there.
 */
const registered = `mount -t binfmt_misc none /proc/sys/fs/binfmt_misc &&
printf %s "$0" >/proc/sys/fs/binfmt_misc/register && exec "$@"`;
const header = String.raw`\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00`;
const headerMask = String
  .raw`\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff`;
const format = `:aarch64:M::${header}:${headerMask}:/usr/bin/qemu-aarch64:OCF`;

arm64Test("without a target an aarch64 app runs with the layer in it", async () => {
  const folder = await Deno.makeTempDir({ prefix: "mirrord-arm64-" });
  try {
    const app = `${folder}/machine`;
    await runToEnd([
      ...[
        await zig(),
        "cc",
        "-target",
        "aarch64-linux-gnu.2.17",
        "-O1",
        "-o",
        app,
        `${root}tests/apps/machine.c`,
      ],
    ]);
    const alone = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", registered, format];
    const clean = [
      "/usr/bin/env",
      "-i",
      "PATH=/usr/bin:/bin",
      `HOME=${folder}`,
      "NO_COLOR=1",
      "GREETING=hello",
    ];
    const command = [program, "exec", "--target", "targetless", "--", app];
    const argv = Deno.build.arch === "aarch64"
      ? [...clean, ...command]
      : [...alone, ...clean, `QEMU_LD_PREFIX=${libraries}`, ...command];
    const { code, stdout, stderr } = await deadline(attempt(argv, { cwd: folder }), "the app runs", limitMs);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, "aarch64 layer hello\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
