// The paths that are local, remote or absent without being configured: the original's lists for Linux. Called by
// policy.ts, and by policy_table.ts, which tells the layer the plain ones. Each entry has its test in policy_test.ts.

/** What of this machine decides besides the lists. */
export interface LocalPlaces {
  /** Where temporary files go. */
  temporary: string;
  /** Where the app starts; "/" counts as none. */
  workingDirectory: string;
  /** undefined: the user has none. */
  home: string | undefined;
}

/** Ends of names of program files: code comes from the developer's machine. */
export const localSuffixes = [
  ".so",
  ".sh",
  ".rb",
  ".d",
  ".pyc",
  ".py",
  ".jar",
  ".class",
  ".js",
  ".pth",
  ".plist",
  "venv.cfg",
  ".pdb",
  ".dll",
  "/jvm.cfg",
  "/package.json",
  "/.yarnrc",
  "/.yarnrc.yml",
  "/.yarnrc.json",
  "/.tool-versions",
] as const;

/** Kinds of files that are told by more than their end. */
export const localPatterns = ["clr-.*-pipe-", "/node_modules", ".+\\.asdf/.+", "^/$"] as const;

/** Directories that are local with all below them. */
export const localTrees = [
  "/proc",
  "/sys",
  "/lib",
  "/etc",
  "/usr",
  "/home",
  "/bin",
  "/sbin",
  "/dev",
  "/opt",
  "/tmp",
  "/var/tmp",
  "/var/db/timezone/zoneinfo",
  "/snap",
  "/run",
  "/selinux",
  "/nix",
  "/home/iojs",
  "/home/runner",
  "/Program Files",
] as const;

/** Files that tell about the target's network: remote for reading, before the local trees. */
export const remoteFiles = ["/etc/resolv.conf", "/etc/hosts", "/etc/hostname"] as const;
export const remoteTrees = ["/etc/ssl/certs"] as const;

/** Credentials of the developer that the app shall not use by mistake; below the home directory. */
export const absentTrees = ["/.config/gcloud", "/.kube", "/.azure"] as const;

/** `text` as a pattern that matches just it. */
export function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|\-#\s/]/g, (one) => one === "/" ? one : `\\${one}`);
}

/** The directory and all below it. */
export function tree(path: string): string {
  return `^${literal(path.replace(/\/+$/, ""))}(/|$)`;
}

/** Trees of this machine that are local. */
export function localPlaceTrees(places: LocalPlaces): string[] {
  return [places.temporary, places.workingDirectory].filter((path) => /^\/+[^/]/.test(path));
}

/**
 * The directories on the way to the app's own, and to the user's with that itself: programs look at each when they resolve
 * the path of their own code (Node does with its script and modules), and the target need not have them.
 */
export function leadingPaths({ workingDirectory, home }: LocalPlaces): string[] {
  const parent = workingDirectory.replace(/\/+[^/]*\/*$/, "");
  const leading = [parent, home ?? ""].flatMap((path) => {
    const parts = path.split("/").filter((part) => part !== "");
    return parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`);
  });
  return [...new Set(leading)];
}
