// `mirrord fix kubeconfig`: makes relative paths in kubeconfig files absolute, so that they can be moved. It
// reads the files that every other command would; a file is replaced whole, or left as it is.

import { exitCodes, MirrordError } from "../core/base/errors.ts";
import { environment } from "../core/base/variables.ts";
import { absolutePaths } from "../core/kube/absolute_paths.ts";
import { kubeconfigNames } from "../core/kube/kubeconfig.ts";
import { unusable } from "../core/kube/kubeconfig_file.ts";
import type { FixCommand } from "./commands.ts";
import { printLine } from "./ui.ts";

/** Prints each value that changes. Throws MirrordError when a file cannot be read or written. */
export async function fix(command: FixCommand): Promise<number> {
  const { kubeconfig, dryRun = false } = command;
  const { names, isList } = kubeconfigNames({ kubeconfig, env: environment });
  let count = 0;
  for (const name of names) {
    const text = await read(name);
    if (text === undefined && isList) continue; // as kubectl does
    if (text === undefined) throw unusable(name, "there is no such file");
    count++;
    await fixOne(name, text, dryRun);
  }
  if (count > 0) return 0;
  throw unusable(names.join(":"), isList ? "no file of that list in KUBECONFIG exists" : "there is none");
}

async function fixOne(name: string, text: string, dryRun: boolean): Promise<void> {
  const { text: changed, changes } = await absolutePaths(name, text);
  if (changes.length === 0) return printLine(`${name}: no path in it is relative`);
  if (!dryRun) await replace(name, changed);
  const verb = dryRun ? "would become" : "is now";
  for (const { where, before, after } of changes) {
    printLine(`${name}: ${where}: "${before}" ${verb} "${after}"`);
  }
}

async function read(name: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(name);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw unusable(name, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** A link stays one; mode, owner and group stay the file's. */
async function replace(name: string, text: string): Promise<void> {
  let temporary: string | undefined;
  try {
    const path = await Deno.realPath(name);
    const { mode, uid, gid } = await Deno.stat(path);
    temporary = await Deno.makeTempFile({ dir: path.replace(/[^/]*$/, ""), prefix: ".mirrord-" }); // mode 0600
    await Deno.writeTextFile(temporary, text);
    const made = await Deno.stat(temporary);
    if (made.uid !== uid || made.gid !== gid) await Deno.chown(temporary, uid, gid);
    if (mode !== null) await Deno.chmod(temporary, mode & 0o7777);
    await Deno.rename(temporary, path);
  } catch (cause) {
    if (temporary !== undefined) await Deno.remove(temporary).catch(() => {}); // it was renamed, or is not ours
    const state = cause instanceof Error ? cause.message : String(cause);
    const isForbidden = cause instanceof Deno.errors.PermissionDenied;
    throw new MirrordError(`Cannot write "${name}": ${state}`, {
      exitCode: isForbidden ? exitCodes.permission : exitCodes.machine,
      help: "The file is unchanged.",
      cause,
    });
  }
}
