// Copies of protected programs, made from what zig links for both machines: which need one, what is in it,
// and what cannot be done. codesign(1) is Apple's own: a stand-in notes what it was asked to sign.
// llvm-objdump reads the copies too.

import assert from "node:assert/strict";
import { MirrordError } from "../../base/errors.ts";
import { codeFlags, commands, commandText, cpuTypes, readCommands, readSlices } from "../../net/macho.ts";
import { asArm64e, makeFat, makeProgram, withFlags } from "../../../tests/support/macho_programs.ts";
import { Copies, type System } from "./copies.ts";

const rpaths = ["-Wl,-rpath,@loader_path/../lib", "-Wl,-rpath,@executable_path", "-Wl,-headerpad,0x800"];

interface Stage extends AsyncDisposable {
  folder: string;
  arm: Uint8Array<ArrayBuffer>;
  intel: Uint8Array<ArrayBuffer>;
  signed: string[];
  /** Writes a program and returns its path. */
  put(name: string, bytes: Uint8Array | string): Promise<string>;
  copies(options?: { machine?: System["machine"]; skipped?: string[]; always?: string[] }): Copies;
}

/** One program for each machine; zig takes a second for each. */
const { arm, intel } = await linked();

async function linked(): Promise<Pick<Stage, "arm" | "intel">> {
  const folder = await Deno.makeTempDir({ prefix: "mirrord-copies-test." });
  try {
    return {
      arm: await makeProgram(folder, { machine: "aarch64", flags: rpaths }),
      intel: await makeProgram(folder, { machine: "x86_64", flags: rpaths }),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** `restricted`: paths of files with the flag. */
async function openStage(restricted: ReadonlySet<string> = new Set()): Promise<Stage> {
  const folder = await Deno.makeTempDir({ prefix: "mirrord-copies-test." });
  const signed: string[] = [];
  return {
    folder,
    arm,
    intel,
    signed,
    async put(name, bytes) {
      const path = `${folder}/${name}`;
      const content = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
      await Deno.writeFile(path, content, { mode: 0o755 });
      return path;
    },
    copies({ machine = "aarch64", skipped = [], always = [] } = {}) {
      return new Copies({ folder: `${folder}/copies`, skipped: new Set(skipped), always }, {
        isRestricted: (path) => Promise.resolve(restricted.has(path)),
        sign: (path) => {
          signed.push(path);
          return Promise.resolve(null);
        },
        machine,
      });
    },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(() => null, (error) => error);
  assert.ok(error instanceof MirrordError, String(error));
  assert.equal(error.exitCode, 126);
  return error.message;
}

Deno.test("a program that dyld lets the layer into runs as it is", async () => {
  await using stage = await openStage();
  const path = await stage.put("plain", makeFat([stage.intel, stage.arm]));
  assert.deepEqual(await stage.copies().prepare(path), { path, words: [] });
  assert.deepEqual(stage.signed, []);
});

Deno.test("of a hardened program this machine's part is copied and signed, once", async () => {
  await using stage = await openStage();
  const hardened = withFlags(stage.arm, codeFlags.runtime);
  const path = await stage.put("tool", makeFat([stage.intel, hardened]));
  const copies = stage.copies();
  const made = await copies.prepare(path);
  assert.match(made.path, new RegExp(`^${stage.folder}/copies/[0-9a-f]{32}/tool$`));
  assert.deepEqual(made.words, []);
  const bytes = await Deno.readFile(made.path);
  assert.deepEqual(readSlices(bytes).map(({ cpuType }) => cpuType), [cpuTypes.aarch64]);
  const paths = readCommands(bytes).filter(({ command }) => command === commands.runPath)
    .map((one) => commandText(bytes, one));
  assert.deepEqual(paths, [`${stage.folder}/../lib`, stage.folder]);
  assert.equal(((await Deno.stat(made.path)).mode ?? 0) & 0o777, 0o700);
  assert.deepEqual(await copies.prepare(path), made);
  assert.deepEqual(await stage.copies().prepare(path), made); // another session finds it
  assert.equal(stage.signed.length, 1);
  assert.deepEqual([...Deno.readDirSync(`${stage.folder}/copies`)].length, 1);
  await stage.put("tool", makeFat([stage.intel, withFlags(stage.arm, codeFlags.restrict)]));
  assert.notEqual((await copies.prepare(path)).path, made.path);
});

Deno.test({
  name: "a program of macOS itself is copied and runs, on a Mac",
  ignore: Deno.build.os !== "darwin",
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "mirrord-copies-test." });
    try {
      const copies = new Copies({ folder: `${folder}/copies`, skipped: new Set(), always: [] });
      const { path } = await copies.prepare("/bin/echo");
      assert.notEqual(path, "/bin/echo");
      const { success, stdout } = await new Deno.Command(path, { args: ["hello"] }).output();
      assert.ok(success);
      assert.equal(new TextDecoder().decode(stdout), "hello\n");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

// llvm's programs are not among those of a Mac.
const withLlvm = Deno.build.os === "darwin" ? Deno.test.ignore : Deno.test;

withLlvm("llvm-objdump reads a copy as this reader does", async () => {
  await using stage = await openStage();
  for (const [machine, part] of [["aarch64", stage.arm], ["x86_64", stage.intel]] as const) {
    const path = await stage.put(`tool-${machine}`, makeFat([part]));
    const { path: copy } = await stage.copies({ machine, always: [`tool-${machine}`] }).prepare(path);
    const { success, stdout, stderr } = await new Deno.Command("llvm-objdump", {
      args: ["--macho", "--all-headers", copy],
    }).output();
    const said = new TextDecoder().decode(stdout);
    assert.ok(success, new TextDecoder().decode(stderr));
    const listed = [...said.matchAll(/cmd LC_RPATH\s+cmdsize \d+\s+path (\S+)/g)].map(([, one]) => one);
    assert.deepEqual(listed, [`${stage.folder}/../lib`, stage.folder]);
    assert.equal((said.match(/Load command/g) ?? []).length, readCommands(await Deno.readFile(copy)).length);
  }
});

Deno.test("what macOS protects is copied, by Rosetta's part where the own one is arm64e", async () => {
  await using stage = await openStage(new Set(["SELF"]));
  const path = await stage.put("sh", makeFat([stage.intel, asArm64e(stage.arm)]));
  const copies = new Copies({ folder: `${stage.folder}/copies`, skipped: new Set(), always: [] }, {
    isRestricted: (one) => Promise.resolve(one === path),
    sign: () => Promise.resolve(null),
    machine: "aarch64",
  });
  const { path: copy } = await copies.prepare(path);
  assert.deepEqual(readSlices(await Deno.readFile(copy)).map(({ cpuType }) => cpuType), [cpuTypes.x86_64]);
});

Deno.test("a script goes by its interpreter's copy", async () => {
  await using stage = await openStage();
  const shell = await stage.put("zsh", withFlags(stage.arm, codeFlags.restrict));
  const script = await stage.put("run", `#!${shell} -e -x\necho\n`);
  const nested = await stage.put("run2", `#!${script}\n`);
  const copies = stage.copies();
  const { path: copy } = await copies.prepare(shell);
  assert.notEqual(copy, shell);
  assert.deepEqual(await copies.prepare(script), { path: copy, words: [shell, "-e -x", script] });
  assert.deepEqual(await copies.prepare(nested), {
    path: copy,
    words: [shell, "-e -x", script, nested],
  });
  const plain = await stage.put("plain", stage.arm);
  const own = await stage.put("run3", `#!${plain}\n`);
  assert.deepEqual(await copies.prepare(own), { path: own, words: [] });
});

Deno.test("what cannot be copied is refused with its reason, and what is skipped runs as it is", async () => {
  await using stage = await openStage();
  const only = await stage.put("arm64e", makeFat([withFlags(asArm64e(stage.arm), codeFlags.restrict)]));
  assert.match(
    await refusal(stage.copies().prepare(only)),
    /^Cannot run ".*arm64e" with the layer: it is signed as restricted, and it has no part that a program of yours/,
  );
  const narrow = await makeProgram(stage.folder, {
    machine: "aarch64",
    flags: ["-Wl,-rpath,@loader_path", "-Wl,-headerpad,0x0"],
  });
  const deep = `${stage.folder}/${"deep".repeat(60)}`;
  await Deno.mkdir(deep);
  const cramped = `${deep}/tool`;
  await Deno.writeFile(cramped, withFlags(narrow, codeFlags.restrict), { mode: 0o755 });
  const room = await stage.copies().prepare(cramped).then(() => "", (error) => String(error));
  assert.match(room, /its header has no room for the folder that it was in/);
  assert.deepEqual(await stage.copies({ skipped: ["arm64e"] }).prepare(only), { path: only, words: [] });
  const plain = await stage.put("plain", stage.arm);
  assert.notEqual((await stage.copies({ always: ["plain"] }).prepare(plain)).path, plain);
});

Deno.test("a folder that others may write to keeps no copies", async () => {
  await using stage = await openStage();
  const path = await stage.put("tool", withFlags(stage.arm, codeFlags.restrict));
  await Deno.mkdir(`${stage.folder}/copies`);
  await Deno.chmod(`${stage.folder}/copies`, 0o777);
  assert.match(
    await refusal(stage.copies().prepare(path)),
    /^Cannot keep copies .*: others may write to it$/,
  );
});
