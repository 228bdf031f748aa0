// Programs into which dyld would not load the layer, started by copies of mirrord's: cut to one machine,
// without the signature that keeps the layer out, signed again by /usr/bin/codesign (ad hoc), stored by what
// they hold. Asked by hookable.ts before an agent is deployed, and by the session for every program that a
// process of the app starts. Invariant: a copy appears whole or not at all, in a folder that only this user
// may write to.

import { createHash } from "node:crypto";
import { basename } from "node:path";
import { exitCodes, MirrordError } from "../../base/errors.ts";
import { log } from "../../base/log.ts";
import { readSlices, type Slice } from "../../net/macho.ts";
import type { Prepared, Programs, ProgramsOptions } from "../platform.ts";
import { readProgramKind } from "../elf.ts";
import { scriptDepth } from "../look.ts";
import { protectionOf } from "./protection.ts";
import { chooseSlice, cutProgram } from "./slice.ts";

/** Part of a copy's key: changes when copies of the same program come out differently. */
const recipe = "1";

/** The system's part: other programs, and a file's flags. */
export interface System {
  /** Has the file SF_RESTRICTED? */
  isRestricted(path: string): Promise<boolean>;
  /** Signs it ad hoc; the reason when that fails. */
  sign(path: string): Promise<string | null>;
  machine: "x86_64" | "aarch64";
}

export const macos: System = {
  async isRestricted(path) {
    // "restricted,compressed", or "-" (stat(1), ls(1) -lO).
    const args = ["-f", "%Sf", path];
    const { stdout } = await new Deno.Command("/usr/bin/stat", { args, stdin: "null", stderr: "null" })
      .output();
    return new TextDecoder().decode(stdout).trim().split(",").includes("restricted");
  },
  async sign(path) {
    const command = new Deno.Command("/usr/bin/codesign", {
      args: ["--sign", "-", "--force", path],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    });
    try {
      const { success, stderr } = await command.output();
      return success ? null : new TextDecoder().decode(stderr).trim();
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  },
  machine: Deno.build.arch,
};

export class Copies implements Programs {
  readonly #options: ProgramsOptions;
  readonly #system: System;
  /** What was found of files that have not changed since. */
  readonly #known = new Map<string, { stamp: string; program: Promise<string> }>();

  constructor(options: ProgramsOptions, system: System = macos) {
    this.#options = options;
    this.#system = system;
  }

  /** Throws MirrordError (126) where the program cannot be started with the layer in it. */
  async prepare(path: string): Promise<Prepared> {
    return await this.#prepare(path, 0);
  }

  async #prepare(path: string, depth: number): Promise<Prepared> {
    const kind = await readProgramKind(path);
    if (kind.kind !== "script") return { path: await this.#program(path), words: [] };
    if (depth >= scriptDepth) return { path, words: [] }; // the kernel refuses it
    const { interpreter, argument } = kind;
    const words = [interpreter, ...(argument === "" ? [] : [argument]), path];
    const next = await this.#prepare(interpreter, depth + 1);
    if (next.path === interpreter) return { path, words: [] };
    return { path: next.path, words: next.words.length === 0 ? words : [...next.words, ...words.slice(1)] };
  }

  /** What to start in place of the program at `path`; itself where the layer gets in. */
  async #program(path: string): Promise<string> {
    const { size, mtime, ino } = await Deno.stat(path);
    const stamp = `${size} ${mtime?.getTime()} ${ino}`;
    const known = this.#known.get(path);
    if (known?.stamp === stamp) return await known.program;
    const program = this.#find(path);
    this.#known.set(path, { stamp, program });
    program.catch(() => this.#known.delete(path));
    return await program;
  }

  async #find(path: string): Promise<string> {
    // What is none, exec reports.
    if (!/^(cffaedfe|cafebab[ef])$/.test((await readHead(path)).toHex())) return path;
    const bytes = await Deno.readFile(path);
    const slices = readSlices(bytes);
    if (slices.length === 0) return path;
    const why = await this.#protection(path, bytes, slices);
    if (why === null) return path;
    if (!this.#options.skipped.has(basename(path))) return await this.#copy(path, { bytes, slices, why });
    log.warning(`"${path}" runs outside the pod: it ${why}, and skip_sip lists it`);
    return path;
  }

  /** Why it needs a copy, as a clause with "it …"; null: it does not. */
  async #protection(path: string, bytes: Uint8Array, slices: readonly Slice[]): Promise<string | null> {
    if (this.#options.always.some((end) => path === end || path.endsWith(`/${end}`))) {
      return "is in sip_binaries";
    }
    const restricted = await this.#system.isRestricted(path);
    for (const { offset, size } of slices) {
      const why = protectionOf(bytes.subarray(offset, offset + size), restricted);
      if (why !== null) return why;
    }
    return null;
  }

  async #copy(
    path: string,
    { bytes, slices, why }: { bytes: Uint8Array; slices: readonly Slice[]; why: string },
  ): Promise<string> {
    const slice = chooseSlice(slices, this.#system.machine);
    if (slice === null) {
      throw refused(path, why, "it has no part that a program of yours may be (arm64, x86_64)");
    }
    // Its own folder counts: paths that begin there become part of the copy.
    const key = createHash("sha256").update(`${recipe} ${slice.cpuType} ${path}\0`).update(bytes).digest(
      "hex",
    );
    const folder = `${this.#options.folder}/${key.slice(0, 32)}`;
    const copy = `${folder}/${basename(path)}`;
    if (await exists(copy)) return copy;
    let program: Uint8Array;
    try {
      program = cutProgram(bytes, slice, path);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw refused(path, why, error.message);
    }
    await makePrivate(this.#options.folder);
    const work = await Deno.makeTempDir({ dir: this.#options.folder, prefix: ".new-" });
    try {
      const made = `${work}/${basename(path)}`;
      await Deno.writeFile(made, program, { mode: 0o700 });
      const failure = await this.#system.sign(made);
      if (failure !== null) throw refused(path, why, `codesign cannot sign a copy (${failure})`);
      await Deno.rename(work, folder);
    } catch (error) {
      await Deno.remove(work, { recursive: true }).catch(() => {});
      if (!await exists(copy)) throw error; // otherwise another session was faster
    }
    log.debug(`"${path}" ${why}: it runs as ${copy}`);
    return copy;
  }
}

function refused(path: string, why: string, state: string): MirrordError {
  return new MirrordError(`Cannot run "${path}" with the layer: it ${why}, and ${state}`, {
    exitCode: exitCodes.notExecutable,
    help:
      "Use another build of this program, for example Homebrew's, or list its name in skip_sip: then it " +
      "runs outside the pod.",
  });
}

/** The folder, this user's alone. */
async function makePrivate(folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = await Deno.stat(folder);
  if (uid === Deno.uid() && ((mode ?? 0) & 0o022) === 0) return;
  throw new MirrordError(`Cannot keep copies of programs in "${folder}": others may write to it`, {
    exitCode: exitCodes.notExecutable,
    help: `Remove it, or change it: chmod go-w "${folder}".`,
  });
}

/** The first four bytes, which say what kind of file it is. */
async function readHead(path: string): Promise<Uint8Array> {
  using file = await Deno.open(path);
  const bytes = new Uint8Array(4);
  return bytes.subarray(0, await file.read(bytes) ?? 0);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
