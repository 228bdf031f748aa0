// Arguments, variables, paths and working directories are bytes: what a program finds under the compiled
// binary is what it finds without it, whatever the bytes.

import assert from "node:assert/strict";
import { hasRawBytes, osBytes, osText } from "../../core/base/os_text.ts";
import { missingForProcess } from "../support/cases.ts";
import { attempt, until } from "../cluster/command.ts";
import { FileTarget } from "../support/file_target.ts";
import { binary, userPath } from "../support/program.ts";

const ignore = missingForProcess() !== null;
const apps = decodeURIComponent(new URL("../apps/", import.meta.url).pathname);
const python = "/usr/bin/python3";
const seen = `${apps}raw_seen.py`;

/** "caf\xe9" as text of core/base/os_text.ts. */
function raw(text: string): string {
  return osText(Uint8Array.from(text, (one) => one.charCodeAt(0)));
}

interface Seen {
  argv: string[];
  env: Record<string, string>;
  cwd: string;
  cmdline: string[];
  environ: string[];
  files: Record<string, string>;
  here: string;
}

/** Runs `argv`, all texts of core/base/os_text.ts. */
async function start(argv: string[], env: Record<string, string> = {}, cwd = "/") {
  const variables = Object.entries({ PATH: userPath(), HOME: "/root", NO_COLOR: "1", ...env });
  const order = {
    argv: argv.map(hex),
    env: Object.fromEntries(variables.map(([name, value]) => [hex(name), hex(value)])),
    cwd: hex(cwd),
  };
  return await attempt([python, `${apps}raw_start.py`, JSON.stringify(order)]);
}

/** Runs a shell command with arguments and the system's PATH. */
async function shell(script: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await start(["/bin/sh", "-c", script, "sh", ...args], { PATH: "/usr/bin:/bin" });
  assert.equal(code, 0, stderr);
}

