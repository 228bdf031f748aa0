// Which volume mounts of the target are read from it, wherever they are, and which stay by the other rules
// because they would cover what the developer's own programs need. Called by files_rules.ts; policy.ts
// decides by the outcome, policy_table.ts lets the layer ask about it. Invariant: no mount takes a system
// folder, a folder of PATH or a place of the developer's; case counts.

import { type LocalPlaces, remoteFiles } from "./policy_default.ts";

/** The outcome for one target. All paths are absolute and have no slash at the end. */
export interface Mounts {
  /** Files and folders that are read from the target, folders with all below them. */
  trees: readonly string[];
  /** Trees below those that are not: places of the developer's. */
  except: readonly string[];
  /**
   * Folders on the way to `trees` that are missing on this machine, or are links here: only the folder itself
   * is the target's.
   */
  leading: readonly string[];
  /** Mounts that the other rules decide about. */
  kept: readonly string[];
}

export interface MountPlaces extends LocalPlaces {
  /** Folders of programs: those of PATH, and the app's own. */
  programs: readonly string[];
  /** What this machine has at `path`. */
  kindOf: (path: string) => "nothing" | "link" | "other";
}

export const noMounts: Mounts = { trees: [], except: [], leading: [], kept: [] };

/** The kernel's: what is mounted in them is never read from the target. */
const kernelTrees = ["/proc", "/sys", "/dev"];

/**
 * Folders in which programs of this machine have something: a mount that is one, or holds one, is not taken.
 */
const systemFolders = [
  ...kernelTrees,
  "/bin",
  "/sbin",
  "/lib",
  "/lib32",
  "/lib64",
  "/libx32",
  "/usr/bin",
  "/usr/sbin",
  "/usr/lib",
  "/usr/lib32",
  "/usr/lib64",
  "/usr/libexec",
  "/usr/share",
  "/usr/local/bin",
  "/usr/local/lib",
  "/usr/local/sbin",
  "/usr/local/share",
  "/etc",
  "/home",
  "/nix/store",
  "/opt",
  "/run",
  "/snap",
  "/tmp",
  "/var/lock",
  "/var/run",
  "/var/tmp",
];

/** A link to /run on most machines, which not every target has so. */
const varRun = "/var/run";

/** Sorts the mount paths of the target's container. */
export function targetMounts(paths: readonly string[], places: MountPlaces): Mounts {
  const given = [...new Set(paths.map(normalized))].filter((path) => !isOneOf(path, remoteFiles));
  const own = [places.temporary, places.workingDirectory, places.home ?? "", ...places.mounted ?? []]
    .filter((path) => /^\/+[^/]/.test(path)).map(normalized);
  const programs = places.programs.filter((path) => path.startsWith("/")).map(normalized);
  const isTaken = (path: string) =>
    path !== "/" && !kernelTrees.some((tree) => isWithin(path, tree)) &&
    ![...systemFolders, ...programs].some((folder) => isWithin(folder, path)) && !own.includes(path);
  const taken = given.filter(isTaken);
  const trees = [...new Set(taken.flatMap((path) => [path, ...otherName(path)]))];
  return {
    trees,
    except: own.filter((path) => trees.some((tree) => isWithin(path, tree))),
    leading: [...new Set(trees.flatMap(ancestors))].filter((path) => {
      const kind = places.kindOf(path);
      return kind === "nothing" || (kind === "link" && (path === varRun || !systemFolders.includes(path)));
    }),
    kept: given.filter((path) => !isTaken(path)),
  };
}

/** The tree that `path` (absolute, no slash at the end) belongs to; undefined when it is no mount's. */
export function mountOf(path: string, { trees, except }: Mounts): string | undefined {
  const tree = trees.find((tree) => isWithin(path, tree));
  return tree !== undefined && except.some((own) => isWithin(path, own)) ? undefined : tree;
}

function isOneOf(path: string, list: readonly string[]): boolean {
  return list.includes(path);
}

function isWithin(path: string, tree: string): boolean {
  return path === tree || path.startsWith(`${tree}/`);
}

/** /var/run is a link to /run in nearly every image, and what is mounted at one is found at the other. */
function otherName(path: string): string[] {
  const run = /^(?:\/var)?\/run(\/.*)$/.exec(path)?.[1];
  return run === undefined ? [] : [`/run${run}`, `/var/run${run}`];
}

function ancestors(path: string): string[] {
  const parts = path.split("/").slice(1, -1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`);
}

/**
 * Without "." and "..", "//" and a slash at the end; what has no slash at its start is from the root (OCI
 * runtime spec).
 */
function normalized(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
