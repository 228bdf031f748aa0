// `mirrord upgrade`: replaces the program's own file by the newest release, or only says whether there is one
// (--check). The new file is written beside the old one, verified, started once, and renamed over it: at
// every moment the name is that of a whole program, and sessions that run keep the old one.

import { exitCodes, MirrordError } from "../core/base/errors.ts";
import { beginStep } from "../core/base/progress.ts";
import { mirrordVersion } from "../core/base/version.ts";
import { interruptible } from "../core/launch/interrupts.ts";
import type { UpgradeCommand } from "./commands.ts";
import { downloadVerified, newestRelease, type Release } from "./newest_release.ts";
import { type Origin, origin } from "./origin.ts";
import { printLine } from "./ui.ts";

/** A package manager, and what a path of it or its answer looks like. */
interface PackageManager {
  name: string;
  path?: RegExp;
  /** Ends with 0 for a file of a package. */
  query?: string[];
  upgrade: string;
}

const packageManagers: PackageManager[] = [
  { name: "Homebrew", path: /\/Cellar\//, upgrade: "brew upgrade mirrord" },
  { name: "Nix", path: /^\/nix\/store\//, upgrade: "nix profile upgrade mirrord" },
  {
    name: "dpkg",
    query: ["dpkg-query", "--search"],
    upgrade: "sudo apt install ./FILE.deb, with the package of the new release",
  },
  {
    name: "rpm",
    query: ["rpm", "--query", "--file"],
    upgrade: "sudo rpm --upgrade FILE.rpm, with the package of the new release",
  },
];

/** What is replaced, by what and from where; tests give their own. */
export interface Upgrade {
  file: string;
  version: string;
  origin: Origin;
  check: boolean;
}

/** Replaces this program's file, or says what it would do. */
export async function upgrade({ check }: UpgradeCommand): Promise<number> {
  if (!Deno.build.standalone) {
    throw new MirrordError('Cannot upgrade "mirrord": it runs from its sources', {
      exitCode: exitCodes.unavailable,
      help: "Update the sources with git.",
    });
  }
  printLine(
    await performUpgrade({
      file: Deno.execPath(),
      version: mirrordVersion,
      origin: origin(),
      check: check === true,
    }),
  );
  return 0;
}

/** Does it; returns a sentence about what was done or found. */
export async function performUpgrade({ file, version, origin, check }: Upgrade): Promise<string> {
  if (origin.publicKey === "") {
    throw new MirrordError('Cannot upgrade "mirrord": this build knows no key by which releases are signed', {
      exitCode: exitCodes.unavailable,
      help: `Install a release: ${origin.homepage}`,
    });
  }
  const owner = await ownerOf(file);
  if (owner !== undefined && !check) {
    throw new MirrordError(`Cannot replace "${file}": it belongs to ${owner.name}`, {
      exitCode: exitCodes.permission,
      help: `Use: ${owner.upgrade}`,
    });
  }
  using interrupt = interruptible();
  const { signal } = interrupt;
  try {
    using step = beginStep("Looking for the newest release", { slow: true });
    const release = await newestRelease(origin, signal);
    step.done(`The newest release is ${release.version}`);
    if (!isNewer(release.version, version)) return `mirrord ${version} is the newest release`;
    if (check) {
      return `mirrord ${release.version} can be installed with: ${
        owner?.upgrade ?? "mirrord upgrade"
      } (this is ${version})`;
    }
    await replace(file, { release, origin, signal });
    return `mirrord ${version} was replaced by ${release.version}: ${file}`;
  } catch (error) {
    if (error !== signal.reason || !(error instanceof MirrordError)) throw error;
    throw new MirrordError(`Cannot upgrade "${file}": interrupted; it is unchanged`, {
      exitCode: error.exitCode,
    });
  }
}

/** What owns the file, if any does. */
async function ownerOf(file: string): Promise<PackageManager | undefined> {
  for (const manager of packageManagers) {
    if (manager.path?.test(file)) return manager;
    const [program, ...args] = manager.query ?? [];
    if (program !== undefined && await succeeds(program, [...args, file])) return manager;
  }
  return undefined;
}

async function succeeds(program: string, args: string[]): Promise<boolean> {
  try {
    const options = { args, stdin: "null", stdout: "null", stderr: "null" } as const;
    return (await new Deno.Command(program, options).output()).success;
  } catch {
    return false; // it is not installed
  }
}

async function replace(
  file: string,
  { release, origin, signal }: { release: Release; origin: Origin; signal: AbortSignal },
): Promise<void> {
  const name = `mirrord-${Deno.build.os === "darwin" ? "macos" : Deno.build.os}-${Deno.build.arch}`;
  const mode = await modeOf(file);
  const part = await temporaryBeside(file);
  await using stack = new AsyncDisposableStack();
  // Renamed by then, or of no use.
  stack.defer(() => Deno.remove(part).catch(() => {}));
  {
    using to = await Deno.open(part, { write: true });
    using step = beginStep(`Downloading mirrord ${release.version}`, { slow: true });
    await downloadVerified(release, { name, to, origin, signal });
    await to.sync();
    step.done("Verified: signature and checksum");
  }
  await Deno.chmod(part, mode & 0o777);
  await start(part);
  signal.throwIfAborted();
  await Deno.rename(part, file);
}

async function modeOf(file: string): Promise<number> {
  try {
    return (await Deno.stat(file)).mode ?? 0o755;
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new MirrordError(`Cannot replace "${file}": it is not there any more`, {
      exitCode: exitCodes.unavailable,
      help: "It was replaced or removed while this ran. See: mirrord --version",
      cause,
    });
  }
}

async function temporaryBeside(file: string): Promise<string> {
  const dir = file.slice(0, file.lastIndexOf("/")) || "/";
  try {
    return await Deno.makeTempFile({ dir, prefix: ".mirrord-upgrade." });
  } catch (cause) {
    if (!(cause instanceof Deno.errors.PermissionDenied)) throw cause;
    throw new MirrordError(`Cannot replace "${file}": you may not write to its folder`, {
      exitCode: exitCodes.permission,
      help: `Run: sudo ${file} upgrade`,
      cause,
    });
  }
}

/** Throws when the new program does not run on this machine. */
async function start(file: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(file, { args: ["--version"], stdin: "null" }).output();
  if (success) return;
  throw new MirrordError(
    "Cannot start the new release: it does not run on this machine; nothing was changed",
    {
      exitCode: exitCodes.unavailable,
      cause: new Error(new TextDecoder().decode(stderr).trim()),
    },
  );
}

/**
 * By semantic versioning: a release is newer than its own pre-releases, and these follow their dotted parts.
 */
export function isNewer(one: string, other: string): boolean {
  const [a, b] = [one, other].map((version) => {
    const [numbers = "", ...pre] = version.replace(/\+.*$/, "").split("-");
    return { numbers: numbers.split("."), pre: pre.join("-") };
  });
  if (a === undefined || b === undefined) return false;
  const byNumbers = compareParts(a.numbers, b.numbers);
  if (byNumbers !== 0) return byNumbers > 0;
  if (a.pre === "" || b.pre === "") return a.pre === "" && b.pre !== "";
  return compareParts(a.pre.split("."), b.pre.split(".")) > 0;
}

function compareParts(a: string[], b: string[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const [x, y] = [a[index], b[index]];
    if (x === undefined || y === undefined) return x === undefined ? -1 : 1;
    if (x === y) continue;
    const [isX, isY] = [/^\d+$/.test(x), /^\d+$/.test(y)];
    if (isX && isY) return Number(x) - Number(y);
    if (isX !== isY) return isX ? -1 : 1;
    return x < y ? -1 : 1;
  }
  return 0;
}
