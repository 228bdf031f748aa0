// Debian packages: which programs the cluster needs from them, how those are
// installed without waking a service, and how the dependency closure of a
// package is unpacked into a folder that becomes an image.

import { join } from "node:path";
import { attempt, exists, findProgram, run } from "./command.ts";
import { parseUris, signedOnly } from "../../scripts/debian.ts";
import { checkFiles } from "../../scripts/tools.ts";
import { cacheDir } from "./layout.ts";

/** Program → the Debian package it comes from. */
const required: Record<string, string> = {
  "containerd": "containerd",
  "containerd-shim-runc-v2": "containerd",
  "ctr": "containerd",
  "runc": "runc",
  "etcd": "etcd-server",
  "iptables": "iptables",
  "ip6tables": "iptables",
  "conntrack": "conntrack",
  "ip": "iproute2",
  "socat": "socat",
  "openssl": "openssl",
  "nsenter": "util-linux",
  "mount": "mount",
  "tar": "tar",
};

const pluginDirs = ["/usr/lib/cni", "/opt/cni/bin"];

/** The folder of the CNI plugins, or null when none has the ones we configure. */
export async function cniPluginDir(): Promise<string | null> {
  for (const dir of pluginDirs) {
    const plugins = ["ptp", "host-local", "portmap", "loopback"].map((name) => exists(join(dir, name)));
    if ((await Promise.all(plugins)).every(Boolean)) return dir;
  }
  return null;
}

export async function missingPackages(): Promise<string[]> {
  const missing = new Set<string>();
  for (const [program, origin] of Object.entries(required)) {
    if (await findProgram(program) === null) missing.add(origin);
  }
  if (await cniPluginDir() === null) missing.add("containernetworking-plugins");
  return [...missing].sort();
}

export async function ensurePackages(): Promise<void> {
  const missing = await missingPackages();
  if (missing.length === 0) return;
  const command = `apt-get install --no-install-recommends ${missing.join(" ")}`;
  if (await findProgram("apt-get") === null) {
    throw new Error(
      `Cannot start the test cluster: programs are missing\n` +
        `Install what Debian calls ${missing.join(", ")} with this system's package tool.`,
    );
  }
  if (Deno.uid() !== 0) {
    throw new Error(`Cannot install packages: not root\nRun: sudo ${command}`);
  }
  await run([
    decodeURIComponent(new URL("../../scripts/install_packages.sh", import.meta.url).pathname),
    ...missing,
  ]);
  for (const unit of ["containerd", "etcd"]) {
    // Only what this call brought in: a service the user runs stays as it is.
    const fresh = missing.some((name) => name.startsWith(unit));
    if (fresh && await findProgram("systemctl") !== null) await attempt(["systemctl", "disable", unit]);
  }
}

/**
 * Does `work` while no other ./dev uses apt: `apt-get update` takes lists away before it has the new ones,
 * and a process that reads them meanwhile finds no packages. scripts/install_packages.sh takes the same lock.
 */
async function withApt<Result>(work: () => Promise<Result>): Promise<Result> {
  using file = await Deno.open("/run/mirrord-apt.lock", {
    read: true,
    append: true,
    create: true,
    mode: 0o600,
  });
  await file.lock(true);
  return await work();
}

/** Options that let apt resolve as if nothing were installed, without root. */
async function privateApt(): Promise<string[]> {
  const dir = cacheDir("apt");
  for (const archives of ["archives", "nothing"]) {
    await Deno.mkdir(join(dir, archives, "partial"), { recursive: true });
  }
  await Deno.writeTextFile(join(dir, "status"), "");
  return [
    `Dir::State::status=${join(dir, "status")}`,
    `Dir::Cache::archives=${join(dir, "archives")}`,
    "APT::Install-Recommends=false",
    "APT::Sandbox::User=root",
    "Debug::NoLocking=true",
    ...signedOnly,
  ].flatMap((option) => ["-o", option]);
}

/** `name=version` of each package as the package lists have it now. */
export async function candidateVersions(names: readonly string[]): Promise<Map<string, string>> {
  if (await findProgram("apt-cache") === null) {
    throw new Error("Cannot make the test images: apt-cache not found\nThey are made of Debian packages.");
  }
  return await withApt(async () => {
    const options = await privateApt();
    const show = ["apt-cache", ...options, "--no-all-versions", "show", ...names];
    const known = parseVersions((await attempt(show)).stdout);
    // A machine without lists knows what is installed on it, and that with a version of its own.
    if (names.every((name) => known.has(name))) return known;
    await run(["apt-get", "update"]);
    return parseVersions(await run(show));
  });
}

export function parseVersions(shown: string): Map<string, string> {
  const versions = new Map<string, string>();
  for (const paragraph of shown.split("\n\n")) {
    const name = paragraph.match(/^Package: (.+)$/m)?.[1];
    const version = paragraph.match(/^Version: (.+)$/m)?.[1];
    if (name !== undefined && version !== undefined) versions.set(name, version);
  }
  return versions;
}

/** Only for maintenance of an installed system; programs in an image do without. */
const maintenance =
  /^(gcc-.*-base|dpkg|tar|perl.*|libperl.*|.*-perl|usrmerge|init-system-helpers|sysvinit-utils|debconf|passwd|adduser|lsb-base|locales|libc-l10n|ucf|sensible-utils|ssl-cert|openssl|iproute2|libllvm.*|libz3-.*|libcap2-bin|libpam-modules.*|libsemanage.*|libsepol.*|libgdbm.*|libdb5.*|postgresql(-client)?-common)$/;

/** Never opened by a program under test. */
const unread = [
  "usr/share/doc",
  "usr/share/man",
  "usr/share/locale",
  "usr/share/lintian",
  "usr/share/bug",
  "usr/include",
];

/**
 * Downloads the named packages with all they depend on, and unpacks them into
 * `root`. No maintainer script runs: what they would do is in the recipes.
 */
export async function unpackClosure(names: readonly string[], root: string): Promise<void> {
  const uris = await withApt(async () => {
    const options = await privateApt();
    await run(["apt-get", ...options, "--yes", "-qq", "--download-only", "install", ...names]);
    // apt names only what it would still have to fetch, so it is shown an empty folder.
    const nothing = ["-o", `Dir::Cache::archives=${cacheDir("apt", "nothing")}`];
    return await run(["apt-get", ...options, ...nothing, "--print-uris", "-qq", "install", ...names]);
  });
  const wanted = parseUris(uris).filter(({ name }) => names.includes(name) || !maintenance.test(name));
  // Both halves of a merged /usr must land in one place.
  for (const dir of ["bin", "sbin", "lib", "lib64"]) {
    await Deno.mkdir(join(root, "usr", dir), { recursive: true });
    await Deno.symlink(join("usr", dir), join(root, dir));
  }
  const excludes = unread.flatMap((path) => [`--exclude=./${path}`]);
  const extract = ["tar", "-x", "-C", root, "--keep-directory-symlink", ...excludes].map(quote).join(" ");
  // apt looks at a package's size alone when its archive is there already.
  await checkFiles(wanted.map(({ file, sha256 }) => ({ path: cacheDir("apt", "archives", file), sha256 })));
  for (const { file } of wanted) {
    const archive = cacheDir("apt", "archives", file);
    await run(["bash", "-o", "pipefail", "-c", `dpkg-deb --fsys-tarfile ${quote(archive)} | ${extract}`]);
  }
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
