// Programs that the app starts: they stay in the session whatever environment they are handed, run without
// the layer when their name says so, and are reported when the layer cannot get into them.

import assert from "node:assert/strict";
import { deadline } from "../support/deadline.ts";
import { FakeSession } from "../support/fake_session.ts";
import { App, builtLayer, compileApp } from "../support/layer_app.ts";

/** All that `app` prints until it ends. */
async function output(app: App): Promise<string[]> {
  const lines: string[] = [];
  const { code } = await deadline(app.status, "the app ends");
  try {
    for (;;) lines.push(await app.line());
  } catch (error) {
    assert.match(String(error), /the app ended/);
  }
  assert.equal(code, 0, `${lines} ${await app.errors}`);
  return lines;
}

/** A directory that is removed at the end of the test. */
function folder(): { path: string } & Disposable {
  const path = Deno.makeTempDirSync({ prefix: "mirrord-exec-test." });
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

/** The interpreter itself: `python3` may be a script that looks for it. */
const python = new TextDecoder().decode(
  new Deno.Command("python3", { args: ["-c", "import os; print(os.path.realpath('/proc/self/exe'))"] })
    .outputSync().stdout,
).trim();
const pythonName = python.replace(/^.*\//, "");

const bindAndSay = "import socket; s = socket.socket(); s.bind(('127.0.0.1', 61239)); print('bound')";

for (const call of ["execve", "execvp", "execl", "posix_spawn", "vfork"]) {
  Deno.test(`a child by ${call} without any environment stays in the session`, async () => {
    await using session = new FakeSession();
    await using app = new App(session, [await compileApp("execs"), call, "/usr/bin/env"]);
    const expected = Object.entries(session.env(builtLayer)).map(([name, value]) => `${name}=${value}`);
    assert.deepEqual(
      (await output(app)).filter((line) => !/^(PATH|PWD|_)=/.test(line)).sort(),
      expected.sort(),
    );
  });
}

Deno.test("env -i, a shell and Python's subprocess without an environment: each is in the session", async () => {
  await using session = new FakeSession();
  const inner = `import subprocess; subprocess.run(['${python}', '-c', "${bindAndSay}"], env={})`;
  await using app = new App(session, [
    "env",
    "-i",
    "/bin/sh",
    "-c",
    `/usr/bin/env -i ${python} -c '${inner.replaceAll("'", `'"'"'`)}'`,
  ]);
  assert.deepEqual(await output(app), ["bound"]);
  assert.equal(session.count("bind"), 1);
});

Deno.test("Node's child with an environment of its own is in the session, and finds what it was given", async () => {
  await using session = new FakeSession();
  const script =
    "require('child_process').execFileSync('/usr/bin/env', { env: { OWN: '1' }, stdio: 'inherit' })";
  await using app = new App(session, ["node", "-e", script]);
  const lines = await output(app);
  assert.ok(lines.includes("OWN=1"));
  assert.ok(lines.some((line) => line.startsWith("MIRRORD_LAYER_SOCKET=/")), lines.join("\n"));
});

Deno.test("a library that the app preloads itself stays, behind the layer", async () => {
  await using session = new FakeSession();
  await using app = new App(session, [
    "env",
    "-i",
    "LD_PRELOAD=/lib/x86_64-linux-gnu/libm.so.6",
    "/usr/bin/env",
  ]);
  assert.ok((await output(app)).includes(`LD_PRELOAD=${builtLayer}:/lib/x86_64-linux-gnu/libm.so.6`));
});

Deno.test("another session's environment is left alone", async () => {
  await using session = new FakeSession();
  await using app = new App(session, ["env", "-i", "MIRRORD_LAYER_SOCKET=/other", "/usr/bin/env"]);
  assert.deepEqual(await output(app), ["MIRRORD_LAYER_SOCKET=/other"]);
});

/** What `argv` prints and which processes said hello, with `skip` as the skipped names. */
async function binds(argv: string[], skip: string): Promise<number> {
  await using session = new FakeSession();
  await using app = new App(session, argv, { env: { MIRRORD_SKIP: skip } });
  assert.deepEqual(await output(app), ["bound"]);
  return session.count("bind");
}

Deno.test("a program is skipped by the name of its file", async () => {
  assert.equal(await binds(["python3", "-c", bindAndSay], `other/${pythonName}`), 0);
});

Deno.test("a program is skipped by the name that it is called by", async () => {
  assert.equal(await binds(["bash", "-c", `exec -a skipme ${python} -c "${bindAndSay}"`], "skipme"), 0);
});

Deno.test("a program whose name only begins so is not skipped", async () => {
  assert.equal(await binds(["python3", "-c", bindAndSay], `pyth/${pythonName}x/`), 1);
});

Deno.test("the children of a skipped program are hooked again, whatever environment it gives them", async () => {
  assert.equal(await binds(["env", "-i", python, "-c", bindAndSay], "env"), 1);
});

/** The smallest ELF file for machine `machine`. */
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

const machine = Deno.build.arch === "x86_64" ? 62 : 183;
const unhookable: Record<string, [make: (path: string) => void, reason: string]> = {
  "a static executable": [
    (path) => Deno.writeFileSync(path, elfFile(machine, null), { mode: 0o755 }),
    "it is a static executable",
  ],
  "another machine's": [
    (path) => Deno.writeFileSync(path, elfFile(8, "/lib/ld.so.1"), { mode: 0o755 }),
    "it is built for another machine",
  ],
  "musl's": [
    (path) => Deno.writeFileSync(path, elfFile(machine, "/lib/ld-musl-x86_64.so.1"), { mode: 0o755 }),
    "it uses the C library musl",
  ],
  "a set-user-ID program": [(path) => {
    Deno.copyFileSync("/bin/true", path);
    Deno.chownSync(path, 65534, 65534);
    Deno.chmodSync(path, 0o4755);
  }, "it is set-user-ID"],
};

/**
 * Runs `argv` made of a file that `make` wrote; resolves with what the session was sent, after the app ended.
 */
async function told(
  make: (path: string) => void,
  argv: (path: string, folder: string) => string[] | Promise<string[]>,
  skip = "",
): Promise<{ path: string; told: string[] }> {
  await using session = new FakeSession();
  using here = folder();
  const path = `${here.path}/program`;
  make(path);
  await using app = new App(session, await argv(path, here.path), { env: { MIRRORD_SKIP: skip } });
  await deadline(app.status, "the app ends");
  const heard = session.heard.filter(({ name }) => name === "unhooked");
  return { path, told: heard.map(({ executable, reason }) => `${executable}: ${reason}`) };
}

for (const [title, [make, reason]] of Object.entries(unhookable)) {
  Deno.test(`${title} as a child is reported to the session`, async () => {
    const { path, told: lines } = await told(make, (path) => ["sh", "-c", `${path}; true`]);
    assert.deepEqual(lines, [`${path}: ${reason}`]);
  });
}

const [makeStatic] = unhookable["a static executable"] ?? [];

for (const call of ["vfork", "posix_spawn", "fexecve"]) {
  Deno.test(`a static executable started by ${call} is reported to the session`, async () => {
    assert.ok(makeStatic !== undefined);
    const { told: lines } = await told(makeStatic, async (path) => [await compileApp("execs"), call, path]);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? "", /: it is a static executable$/);
  });
}

Deno.test("a script is followed to its interpreter", async () => {
  assert.ok(makeStatic !== undefined);
  const { path, told: lines } = await told(makeStatic, (path, folder) => {
    Deno.writeTextFileSync(`${folder}/inner`, `#!${path} -x\n`, { mode: 0o755 });
    Deno.writeTextFileSync(`${folder}/outer`, `#! ${folder}/inner\n`, { mode: 0o755 });
    return ["sh", "-c", `PATH=${folder}:$PATH; outer; true`];
  });
  assert.deepEqual(lines, [`${path}: it is a static executable`]);
});

Deno.test("a skipped program that cannot be hooked is not worth a word", async () => {
  assert.ok(makeStatic !== undefined);
  const { told: lines } = await told(makeStatic, (path) => ["sh", "-c", `${path}; true`], "program");
  assert.deepEqual(lines, []);
});

Deno.test("ordinary programs and the dynamic linker itself are not worth a word", async () => {
  const { told: lines } = await told(() => {}, () => [
    "sh",
    "-c",
    "ls / >/dev/null; /lib64/ld-linux-x86-64.so.2 /bin/true; sh -c 'exec true'; nothing-of-this-name; true",
  ]);
  assert.deepEqual(lines, []);
});

for (const closed of ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"]) {
  Deno.test(`an app started with "${closed}" asks and accepts as ever`, async () => {
    await using session = new FakeSession();
    const program = "import os, socket; s = socket.socket(); s.bind(('127.0.0.1', 61240)); s.listen(); " +
      "os._exit(0 if s.fileno() < 9 else 1)";
    await using app = new App(session, ["sh", "-c", `python3 -c "${program}" ${closed}; echo $?`]);
    assert.equal(await app.line(), "0");
    assert.equal(session.count("listen"), 1);
  });
}

/**
 * Starts with the layer at `path` in a new folder of this user's alone, runs `argv`, and tells what the
 * session heard.
 */
async function toldOf(argv: (folder: string) => string[]): Promise<string[]> {
  await using session = new FakeSession();
  using here = folder();
  const layer = `${here.path}/layer.so`;
  Deno.copyFileSync(builtLayer, layer);
  await using app = new App(session, argv(here.path), { layer });
  await deadline(app.status, "the app ends");
  return session.heard.filter(({ name }) => name === "unhooked")
    .map(({ executable, reason }) => `${executable}: ${reason}`);
}

const mayMount = Deno.uid() === 0;

Deno.test({
  name: "a child of another user, which cannot read the layer, is reported to the session",
  ignore: !mayMount,
}, async () => {
  const told = await toldOf(() => ["setpriv", "--reuid=65534", "--clear-groups", "/bin/true"]);
  assert.deepEqual(told, [
    "/bin/true: it cannot read mirrord's library (another user, root directory or mount namespace)",
  ]);
});

Deno.test(
  { name: "a child where the layer may not be mapped is reported to the session", ignore: !mayMount },
  async () => {
    const hide = (path: string) =>
      `mount --bind ${path} ${path} && mount -o remount,bind,noexec ${path} && exec /bin/true`;
    const told = await toldOf((path) => ["unshare", "--mount", "/bin/sh", "-c", hide(path)]);
    assert.ok(
      told.includes("/bin/true: mirrord's library lies where nothing may be run (noexec)"),
      told.join("\n"),
    );
  },
);
