// A program whose dynamic linker does not load the layer is killed before its own code runs, however it is
// made; without the gate it would run. The layer is the one that the binary embeds, the programs are this
// machine's.

import assert from "node:assert/strict";
import { MirrordError } from "../../base/errors.ts";
import { Child } from "../../net/linux/child.ts";
import { SystemError } from "../../net/system_error.ts";
import { startGated } from "./gate.ts";

const embedded = new URL(`../layer_linux_${Deno.build.arch}.so`, import.meta.url);
const linker = Deno.build.arch === "x86_64" ? "/lib64/ld-linux-x86-64.so.2" : "/lib/ld-linux-aarch64.so.1";
const folder = Deno.makeTempDirSync({ prefix: "mirrord-gate-" });
Deno.test.afterAll(() => Deno.removeSync(folder, { recursive: true }));

/**
 * A copy of the layer; broken: without what a dynamic linker needs (PT_DYNAMIC), so the kernel still runs it
 * as a program.
 */
function layer(name: string, { broken = false } = {}): string {
  const bytes = Deno.readFileSync(embedded);
  const view = new DataView(bytes.buffer);
  const table = Number(view.getBigUint64(32, true));
  for (let index = 0; broken && index < view.getUint16(56, true); index++) {
    const at = table + 56 * index;
    if (view.getUint32(at, true) === 2) view.setUint32(at, 0x6fff_fff0, true);
  }
  Deno.writeFileSync(`${folder}/${name}`, bytes, { mode: 0o700 });
  return `${folder}/${name}`;
}

const whole = layer("whole.so");
const broken = layer("broken.so", { broken: true });
const call = (layerPath: string, ...argv: string[]) => ({
  program: argv[0] ?? "",
  argv,
  env: { PATH: "/usr/bin:/bin", LD_PRELOAD: layerPath, MARK: `${folder}/mark` },
});
const marks = ["/bin/sh", "-c", '> "$MARK"'];

function hasRun(): boolean {
  try {
    Deno.removeSync(`${folder}/mark`);
    return true;
  } catch {
    return false;
  }
}

Deno.test("a program that does not take the layer runs without the gate, and not with it", async () => {
  assert.equal(await new Child(call(broken, ...marks)).code, 0);
  assert.ok(hasRun(), "the attack's own success");
  for (const argv of [marks, [linker, ...marks]]) {
    await assert.rejects(
      startGated(broken, call(broken, ...argv), () => {}),
      (error) =>
        error instanceof MirrordError && error.exitCode === 126 && /did not load/.test(error.message),
    );
    assert.equal(hasRun(), false, argv.join(" "));
  }
});

Deno.test("with the layer it runs, and its exit code and signals are its own", async () => {
  const run = async (...argv: string[]) =>
    await (await startGated(whole, call(whole, ...argv), () => {})).code;
  assert.equal(await run(...marks), 0);
  assert.ok(hasRun());
  assert.equal(await run("/bin/sh", "-c", "exit 7"), 7);
  assert.equal(await run("/bin/sh", "-c", "kill -9 $$"), 137);
  assert.equal(await run(linker, "/bin/sh", "-c", "exit 8"), 8);
});

Deno.test("what the kernel does not start says its errno", async () => {
  for (const [file, text] of [["none", null], ["plain", "text\n"]] as const) {
    if (text !== null) Deno.writeTextFileSync(`${folder}/${file}`, text, { mode: 0o700 });
    await assert.rejects(startGated(whole, call(whole, `${folder}/${file}`), () => {}), SystemError);
  }
  const long = { ...call(whole, "/bin/true"), env: { LONG: "x".repeat(1 << 18) } };
  await assert.rejects(startGated(whole, long, () => {}), /E2BIG/);
});

Deno.test("a program that becomes another before it begins is held again", async () => {
  const source = `${folder}/again.c`;
  Deno.writeTextFileSync(
    source,
    `#include <stdlib.h>
#include <unistd.h>
__attribute__((constructor)) static void again(void)
{
	char *argv[] = { "${folder}/again", NULL };
	if (!getenv("AGAIN") && !setenv("AGAIN", "1", 1))
		execv(argv[0], argv);
}
int main(void) { return 9; }
`,
  );
  const { success } = await new Deno.Command("gcc", { args: ["-o", `${folder}/again`, source] }).output();
  assert.ok(success);
  const child = await startGated(whole, call(whole, `${folder}/again`), () => {});
  assert.equal(await child.code, 9);
  await assert.rejects(startGated(broken, call(broken, `${folder}/again`), () => {}), /did not load/);
});

Deno.test("a signal that comes while it is held reaches it", async () => {
  const child = await startGated(
    whole,
    call(whole, "/bin/sleep", "60"),
    ({ pid }) => Deno.kill(pid, "SIGTERM"),
  );
  assert.equal(await child.code, 143);
});
