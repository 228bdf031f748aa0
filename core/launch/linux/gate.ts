// Stops the app where the dynamic linker is done and its own code begins, and lets it go on only with the
// layer in its memory. Called by launch.ts. It finds what the program's file does not show: file
// capabilities, a security module, a linker that loads nothing, a library that this machine's C library does
// not accept.

import { exitCodes, MirrordError } from "../../base/errors.ts";
import { log } from "../../base/log.ts";
import { pause } from "../../base/pause.ts";
import { Child } from "../../net/linux/child.ts";
import type { ChildOptions } from "../../net/platform.ts";
import { E, SystemError } from "../../net/system_error.ts";
import { Traced } from "../../net/linux/traced.ts";
import { AT_BASE, AT_ENTRY, AT_SECURE, auxiliary, hasMapped, hasMappedLibc, isStopped } from "./image.ts";

/** How long a program that cannot be traced may take to load the layer, in looks and between them. */
const looks = 2000;
const lookMilliseconds = 1;

/**
 * Starts the app with the layer at `layerPath`, which its variables name; `began` gets the child before it
 * runs. Resolves with it when the layer is in it, or it ended. Throws MirrordError (126) when the layer is
 * not: then it has been killed.
 */
export async function startGated(
  layerPath: string,
  options: ChildOptions,
  began: (child: Child) => void,
): Promise<Child> {
  const traced = await startTraced(layerPath, options, began);
  if (traced === null) return await startWatched(layerPath, options, began);
  const { child } = traced;
  for (let state = "another"; state === "another";) {
    const { pid } = child;
    const vector = auxiliary(pid);
    if (child.hasEnded) return child;
    if (vector.get(AT_SECURE) === 1n) {
      await traced.kill();
      throw withRights(options.program);
    }
    const entry = vector.get(AT_ENTRY);
    // Without a base it is the dynamic linker itself, which was called to run the app: its entry comes before
    // the libraries.
    state = entry === undefined || vector.get(AT_BASE) === 0n
      ? await runToLibraries(traced, layerPath)
      : await traced.runTo(entry);
    if (state === "gone") return child.hasEnded ? child : await watched(layerPath, child, options);
    if (state === "there" && !hasMapped(pid, layerPath)) {
      await traced.kill();
      throw withoutLayer(options.program);
    }
  }
  traced.letGo();
  return child;
}

/**
 * Until the layer is mapped, or would have been: what a variable names comes before the C library (ld.so(8)).
 */
async function runToLibraries(traced: Traced, layerPath: string): Promise<"there" | "another" | "gone"> {
  const { pid } = traced.child;
  for (;;) {
    const state = await traced.runToCall();
    if (state !== "there" || hasMapped(pid, layerPath) || hasMappedLibc(pid)) return state;
  }
}

/** null: this process may not trace, or run the layer's file as a program. */
async function startTraced(
  layerPath: string,
  options: ChildOptions,
  began: (child: Child) => void,
): Promise<Traced | null> {
  try {
    return await Traced.start(layerPath, options, began);
  } catch (error) {
    if (!(error instanceof SystemError) || error.call !== "posix_spawn") throw error;
    if (error.errno !== E.EACCES && error.errno !== E.EPERM && error.errno !== E.ENOEXEC) throw error;
    return null;
  }
}

/** Where it cannot be held it is looked at as soon as it runs. */
async function startWatched(
  layerPath: string,
  options: ChildOptions,
  began: (child: Child) => void,
): Promise<Child> {
  log.debug("The app cannot be traced, so it is checked while it starts");
  const child = new Child(options);
  began(child);
  return await watched(layerPath, child, options);
}

async function watched(layerPath: string, child: Child, { program }: ChildOptions): Promise<Child> {
  const { pid } = child;
  for (let look = 0; look < looks && !child.hasEnded;) {
    if (auxiliary(pid).get(AT_SECURE) === 1n) {
      await kill(child);
      throw withRights(program);
    }
    if (hasMapped(pid, layerPath)) return child;
    if (!isStopped(pid)) look++;
    await pause(lookMilliseconds, undefined);
  }
  if (child.hasEnded) {
    log.warning(`Cannot verify that "${program}" ran in the session: it ended too soon`);
    return child;
  }
  await kill(child);
  throw withoutLayer(program);
}

async function kill(child: Child): Promise<void> {
  Deno.kill(child.pid, "SIGKILL");
  await child.code;
}

function withRights(program: string): MirrordError {
  return new MirrordError(
    `Cannot run "${program}": it was given capabilities, so the dynamic linker loads nothing into it`,
    {
      exitCode: exitCodes.notExecutable,
      help: "Run a copy of it: a copy has no file capabilities (getcap FILE shows them).",
    },
  );
}

function withoutLayer(program: string): MirrordError {
  return new MirrordError(
    `Cannot run "${program}": the dynamic linker did not load mirrord's library into it, so it would run outside the pod`,
    {
      exitCode: exitCodes.notExecutable,
      help:
        "The dynamic linker's own line above gives the reason. If there is none, look for a security module that " +
        "confines this program (AppArmor, SELinux: journalctl -k), or for a dynamic linker of its own (readelf -l).",
    },
  );
}
