// The rules about programs that the layer cannot get into stand twice: in mirrord for the program that it
// starts (core/launch/program.ts), in the layer for those that the app starts (layer/sys/program_linux.c).
// Both judge the same files here. Where mirrord refuses more than the layer can tell before the program runs,
// the row says so.

import assert from "node:assert/strict";
import { MirrordError } from "../../core/base/errors.ts";
import { findProgram } from "../../core/launch/program.ts";
import { compileApp } from "../support/layer_app.ts";
import { goProgram, staticGoProgram } from "../support/packages.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const machine = Deno.build.arch === "x86_64" ? 62 : 183;
const loader = Deno.build.arch === "x86_64" ? "/lib64/ld-linux-x86-64.so.2" : "/lib/ld-linux-aarch64.so.1";

/** What the two say, by the words of either. */
const words = {
  static: [/statically linked/, /static executable/],
  machine: [/another machine/, /another machine/],
  setUserId: [/set-user-ID/, /set-user-ID/],
} as const;
type Verdict = keyof typeof words | "none" | "unknown";

interface Row {
  name: string;
  /** What both say. */
  verdict: Verdict;
  /** What the layer says where it cannot tell as much. */
  layer?: Verdict;
  /** Makes the file at `path`, or answers where it lies. */
  make: (path: string) => Promise<string | void> | string | void;
}

/** An ELF file of a header and one program header: the loader `interpreter`, or none. */
function elf(
  change: { machine?: number; bits?: 32 | 64; interpreter?: string; size?: number } = {},
): Uint8Array {
  const bytes = new Uint8Array(256);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, change.bits === 32 ? 1 : 2, 1, 1]);
  view.setUint16(18, change.machine ?? machine, true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  if (change.interpreter !== undefined) {
    const text = new TextEncoder().encode(`${change.interpreter}\0`);
    view.setUint32(64, 3, true);
    view.setBigUint64(64 + 8, 128n, true);
    view.setBigUint64(64 + 32, BigInt(text.length), true);
    bytes.set(text, 128);
  }
  return bytes.subarray(0, change.size ?? bytes.length);
}

const write = (bytes: Uint8Array | string) => (path: string) =>
  Deno.writeFileSync(path, typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes, {
    mode: 0o755,
  });

/** A dynamic program with these bits, of another user when `owner` is one. */
const special = (mode: number, owner: number) => (path: string) => {
  write(elf({ interpreter: loader }))(path);
  Deno.chownSync(path, owner, owner);
  Deno.chmodSync(path, mode);
};

/** The smallest C program, built by the system's compiler. */
const built = (...flags: string[]) => async (path: string) => {
  await Deno.writeTextFile(`${path}.c`, "int main(void) { return 0; }\n");
  const { success } = await new Deno.Command("gcc", { args: [...flags, "-o", path, `${path}.c`] }).output();
  assert.ok(success);
};

const rows: Row[] = [
  { name: "the shell", verdict: "none", make: () => "/bin/sh" },
  { name: "a dynamic program", verdict: "none", make: built() },
  { name: "a program at any address, not", verdict: "none", make: built("-no-pie") },
  { name: "a static program", verdict: "static", make: built("-static") },
  { name: "a static program at any address", verdict: "static", make: built("-static-pie") },
  { name: "the dynamic linker itself", verdict: "none", make: () => loader },
  {
    name: "a program of musl",
    verdict: "none",
    make: write(elf({ interpreter: "/lib/ld-musl-x86_64.so.1" })),
  },
  {
    name: "another machine's",
    verdict: "machine",
    make: write(elf({ machine: 8, interpreter: "/lib/ld.so.1" })),
  },
  // Refused by both, by different words: mirrord reads no such header.
  { name: "32 bits", verdict: "unknown", layer: "machine", make: write(elf({ bits: 32, machine: 3 })) },
  { name: "a header cut short", verdict: "unknown", layer: "none", make: write(elf({ size: 40 })) },
  { name: "an empty file", verdict: "unknown", layer: "none", make: write("") },
  { name: "a text without an interpreter", verdict: "unknown", layer: "none", make: write("echo hi\n") },
  { name: "a script of the shell", verdict: "none", make: write("#!/bin/sh\n") },
  { name: "a script with an argument", verdict: "none", make: write("#! /bin/sh -e\n") },
  {
    name: "a script of a static program",
    verdict: "static",
    make: async (path) => {
      await built("-static")(`${path}.static`);
      write(`#!${path}.static\n`)(path);
    },
  },
  { name: "Go with cgo", verdict: "none", make: () => goProgram("go_http") },
  { name: "Go without cgo", verdict: "static", make: () => staticGoProgram("go_plain") },
  { name: "set-user-ID of this user", verdict: "none", make: special(0o4755, Deno.uid() ?? 0) },
  { name: "set-user-ID of another user", verdict: "setUserId", make: special(0o4755, 65534) },
  { name: "set-group-ID of another group", verdict: "setUserId", make: special(0o2755, 65534) },
  { name: "set-group-ID that the group may not run", verdict: "none", make: special(0o2745, 65534) },
];

function verdictOf(said: string, side: 0 | 1): string {
  if (said === "-") return "none";
  if (/neither a 64-bit ELF/.test(said)) return "unknown";
  return Object.entries(words).find(([, patterns]) => patterns[side].test(said))?.[0] ?? said;
}

/** What mirrord says of the program at `path`. */
async function ofMirrord(path: string): Promise<string> {
  try {
    await findProgram({ name: path, args: [], variables: { PATH: "/usr/bin:/bin" } });
    return "-";
  } catch (error) {
    if (error instanceof MirrordError) return error.message;
    throw error;
  }
}

Deno.test({
  name: "mirrord and the layer judge the same programs alike",
  ignore: Deno.uid() !== 0, // files of another user are made
  async fn(t) {
    const sources = ["program.c", "program_linux.c", "sys.c", "sys_linux.c"].map((name) =>
      `${root}layer/sys/${name}`
    );
    const layer = await compileApp("obstacle", { flags: ["-iquote", `${root}layer/sys`, ...sources] });
    const folder = await Deno.makeTempDir({ prefix: "mirrord-obstacles-" });
    try {
      for (const [at, row] of rows.entries()) {
        await t.step(row.name, async () => {
          const path = await row.make(`${folder}/${at}`) ?? `${folder}/${at}`;
          const { stdout } = await new Deno.Command(layer, { args: [path] }).output();
          const said = new TextDecoder().decode(stdout).trim();
          assert.equal(verdictOf(await ofMirrord(path), 0), row.verdict, "mirrord");
          assert.equal(verdictOf(said, 1), row.layer ?? row.verdict, "the layer");
        });
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
