// findProgram on real files: it finds what the shell would find, and refuses what cannot be hooked with its
// exit code.

import assert from "node:assert/strict";
import { MirrordError } from "../base/errors.ts";
import { osText } from "../base/os_text.ts";
import { readProgramKind } from "./elf.ts";
import { findProgram } from "./program.ts";

/** findProgram with a PATH, or with other variables. */
function find(
  name: string,
  { args = [], ...more }: { args?: string[]; variables?: Record<string, string>; skipped?: Set<string> } = {},
): Promise<string> {
  return findProgram({ name, args, variables: { PATH: "/usr/bin:/bin" }, ...more });
}

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

async function refusal(name: string, options: Parameters<typeof find>[1] = {}): Promise<MirrordError> {
  try {
    await find(name, options);
  } catch (error) {
    if (error instanceof MirrordError) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: `${name} was not refused` });
}

Deno.test("a program is searched in PATH", async () => {
  assert.match(await find("sh"), /\/bin\/sh$/);
});

Deno.test("a missing program is refused with 127", async () => {
  const error = await refusal("no-such-program-here");
  assert.equal(error.exitCode, 127);
  assert.match(error.message, /^Cannot run "no-such-program-here": there is no such program$/);
});

Deno.test("a command line in one word gets the way to write it", async () => {
  assert.match(
    (await refusal("npm start")).help ?? "",
    /without the quotes, or .* mirrord exec -- sh -c 'npm start'/,
  );
  assert.match((await refusal("A=B")).help ?? "", /mirrord exec -- env A=B PROGRAM/);
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
  assert.equal(await find(good.path), good.path);
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

Deno.test("another machine's program is refused, musl's is not", async () => {
  using foreign = withFile("foreign", elfFile(8, "/lib/ld.so.1"));
  assert.match((await refusal(foreign.path)).message, /another machine/);
  using musl = withFile("musl", elfFile(Deno.build.arch === "x86_64" ? 62 : 183, "/lib/ld-musl-x86_64.so.1"));
  assert.equal(await find(musl.path), musl.path);
});

const dynamic = elfFile(Deno.build.arch === "x86_64" ? 62 : 183, "/lib64/ld-linux-x86-64.so.2");

Deno.test("a program that runs as another user is refused; as this one, which the kernel does not mind, it is not", async () => {
  using file = withFile("su", dynamic);
  Deno.chmodSync(file.path, 0o4755);
  assert.equal(await find(file.path), file.path);
  if (Deno.uid() !== 0) return;
  Deno.chownSync(file.path, 65534, 65534);
  Deno.chmodSync(file.path, 0o4755); // a change of owner takes the bit away
  assert.match((await refusal(file.path)).message, /set-user-ID/);
  Deno.chmodSync(file.path, 0o2755);
  assert.match((await refusal(file.path)).message, /set-user-ID/);
  Deno.chmodSync(file.path, 0o2745); // a group that may not run it: mandatory locking, once
  assert.equal(await find(file.path), file.path);
});

const envLines: [line: string, found: boolean][] = [
  ["env -S GREETING=hi sh -x", true],
  ["env -S -i sh", true],
  ["env -iS sh", true],
  ["env -S -u HOME -C / sh", true],
  ["env -S --unset=HOME --chdir=/usr/bin ./sh", true],
  ["env -S -C /usr ./sh", false],
  ["env -S 'sh' \"-x\"", true],
  ["env -S PATH=/usr/bin\\_sh", true],
  ["env -S PATH=/nowhere sh", false],
  ["env -S ${SHELL_NAME} -x", true],
  ["env -S no-such-interpreter", false],
  ["env no-such-interpreter", false],
  ["env --no-such-option", true], // env says so
  ["env", true],
];

for (const [line, found] of envLines) {
  Deno.test(`a script of "${line}" is ${found ? "run" : "refused"}`, async () => {
    using file = withFile("script", `#!/usr/bin/${line}\n`);
    const variables = { PATH: "/usr/bin:/bin", SHELL_NAME: "sh", HOME: "/" };
    if (found) assert.equal(await find(file.path, { variables }), file.path);
    else assert.match((await refusal(file.path, { variables })).message, /interpreter .* does not exist/);
  });
}

Deno.test("through env, too, a static program is refused", async () => {
  using file = withFile("static", elfFile(Deno.build.arch === "x86_64" ? 62 : 183, null));
  using script = withFile("script", `#!/usr/bin/env -S PATH=${file.folder} static\n`);
  assert.match((await refusal(script.path)).message, /statically linked/);
});

Deno.test("the dynamic linker's program is looked at, behind its options", async () => {
  const loader = Deno.realPathSync("/bin/sh");
  const kind = await readProgramKind(loader);
  const { interpreter } = kind.kind === "dynamic" ? kind : { interpreter: "" };
  using file = withFile("static", elfFile(Deno.build.arch === "x86_64" ? 62 : 183, null));
  const options = ["--library-path", "/lib", "--inhibit-cache"];
  assert.equal(await find(interpreter, { args: [...options, "/bin/sh", "-c", "true"] }), interpreter);
  assert.equal(await find(interpreter, { args: ["--version"] }), interpreter);
  assert.match((await refusal(interpreter, { args: [...options, file.path] })).message, /statically linked/);
});

Deno.test("a program and a PATH that are not UTF-8 are found", async () => {
  using file = withFile("app", dynamic);
  const folder = osText(Uint8Array.from([...new TextEncoder().encode(`${file.folder}/caf`), 0xe9]));
  const script = `mkdir "$1/$(printf 'caf\\351')" && cp "$1/app" "$1/$(printf 'caf\\351')/prog"`;
  const { success } = await new Deno.Command("/bin/sh", { args: ["-c", script, "sh", file.folder] }).output();
  assert.ok(success);
  assert.equal(await find(`${folder}/prog`), `${folder}/prog`);
  assert.equal(await find("prog", { variables: { PATH: `/usr/bin:${folder}` } }), `${folder}/prog`);
  assert.equal((await refusal(`${folder}/other`)).exitCode, 127);
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
    assert.equal(await find(file.path), file.path);
  },
});

Deno.test("a skipped program need not be one that can be hooked", async () => {
  using file = withFile("go", elfFile(Deno.build.arch === "x86_64" ? 62 : 183, null));
  assert.equal(await find(file.path, { skipped: new Set(["go"]) }), file.path);
});
