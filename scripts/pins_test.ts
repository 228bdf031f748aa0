// What a build fetches is what was pinned: a package that somebody changed on its way is refused, named with
// both sums, and leaves nothing behind. Each attack is shown first to work with the client alone, which looks
// at no pin.

import assert from "node:assert/strict";
import { exists, root } from "./step.ts";

interface Ran {
  code: number;
  said: string;
}

async function run(argv: string[], options: Deno.CommandOptions = {}): Promise<Ran> {
  const [program = "", ...args] = argv;
  const { code, stdout, stderr } = await new Deno.Command(program, { args, stdin: "null", ...options })
    .output();
  return { code, said: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

/** Makes a wheel that pip takes: the package `greeting` with one module. */
const makeWheel = `
import sys, zipfile
folder, text = sys.argv[1:]
name = "greeting-1.0"
with zipfile.ZipFile(f"{folder}/{name}-py3-none-any.whl", "w") as wheel:
    def add(path, text):
        wheel.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), text)
    add("greeting.py", f"text = {text!r}\\n")
    add(f"{name}.dist-info/METADATA", "Metadata-Version: 2.1\\nName: greeting\\nVersion: 1.0\\n")
    add(f"{name}.dist-info/WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    add(f"{name}.dist-info/RECORD", "")
`;

/**
 * A folder that serves the package as an index does, a table that pins what it was, and the way to ask for
 * it.
 */
class Shelf implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "mirrord-pins-" });
  readonly wheel = `${this.folder}/index/greeting-1.0-py3-none-any.whl`;

  static async make(): Promise<Shelf> {
    const shelf = new Shelf();
    Deno.mkdirSync(`${shelf.folder}/index`);
    await shelf.put("hello");
    await shelf.pin();
    return shelf;
  }

  async put(text: string): Promise<void> {
    assert.equal((await run(["python3", "-c", makeWheel, `${this.folder}/index`, text])).code, 0);
  }

  async pin(): Promise<void> {
    const digest = await crypto.subtle.digest("SHA-256", Deno.readFileSync(this.wheel));
    const sum = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    Deno.writeTextFileSync(`${this.folder}/table`, `# pins\n${sum}  greeting-1.0-py3-none-any.whl\n`);
  }

  python(args: string[]): Promise<Ran> {
    const env = { PIP_NO_INDEX: "1", PIP_FIND_LINKS: `${this.folder}/index`, PIP_CONFIG_FILE: "/dev/null" };
    return run(["python3", ...args], { env, cwd: this.folder });
  }

  pins(...args: string[]): Promise<Ran> {
    return this.python([`${root}scripts/pins.py`, "--table", `${this.folder}/table`, ...args]);
  }

  get entries(): string[] {
    return [...Deno.readDirSync(this.folder)].map(({ name }) => name).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

const verbs: Record<string, string[]> = {
  unpack: ["unpack", "greeting==1.0", "out"],
  install: ["install", "out", "greeting==1.0"],
};

for (const [verb, args] of Object.entries(verbs)) {
  Deno.test(`a package that is what its pin says is there after ${verb}`, async () => {
    await using shelf = await Shelf.make();
    assert.deepEqual(await shelf.pins(...args), { code: 0, said: "" });
    assert.match(Deno.readTextFileSync(`${shelf.folder}/out/greeting.py`), /hello/);
    assert.deepEqual(shelf.entries, ["index", "out", "table"]);
  });

  Deno.test(`a package that was changed is refused by ${verb}, and nothing of it stays`, async () => {
    await using shelf = await Shelf.make();
    await shelf.put("hullo");
    const alone = await shelf.python([
      "-m",
      "pip",
      "download",
      "--no-deps",
      "--dest",
      "alone",
      "greeting==1.0",
    ]);
    assert.equal(alone.code, 0, alone.said);
    Deno.removeSync(`${shelf.folder}/alone`, { recursive: true });

    const { code, said } = await shelf.pins(...args);
    assert.equal(code, 1);
    assert.match(
      said,
      /^Cannot use "greeting-1\.0-py3-none-any\.whl": its SHA-256 is [0-9a-f]{64}, and [0-9a-f]{64} is expected\n$/,
    );
    assert.deepEqual(shelf.entries, ["index", "table"]);
  });
}

Deno.test("what has no pin is not fetched, and the error says how it gets one", async () => {
  await using shelf = await Shelf.make();
  const { code, said } = await shelf.pins("unpack", "greeting==1.1", "out");
  assert.equal(code, 1);
  assert.match(said, /^Cannot fetch "greeting==1\.1": it has no pin .*\n.*pins\.py pin greeting==1\.1\n$/);
  assert.deepEqual(shelf.entries, ["index", "table"]);
});

Deno.test("another version of what is pinned has another key, so that the old folder is not taken", async () => {
  await using shelf = await Shelf.make();
  const before = await shelf.pins("key", "greeting==1.0");
  await shelf.put("hullo");
  await shelf.pin();
  assert.notEqual((await shelf.pins("key", "greeting==1.0")).said, before.said);
});

Deno.test("everything that the code names is pinned for both machines", () => {
  const table = Deno.readTextFileSync(`${root}scripts/pins.sha256`);
  const names = [...table.matchAll(/^[0-9a-f]{64} {2}(\S+)$/gm)].map(([, name = ""]) => name);
  assert.equal(names.length, table.split("\n").filter((line) => line !== "" && !line.startsWith("#")).length);
  const sources = ["dev", "scripts/tools.ts", "scripts/denort.ts", "tests/support/packages.ts"];
  const text = sources.map((path) => Deno.readTextFileSync(root + path)).join("\n");
  const versions = {
    deno: text.match(/^deno_version=(\S+)$/m)?.[1],
    ziglang: text.match(/zigVersion = "(.*?)"/)?.[1],
  };
  const wanted = [
    ...Object.entries(versions).map(([name, version]) => `${name}==${version}`),
    ...[...text.matchAll(/"([\w-]+==[\d.]+)"/g)].map(([, requirement = ""]) => requirement),
  ];
  assert.ok(wanted.length > 20);
  for (const requirement of wanted) {
    const prefix = requirement.replaceAll("-", "_").replace("==", "-") + "-";
    for (const machine of ["any", "x86_64", "aarch64"]) {
      const there = names.some((name) => name.startsWith(prefix) && name.endsWith(`${machine}.whl`));
      const everywhere = names.some((name) => name.startsWith(prefix) && name.endsWith("-any.whl"));
      assert.ok(machine === "any" || there || everywhere, `${requirement} has no pin for ${machine}`);
    }
  }
});

Deno.test("a changed file of the package cache is refused", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "mirrord-pins-" });
  try {
    Deno.writeTextFileSync(`${folder}/a.deb`, "package\n");
    const { checkFiles } = await import("./tools.ts");
    const [sum = ""] = (await run(["sha256sum", `${folder}/a.deb`])).said.split(" ");
    await checkFiles([{ path: `${folder}/a.deb`, sha256: sum }]);
    Deno.writeTextFileSync(`${folder}/a.deb`, "packagf\n");
    await assert.rejects(
      checkFiles([{ path: `${folder}/a.deb`, sha256: sum }]),
      /^Error: Cannot use "a\.deb"/,
    );
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

/** A registry of npm packages with one package, whose file is one of two. */
async function npmTarball(folder: string, text: string): Promise<Uint8Array<ArrayBuffer>> {
  const work = `${folder}/${text}`;
  Deno.mkdirSync(`${work}/package`, { recursive: true });
  Deno.writeTextFileSync(
    `${work}/package/package.json`,
    JSON.stringify({ name: "greeting", version: "1.0.0" }),
  );
  Deno.writeTextFileSync(`${work}/package/index.js`, `module.exports = ${JSON.stringify(text)};\n`);
  assert.equal((await run(["tar", "-czf", `${work}/greeting.tgz`, "-C", work, "package"])).code, 0);
  return Deno.readFileSync(`${work}/greeting.tgz`);
}

async function integrity(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-512", bytes));
  return `sha512-${btoa(String.fromCharCode(...digest))}`;
}

Deno.test("a changed npm package is refused by the lock, which the registry's own sum does not do", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "mirrord-pins-" });
  const good = await npmTarball(folder, "hello");
  let served = good;
  await using registry = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    if (request.url.endsWith(".tgz")) return new Response(served);
    const tarball = `${new URL(request.url).origin}/greeting.tgz`;
    const dist = { tarball, integrity: await integrity(served) };
    const version = { name: "greeting", version: "1.0.0", dist };
    return Response.json({
      name: "greeting",
      "dist-tags": { latest: "1.0.0" },
      versions: { "1.0.0": version },
    });
  });
  async function install(name: string, lock?: string): Promise<Ran & { folder: string; lock: string }> {
    const work = `${folder}/${name}`;
    Deno.mkdirSync(work);
    Deno.writeTextFileSync(`${work}/package.json`, JSON.stringify({ dependencies: { greeting: "1.0.0" } }));
    Deno.writeTextFileSync(`${work}/deno.json`, JSON.stringify({ nodeModulesDir: "manual" }));
    if (lock !== undefined) Deno.writeTextFileSync(`${work}/deno.lock`, lock);
    const frozen = lock === undefined ? [] : ["--frozen"];
    const ran = await run([Deno.execPath(), "install", "--quiet", ...frozen], {
      cwd: work,
      env: {
        DENO_DIR: `${folder}/${name}-cache`,
        NPM_CONFIG_REGISTRY: `http://127.0.0.1:${registry.addr.port}`,
        NO_COLOR: "1",
      },
    });
    const lockFile = `${work}/deno.lock`;
    return { ...ran, folder: work, lock: exists(lockFile) ? Deno.readTextFileSync(lockFile) : "" };
  }
  try {
    const { code, said, lock } = await install("first");
    assert.equal(code, 0, said);
    assert.match(lock, /"integrity": "sha512-/);
    served = await npmTarball(folder, "hullo");
    assert.equal((await install("without")).code, 0, "without a lock nobody notices");
    const refused = await install("locked", lock);
    assert.notEqual(refused.code, 0);
    assert.match(refused.said, /greeting.*checksum|checksum.*greeting|integrity/is);
    assert.ok(!exists(`${refused.folder}/node_modules/greeting/index.js`));
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("every npm package in a lock has its sum, and no build changes a lock", () => {
  const locks = [...Deno.readDirSync(`${root}tests/support/locks`)].map(({ name }) =>
    `tests/support/locks/${name}`
  );
  for (const path of ["deno.lock", ...locks]) {
    const { npm, jsr, remote } = JSON.parse(Deno.readTextFileSync(root + path));
    assert.deepEqual([jsr, remote], [undefined, undefined], `${path} has other packages than npm's`);
    const entries = Object.entries(npm as Record<string, { integrity?: string }>);
    assert.ok(entries.length > 0);
    for (const [name, { integrity }] of entries) {
      assert.match(integrity ?? "", /^sha512-[\w+/]{86}==$/, `${path}: ${name} has no sum`);
    }
  }
  assert.equal(JSON.parse(Deno.readTextFileSync(`${root}deno.json`)).lock.frozen, true);
});

Deno.test("a wheel is used by the Python that it is for, and one with the stable ABI by later ones too", async () => {
  const fits = async (name: string, python: string) => {
    const code =
      `import pins; print(pins.fits("a-1-${name}-manylinux_2_17_x86_64.whl", "x86_64", "${python}"))`;
    const { stdout } = await new Deno.Command("python3", {
      args: ["-c", code],
      env: { PYTHONPATH: new URL("./", import.meta.url).pathname, PYTHONDONTWRITEBYTECODE: "1" },
    }).output();
    return new TextDecoder().decode(stdout).trim();
  };
  const cases = [
    ["cp311-cp311", "cp311", "True"],
    ["cp311-cp311", "cp312", "False"],
    ["cp310-abi3", "cp311", "True"],
    ["cp310-abi3", "cp310", "True"],
    ["cp312-abi3", "cp311", "False"],
  ] as const;
  for (const [name, python, expected] of cases) {
    assert.equal(await fits(name, python), expected, `${name} ${python}`);
  }
});