function hex(text: string): string {
  return [...osBytes(text)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * What the program sees, natively and under mirrord with `flags`, but for the variables that mirrord adds.
 */
async function both(
  args: string[],
  { env = {}, cwd = "/", flags = [], prefix = [] }: {
    env?: Record<string, string>;
    cwd?: string;
    flags?: string[];
    prefix?: string[];
  },
): Promise<[ours: Seen, native: Seen]> {
  const runs = [[binary, "exec", ...flags, "--", python, seen, ...args], [...prefix, python, seen, ...args]];
  const found: Seen[] = [];
  for (const argv of runs) {
    const { code, stdout, stderr } = await start(argv, env, cwd);
    assert.equal(code, 0, stderr);
    const one = JSON.parse(stdout) as Seen;
    const added = /^(LD_PRELOAD|MIRRORD_\w+|GODEBUG)(=|$)/;
    const text = (name: string) =>
      new TextDecoder().decode(Uint8Array.from(name.match(/../g) ?? [], (two) => parseInt(two, 16)));
    one.env = Object.fromEntries(Object.entries(one.env).filter(([name]) => !added.test(text(name))));
    one.environ = one.environ.filter((entry) => !added.test(text(entry)));
    found.push(one);
  }
  return found as [Seen, Seen];
}

const odd = [
  raw("caf\xe9"),
  raw("\xff\xfe\x80"),
  raw("a\xe2\x82"),
  "é€😀",
  "\u{10ff80}\u{10ffff}",
  raw("\xf4\x8f\xbe"),
  raw("\xc0\xaf \xed\xa0\x80\n\t"),
  "",
  "--flag",
  raw("--name=\xe9"),
];

Deno.test({ name: "arguments reach the app byte for byte", ignore }, async () => {
  const [ours, native] = await both(odd, {});
  assert.deepEqual(native.argv, odd.map(hex));
  assert.deepEqual(ours, native);
});

Deno.test({ name: "variables reach the app byte for byte, names too", ignore }, async () => {
  const env = Object.fromEntries([
    ...odd.map((value, index) => [`VALUE_${index}`, value]),
    ...odd.filter((name) => name !== "" && !name.includes("=")).map((name) => [name, "value"]),
    ["LANG", raw("de_DE.\xe9")],
    ["PYTHONUTF8", "1"],
    ["TMPDIR", raw("/tmp/t\xe9")],
    ["USER", raw("jos\xe9")],
    ["XDG_RUNTIME_DIR", raw("/run/u\xe9")],
    ["HOME", raw("/home/jos\xe9")],
    ["KUBECONFIG", raw("/k\xe9")],
    ["PATH", `${userPath()}:${raw("/opt/\xe9")}`],
  ]);
  const [ours, native] = await both([], { env });
  assert.ok(Object.keys(native.env).length >= Object.keys(env).length);
  assert.deepEqual(ours, native);
});

Deno.test({ name: "the target's variables come byte for byte", ignore }, async () => {
  const values = odd.filter((one) => one !== "");
  const env = Object.fromEntries(values.map((value, index) => [`REMOTE_${index}`, value]));
  const order = {
    argv: ["/bin/sleep", "infinity"].map(hex),
    env: Object.fromEntries(Object.entries(env).map(([name, value]) => [hex(name), hex(value)])),
    cwd: hex("/"),
  };
  const target = new Deno.Command(python, { args: [`${apps}raw_start.py`, JSON.stringify(order)] }).spawn();
  try {
    await until(
      "the target runs",
      async () => await Deno.readTextFile(`/proc/${target.pid}/comm`) === "sleep\n" || "not yet",
    );
    const config = await Deno.makeTempFile({ suffix: ".json" });
    await Deno.writeTextFile(config, JSON.stringify({ feature: { network: false, fs: "local" } }));
    const flags = ["--target", `process/${target.pid}`, "-f", config];
    const { code, stdout, stderr } = await start([binary, "exec", ...flags, "--", python, seen]);
    await Deno.remove(config);
    assert.equal(code, 0, stderr);
    const found = (JSON.parse(stdout) as Seen).env;
    for (const [name, value] of Object.entries(env)) assert.equal(found[hex(name)], hex(value), name);
  } finally {
    target.kill("SIGKILL");
    await target.status;
  }
});

Deno.test({
  name: "a program, its folder and the app's own folder that are not UTF-8 are run, in and out of a session",
  ignore,
}, async () => {
  const base = await Deno.makeTempDir();
  await using target = await FileTarget.create({ fill: `printf remote >"data/f$(printf '\\351')"` });
  try {
    const folder = `${base}/${raw("d\xe9")}`;
    const long = `${base}/${"x".repeat(Math.max(0, 253 - base.length))}é`;
    const make = `mkdir "$1" && printf here >"$1/file" && ln -s /bin/cat "$1/link" && cp /bin/cat "$1/prog"`;
    for (const one of [folder, long]) {
      await shell(make, one);
    }
    const session = ["--target", `process/${target.pid}`];
    const remote = raw("/data/f\xe9");
    for (const flags of [[], session]) {
      const [ours, native] = await both([], { cwd: folder, flags });
      assert.deepEqual([ours.cwd, ours.here, native.cwd], [hex(folder), hex("here"), hex(folder)]);
      for (const one of [folder, long]) {
        const { code, stdout, stderr } = await start(
          [binary, "exec", ...flags, "--", `${one}/prog`, "file", ...(flags === session ? [remote] : [])],
          {},
          one,
        );
        assert.deepEqual([code, stdout], [0, flags === session ? "hereremote" : "here"], stderr);
      }
      const searched = await start([binary, "exec", ...flags, "--", "prog", "file"], {
        PATH: `/usr/bin:${folder}`,
      }, folder);
      assert.deepEqual([searched.code, searched.stdout], [0, "here"], searched.stderr);
    }
    // A child that the layer cannot get into is named, whatever its name.
    const alone = `${base}/alone`;
    assert.equal(
      (await attempt(["gcc", "-static", "-nostdlib", "-O1", "-o", alone, `${apps}alone.c`])).code,
      0,
    );
    await shell('cp "$1" "$2/alone"', alone, folder);
    const child = await start([
      binary,
      "exec",
      ...session,
      "--",
      "sh",
      "-c",
      `'${folder}/alone'; cat '${remote}'`,
    ]);
    assert.match(child.stderr, /d\\xE9\/alone runs outside the pod: it is a static executable/);
    assert.match(child.stdout, /remote$/);
  } finally {
    await shell('rm -rf "$1"', base);
  }
});

Deno.test({ name: "mirrord itself is found and named by any bytes", ignore }, async () => {
  const base = await Deno.makeTempDir();
  try {
    const folder = `${base}/${raw("b\xe9")}`;
    const make = 'mkdir "$1" && cp "$2" "$1/mirrord"';
    await shell(make, folder, binary);
    assert.match((await start([`${folder}/mirrord`, "--version"])).stdout, /^mirrord \d/);
    const flags = ["--target", `process/${Deno.pid}`, "-f", `${base}/m.json`];
    await Deno.writeTextFile(`${base}/m.json`, JSON.stringify({ feature: { network: false } }));
    const beside = await start([`${folder}/mirrord`, "exec", ...flags, "--", "cat", "/etc/hostname"]);
    assert.deepEqual(
      [beside.code, beside.stdout],
      [0, await Deno.readTextFile("/etc/hostname")],
      beside.stderr,
    );
    const { code, stderr } = await start([binary, "exec", "-f", raw("/no/\xe9.json"), "--", "true"]);
    assert.equal(code, 78, stderr);
    assert.match(stderr, /\/no\/\\xE9\.json/);
    assert.ok(!hasRawBytes(stderr));
    const unknown = await start([binary, raw("caf\xe9")]);
    assert.equal(unknown.code, 2, unknown.stderr);
    assert.match(unknown.stderr, /Cannot run "caf\\xE9": there is no such command/);
  } finally {
    await shell('rm -rf "$1"', base);
  }
});
