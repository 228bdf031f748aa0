// findProgram on real files: what the shell would find is found, what could not be hooked is refused with its exit code.

import assert from "node:assert/strict";
import { MirrordError } from "../base/errors.ts";
import { readProgramKind } from "./elf.ts";
import { findProgram } from "./program.ts";

const path = "/usr/bin:/bin";

/** A directory with one executable file of `bytes`; removed at the end of the test. */
function withFile(
  name: string,
  bytes: Uint8Array | string,
  mode = 0o755,
): { path: string; folder: string } & Disposable {
  const folder = Deno.makeTempDirSync();
  const file = `${folder}/${name}`;
  Deno.writeFileSync(file, typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes, { mode });
  return { path: file, folder, [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }) };
}

/** The smallest ELF file for machine `machine`: a header and at most one program header. */
function elfFile(machine: number, interpreter: string | null): Uint8Array {
  const bytes = new Uint8Array(256);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(18, machine, true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  if (interpreter !== null) {
    const text = new TextEncoder().encode(interpreter + "\0");
    view.setUint32(64, 3, true);
    view.setBigUint64(64 + 8, 128n, true);
    view.setBigUint64(64 + 32, BigInt(text.length), true);
    bytes.set(text, 128);
  }
  return bytes;
}

async function refusal(name: string, search = path): Promise<MirrordError> {
  try {
    await findProgram(name, search);
  } catch (error) {
    if (error instanceof MirrordError) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: `${name} was not refused` });
}

Deno.test("a program is searched in PATH", async () => {
  assert.match(await findProgram("sh", path), /\/bin\/sh$/);
});

Deno.test("a missing program is refused with 127", async () => {
  const error = await refusal("no-such-program-here");
  assert.equal(error.exitCode, 127);
  assert.match(error.message, /^Cannot run "no-such-program-here": there is no such program$/);
});

Deno.test("a file that is not executable is refused with 126", async () => {
  using file = withFile("app", "#!/bin/sh\n", 0o644);
  const error = await refusal(file.path);
  assert.equal(error.exitCode, 126);
  assert.match(error.message, /not executable/);
});

Deno.test("a directory is refused with 126, as a shell does", async () => {
  assert.equal((await refusal("/usr")).exitCode, 126);
});

Deno.test("a script is followed to its interpreter", async () => {
  using good = withFile("good", "#!/usr/bin/env sh\n");
  assert.equal(await findProgram(good.path, path), good.path);
  using bad = withFile("bad", "#!/no/such/interpreter -x\n");
  assert.match((await refusal(bad.path)).message, /interpreter "\/no\/such\/interpreter" does not exist/);
});

Deno.test("a static program is refused, never run un-hooked", async () => {
  using file = withFile("static", elfFile(Deno.build.arch === "x86_64" ? 62 : 183, null));
  const error = await refusal(file.path);
  assert.equal(error.exitCode, 126);
  assert.match(error.message, /statically linked/);
});

Deno.test("a script whose interpreter is static is refused", async () => {
  using file = withFile("static", elfFile(Deno.build.arch === "x86_64" ? 62 : 183, null));
  using script = withFile("script", `#!${file.path}\n`);
  assert.match((await refusal(script.path)).message, /statically linked/);
});

Deno.test("another machine's program and musl's are refused", async () => {
  using foreign = withFile("foreign", elfFile(8, "/lib/ld.so.1"));
  assert.match((await refusal(foreign.path)).message, /another machine/);
  using musl = withFile("musl", elfFile(Deno.build.arch === "x86_64" ? 62 : 183, "/lib/ld-musl-x86_64.so.1"));
  assert.match((await refusal(musl.path)).message, /musl/);
});

Deno.test("a set-user-ID program is refused", async () => {
  using file = withFile(
    "su",
    elfFile(Deno.build.arch === "x86_64" ? 62 : 183, "/lib64/ld-linux-x86-64.so.2"),
  );
  Deno.chmodSync(file.path, 0o4755);
  assert.match((await refusal(file.path)).message, /set-user-ID/);
});

Deno.test("the dynamic linker of a real program is read from its program headers", async () => {
  const kind = await readProgramKind(Deno.realPathSync("/bin/sh"));
  assert.equal(kind.kind, "dynamic");
  assert.match(kind.kind === "dynamic" ? kind.interpreter : "", /ld-linux/);
});

Deno.test("a file shorter than a header is unknown, not an error", async () => {
  using file = withFile("short", new Uint8Array([0x7f, 0x45]));
  assert.deepEqual(await readProgramKind(file.path), { kind: "unknown" });
});

Deno.test("an interpreter that cannot be read is refused, not a bug", async () => {
  using script = withFile("script", "#!/tmp\n");
  const error = await refusal(script.path);
  assert.equal(error.exitCode, 126);
  assert.match(error.message, /"\/tmp" cannot be read/);
});

Deno.test("an ELF file that lies about its tables is unknown, whatever it says", async () => {
  for (const size of [0, 55, 0xffff]) {
    const bytes = elfFile(Deno.build.arch === "x86_64" ? 62 : 183, "/lib64/ld-linux-x86-64.so.2");
    new DataView(bytes.buffer).setUint16(54, size, true);
    new DataView(bytes.buffer).setUint16(56, 0xffff, true);
    using file = withFile("liar", bytes);
    assert.deepEqual(await readProgramKind(file.path), { kind: "unknown" });
  }
});

Deno.test("a file that no kernel runs is refused with 126", async () => {
  using file = withFile("text", "echo no interpreter named\n");
  assert.equal((await refusal(file.path)).exitCode, 126);
});

/** An ELF file with an interpreter, the note of Go's linker, and `rest` after them. */
function goFile(rest: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(512 + rest.length);
  bytes.set(elfFile(62, "/lib64/ld-linux-x86-64.so.2"));
  const view = new DataView(bytes.buffer);
  view.setUint16(56, 2, true);
  view.setUint32(120, 4, true);
  view.setBigUint64(120 + 8, 256n, true);
  view.setBigUint64(120 + 32, 16n, true);
  bytes.set([4, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0x47, 0x6f, 0, 0], 256);
  bytes.set(rest, 512);
  return bytes;
}

Deno.test({
  name: "a Go program is refused unless it has cgo and the system call that the layer knows",
  ignore: Deno.build.arch !== "x86_64",
  async fn() {
    const threads = new TextEncoder().encode("\0pthread_create\0");
    const call = Uint8Array.from([
      ...[0x49, 0x89, 0xf2, 0x48, 0x89, 0xfa, 0x48, 0x89, 0xce, 0x48, 0x89, 0xdf],
      ...[0x0f, 0x05, 0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff],
    ]);
    for (const [rest, state] of [[call, /without cgo/], [threads, /does not know/]] as const) {
      using file = withFile("program", goFile(rest));
      const error = await refusal(file.path);
      assert.equal(error.exitCode, 126);
      assert.match(error.message, state);
    }
    using file = withFile("program", goFile(Uint8Array.from([...threads, ...call])));
    assert.equal(await findProgram(file.path, path), file.path);
  },
});

Deno.test("a skipped program need not be one that can be hooked", async () => {
  using file = withFile("go", elfFile(Deno.build.arch === "x86_64" ? 62 : 183, null));
  assert.equal(await findProgram(file.path, path, new Set(["go"])), file.path);
});
