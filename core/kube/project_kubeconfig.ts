// What a kubeconfig that a project's file names would have run, or sent, if it were simply used. Called by
// cmd/trust.ts before anything is: the author of the folder may have written the kubeconfig too.

import { dirname, join } from "node:path";
import { absolute, chooseContext, type Entry, type KubeOptions } from "./kubeconfig.ts";
import { isTable, textOf } from "./kubeconfig_file.ts";

/** What it would do, one phrase each ("runs …"), and the files that decide it. */
export interface KubeconfigReach {
  does: string[];
  files: string[];
  /** The server, where it is the folder that names it. */
  server: string | undefined;
}

/** Keys of a user that name a file whose content reaches the server. */
const sentFiles = ["tokenFile", "client-certificate", "client-key"];

/**
 * Looks at the context that `options` mean; `folder` is the project's, whose own files it may send. Throws
 * KubeError.
 */
export async function reachOfKubeconfig(options: KubeOptions, folder: string): Promise<KubeconfigReach> {
  const chosen = await chooseContext(options);
  const { user, cluster } = chosen ?? {};
  const server = textOf(cluster?.body ?? {}, "server") ?? "";
  const isOwn = cluster !== undefined && placeOf(folder, cluster.file) !== "outside";
  const reach: KubeconfigReach = { does: [], files: [], server: isOwn ? server : undefined };
  for (const file of new Set([user?.file, cluster?.file])) if (file !== undefined) reach.files.push(file);
  if (user === undefined) return reach;
  const { exec } = user.body;
  if (isTable(exec)) addPlugin(reach, user, exec);
  if (placeOf(folder, user.file) === "outside") return reach; // it is the user's own: what it sends it sends anyway
  for (const key of sentFiles) {
    const path = textOf(user.body, key);
    if (path === undefined) continue;
    const file = absolute(user.file, path);
    if (placeOf(folder, file) === "inside") reach.files.push(file);
    else reach.does.push(`logs in at "${server}" with your file "${file}"`);
  }
  return reach;
}

function addPlugin(reach: KubeconfigReach, { file }: Entry, exec: Record<string, unknown>): void {
  const command = textOf(exec, "command") ?? "";
  const args = Array.isArray(exec["args"]) ? exec["args"].map(String) : [];
  reach.does.push(`runs "${[command, ...args].join(" ")}" on this machine to log in to the cluster`);
  reach.files.push(
    ...[command, ...args].filter((word) => word.includes("/")).map((word) =>
      word.startsWith("/") ? word : join(dirname(file), word)
    ),
  );
}

/**
 * Where `path` lies, wherever links lead; "unknown" of what is not there, or has a name that is not UTF-8.
 */
function placeOf(folder: string, path: string): "inside" | "outside" | "unknown" {
  try {
    return `${Deno.realPathSync(path)}/`.startsWith(`${Deno.realPathSync(folder)}/`) ? "inside" : "outside";
  } catch {
    return "unknown";
  }
}
