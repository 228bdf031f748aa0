// The paths that are local, remote or absent without being configured: upstream's lists for Linux, and the
// entries of policy_code.ts that are missing there. Called by policy.ts, and by policy_table.ts, which gives
// the layer the plain ones. Each entry has its test in policy_test.ts.

import { codePatterns, codeSuffixes } from "./policy_code.ts";

/** What of this machine decides besides the lists. */
export interface LocalPlaces {
  /** Where temporary files go. */
  temporary: string;
  /** Where the app starts; "/" counts as none. */
  workingDirectory: string;
  /** HOME; undefined: the user has none. */
  home: string | undefined;
  /** The user's home by passwd(5), which ssh, Java and others use instead of HOME. */
  accountHome?: string | undefined;
  /** Trees of this machine's system that no Linux has. */
  systemTrees?: readonly string[];
  /** Where the developer mounted something of this machine into the app's container. */
  mounted?: readonly string[];
  /** The app sees the target's network interfaces, in these files too. */
  interfaces?: boolean;
}

/** Ends of names of program files: code comes from the developer's machine. */
export const localSuffixes: readonly string[] = [
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
  ...codeSuffixes,
];

/** Kinds of files that are recognized by more than their end. */
export const localPatterns: readonly string[] = [
  "clr-.*-pipe-",
  "/node_modules",
  ".+\\.asdf/.+",
  "^/$",
  ...codePatterns,
];

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

/** Files about the target's network: remote for reading, before the local trees. */
export const remoteFiles = ["/etc/resolv.conf", "/etc/hosts", "/etc/hostname"] as const;
export const remoteTrees = ["/etc/ssl/certs"] as const;

/** Files of the kernel about network interfaces, their addresses and routes. */
export const interfaceFiles = [
  "arp",
  "dev",
  "dev_mcast",
  "fib_trie",
  "if_inet6",
  "igmp",
  "igmp6",
  "ipv6_route",
  "route",
]
  .map((name) => `/proc/net/${name}`);
export const interfaceTrees = ["/sys/class/net", "/sys/devices/virtual/net"] as const;

/** What is remote for reading, before the local trees. */
export function remotePlaces({ interfaces = false }: LocalPlaces): { files: string[]; trees: string[] } {
  return {
    files: [...remoteFiles, ...(interfaces ? interfaceFiles : [])],
    trees: [...remoteTrees, ...(interfaces ? interfaceTrees : [])],
  };
}

/** Credentials of the developer that the app must not use by mistake; below the home directory. */
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
  const { temporary, workingDirectory, systemTrees = [], mounted = [] } = places;
  const own = [temporary, workingDirectory, ...systemTrees, ...mounted];
  return own.filter((path) => /^\/+[^/]/.test(path));
}

/** The user's homes: settings below them, which begin with a dot, are this machine's. "/" counts as none. */
export function homesOf({ home, accountHome }: LocalPlaces): string[] {
  const homes = [home, accountHome].filter((path) => path !== undefined && /^\/+[^/]/.test(path));
  return [...new Set(homes as string[])];
}

/**
 * The directories on the way to the app's own, and to the user's with that itself: programs look at each when
 * they resolve the path of their own code (Node does with its script and modules), and the target need not
 * have them.
 */
export function leadingPaths({ workingDirectory, home, accountHome }: LocalPlaces): string[] {
  return [
    ...new Set([
      ...foldersAbove(workingDirectory),
      ...foldersTo(home ?? ""),
      ...foldersTo(accountHome ?? ""),
    ]),
  ];
}

/** The folders that lead to `path`, without the root. */
export function foldersAbove(path: string): string[] {
  return foldersTo(path.replace(/\/+[^/]*\/*$/, ""));
}

function foldersTo(path: string): string[] {
  const parts = path.split("/").filter((part) => part !== "");
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`);
}
