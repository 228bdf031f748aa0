// Runs the C tests of layer/ and layer/ops (TAP), built by the system's compiler with the address and
// undefined-behaviour sanitizers, each check as a step.

import assert from "node:assert/strict";
import { layerFlags } from "../../scripts/build_layer.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** Each test and the parts that it is linked with. */
const tests: Record<string, string[]> = {
  "layer/ops/sockets/address": ["layer/ops/sockets/address.c"],
  "layer/ops/files/cwd": ["layer/ops/files/cwd.c", "layer/sys/sys_files_linux.c"],
  "layer/ops/fds": ["layer/ops/fds.c", "layer/ops/sockets/address.c"],
  "layer/ops/files/paths": ["layer/ops/files/paths.c"],
  "layer/link/link": [
    "layer/link/ask.c",
    "layer/link/exchange.c",
    "layer/link/hello.c",
    "layer/link/link.c",
    "layer/link/way.c",
    "layer/sys/numbers_linux.c",
    "layer/sys/sys_files_linux.c",
  ],
};

async function run(argv: string[]): Promise<{ code: number; text: string; errors: string }> {
  const [program, ...args] = argv;
  assert.ok(program !== undefined);
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd: root,
    // LeakSanitizer needs ptrace, which containers may lack; nothing here allocates.
    env: { ASAN_OPTIONS: "detect_leaks=0" },
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout), errors: decoder.decode(stderr) };
}

for (const [name, parts] of Object.entries(tests)) {
  Deno.test(`${name}_test.c`, async (t) => {
    const program = await Deno.makeTempFile();
    try {
      const sanitizers = [
        "-g",
        "-O1",
        "-pthread",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
      ];
      const sources = [
        `${name}_test.c`,
        ...parts,
        "layer/sys/sys.c",
        "layer/sys/sys_linux.c",
        "layer/sys/sys_glibc.c",
      ];
      const built = await run(["gcc", ...layerFlags, ...sanitizers, "-o", program, ...sources]);
      assert.equal(built.code, 0, built.errors);
      const { code, text, errors } = await run([program]);
      const checks = [...text.matchAll(/^(not )?ok \d+ - (.*)$/gm)];
      assert.match(
        text,
        new RegExp(`^1\\.\\.${checks.length}$`, "m"),
        `no plan: the test broke off\n${errors}`,
      );
      for (const check of checks) await t.step(check[2] ?? "", () => assert.equal(check[1], undefined));
      assert.equal(code, 0);
    } finally {
      await Deno.remove(program);
    }
  });
}
