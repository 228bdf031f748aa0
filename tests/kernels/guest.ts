// What a test machine is made of: a kernel of Debian's with the few modules that the tests need, and a root
// file system of Debian's packages with the project's Deno, all kept in the cache under what they are made
// of. To that comes, for each run, what is tested: the compiled program and the test files. Used by
// machine.ts.

import { createHash } from "node:crypto";
import { debianSources, fetchDebs } from "../../scripts/debian_fetch.ts";
import { exists, root } from "../../scripts/step.ts";
import { pinKey, unpackWheel } from "../../scripts/tools.ts";
import { run } from "../cluster/command.ts";
import { Cpio } from "./cpio.ts";

/** A kernel: the metapackage of a Debian release that brings its newest one. */
export interface Kernel {
  /** As the tests name it. */
  name: string;
  architecture: "amd64" | "arm64";
  release: string;
  metapackage: string;
}

/** Architectures as Deno names them. */
const machines = { amd64: "x86_64", arm64: "aarch64" } as const;
const guestRelease = "bookworm";
const guestPackages = [
  ...[
    "busybox",
    "coreutils",
    "dash",
    "iproute2",
    "libcap2-bin",
    "mount",
    "procps",
    "python3",
    "util-linux",
    "curl",
  ],
];
/** Of what those depend on: what only an installed system needs. */
const maintenance =
  /^(gcc-.*-base|dpkg|tar|perl.*|debconf.*|cdebconf|libdebian.*|passwd|adduser|media-types|readline-common|libdb5.*|libpam-(modules|runtime).*|libsemanage.*|libsepol.*|libtirpc-common|krb5-locales|publicsuffix|ca-certificates|openssl|libaudit-common|debianutils)$/;
const unread =
  /^usr\/(share\/(doc|man|locale|lintian|bug|info|bash-completion|zsh|perl5|doc-base)|include|lib\/python3\.\d+\/(test|idlelib|lib2to3|distutils|ensurepip|pydoc_data|tkinter|turtledemo))(\/|$)/;
/** Modules that the tests need, where the kernel does not have them built in; in the order of loading. */
const wantedModules = ["inet_diag", "tcp_diag", "udp_diag", "unix_diag", "veth", "llc", "stp", "bridge"];

/** Where kernels, root file systems and what the machines said lie: outside the repository. */
export function cacheFolder(): string {
  const cache = Deno.env.get("MIRRORD_CACHE") ?? `${Deno.env.get("HOME") ?? "/root"}/.cache/mirrord-dev`;
  return `${cache}/kernels`;
}

function keyOf(...given: unknown[]): string {
  return createHash("sha256").update(JSON.stringify(given)).digest("hex").slice(0, 16);
}

/** Why no test machine can be made here; null when one can. */
export async function missingForGuests(): Promise<string | null> {
  for (const program of ["qemu-system-x86_64", "qemu-system-aarch64", "xz"]) {
    if (!exists(`/usr/bin/${program}`)) return `${program} is not installed`;
  }
  return await debianSources([guestRelease]) === null ? "this machine's apt knows no mirror of Debian" : null;
}

/** A fetched kernel: its image, its release, and its modules in the order of loading. */
export interface FetchedKernel {
  image: string;
  release: string;
  modules: { name: string; bytes: Uint8Array }[];
}

/** Fetches the newest kernel that `kernel` names, once a day at most. */
export async function fetchKernel(kernel: Kernel): Promise<FetchedKernel> {
  const sources = await debianSources([kernel.release]);
  if (sources === null) throw new Error("this machine's apt knows no mirror of Debian");
  const folder = `${cacheFolder()}/${kernel.metapackage}-${keyOf(kernel, sources)}`;
  const debs = await fetchDebs(folder, {
    architecture: kernel.architecture,
    packages: [kernel.metapackage],
    sources,
    closure: (name) => /^linux-image-\d/.test(name),
  });
  const tree = `${folder}/tree`;
  if (!exists(tree)) await appear(tree, (work) => unpack(debs, work));
  const [image] = [...Deno.readDirSync(`${tree}/boot`)].filter(({ name }) => name.startsWith("vmlinuz-"));
  if (image === undefined) throw new Error(`Cannot boot "${kernel.name}": its package has no kernel`);
  const release = image.name.slice("vmlinuz-".length);
  const modules: FetchedKernel["modules"] = [];
  for (const name of wantedModules) {
    const found = findModule(`${tree}/usr/lib/modules/${release}/kernel`, name);
    if (found === null) continue;
    const { stdout } = found.endsWith(".xz")
      ? await new Deno.Command("xz", { args: ["-dc", found] }).output()
      : { stdout: Deno.readFileSync(found) };
    modules.push({ name, bytes: stdout });
  }
  return { image: `${tree}/boot/${image.name}`, release, modules };
}

function findModule(folder: string, name: string): string | null {
  for (const entry of Deno.readDirSync(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isFile && (entry.name === `${name}.ko` || entry.name === `${name}.ko.xz`)) return path;
    const found = entry.isDirectory ? findModule(path, name) : null;
    if (found !== null) return found;
  }
  return null;
}

/** The archive of the root file system without what is tested. */
async function baseArchive(architecture: Kernel["architecture"]): Promise<string> {
  const sources = await debianSources([guestRelease]);
  if (sources === null) throw new Error("this machine's apt knows no mirror of Debian");
  const packages = `${cacheFolder()}/guest-${architecture}-${
    keyOf(guestPackages, maintenance.source, sources)
  }`;
  const debs = await fetchDebs(packages, {
    architecture,
    packages: guestPackages,
    sources,
    closure: (name) => !maintenance.test(name),
  });
  const deno = `deno==2.6.10`;
  const archive = `${packages}/${
    keyOf(debs, await pinKey([deno]), unread.source, Deno.readTextFileSync(import.meta.filename ?? ""))
  }.cpio`;
  if (exists(archive)) return archive;
  const folder = Deno.makeTempDirSync({ prefix: "mirrord-guest-" });
  try {
    await unpack(debs, `${folder}/tree`);
    await unpackWheel(deno, `${folder}/deno`, machines[architecture]);
    const cpio = new Cpio(`${folder}/archive`);
    cpio.tree(`${folder}/tree`, "", (path) => unread.test(path));
    for (const place of ["dev", "proc", "sys", "run", "mnt", "root", "var/tmp"]) cpio.folder(place);
    cpio.folder("tmp", 0o1777);
    const text = (path: string, content: string) => cpio.file(path, new TextEncoder().encode(content));
    text("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n");
    text("etc/group", "root:x:0:\nnogroup:x:65534:\n");
    text("etc/hosts", "127.0.0.1 localhost\n::1 localhost ip6-localhost\n");
    text("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n");
    cpio.file("usr/bin/deno", Deno.readFileSync(`${folder}/deno/deno-2.6.10.data/scripts/deno`), 0o755);
    cpio.close();
    Deno.copyFileSync(`${folder}/archive`, `${archive}.new`);
    Deno.renameSync(`${archive}.new`, archive);
    return archive;
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Unpacks packages into a tree whose /bin, /sbin and /lib are links into /usr. */
async function unpack(debs: string[], tree: string): Promise<void> {
  for (const name of ["bin", "sbin", "lib", "lib64"]) {
    Deno.mkdirSync(`${tree}/usr/${name}`, { recursive: true });
    Deno.symlinkSync(`usr/${name}`, `${tree}/${name}`);
  }
  for (const deb of debs) {
    await run([
      "sh",
      "-c",
      'dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --keep-directory-symlink',
      "sh",
      deb,
      tree,
    ]);
  }
}

/** Makes `folder` by `make`, whole or not at all. */
async function appear(folder: string, make: (work: string) => Promise<void>): Promise<void> {
  const work = `${folder}.${crypto.randomUUID()}`;
  Deno.mkdirSync(work, { recursive: true });
  await make(work);
  try {
    Deno.renameSync(work, folder);
  } catch (error) {
    Deno.removeSync(work, { recursive: true });
    if (!exists(folder)) throw error;
  }
}

/** What is built of the project's own and tested, or read by tests, beside what git knows. */
const built = [
  ...["agent/sys/steal.bpf.bin", "agent/sys/mirror.bpf.bin", "protocol-wasm/protocol.wasm"],
  ...["x86_64", "aarch64"].map((machine) => `core/net/seal_linux_${machine}.so`),
];
/** What no test in a machine reads. */
const leftOut =
  /^(docs|bench|\.\w+|layer|tests\/(cluster\/(hyperkube|coredns)|support\/locks|apps\/go_\w+))\/|\.md$|^deno\.(json|lock)$/;

/**
 * Writes the whole archive for `kernel` to `path`: the base, the modules, the program and the tests, and
 * `script`, which the machine runs.
 */
export async function writeArchive(
  path: string,
  kernel: Kernel,
  fetched: FetchedKernel,
  script: string,
): Promise<void> {
  const base = await baseArchive(kernel.architecture);
  const machine = machines[kernel.architecture];
  const cpio = new Cpio(`${path}.top`);
  const encoder = new TextEncoder();
  for (const { name, bytes } of fetched.modules) cpio.file(`modules/${name}.ko`, bytes);
  cpio.file("init", Deno.readFileSync(new URL("init.sh", import.meta.url)), 0o755);
  cpio.file("modules/order", encoder.encode(fetched.modules.map(({ name }) => `${name}\n`).join("")));
  cpio.file("cases.sh", encoder.encode(script));
  const known = await run(["git", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard"]);
  const paths = known.split("\n").filter((path) => path !== "" && !leftOut.test(path) && exists(root + path));
  for (const path of [...paths, ...built]) {
    cpio.file(`repo/${path}`, Deno.readFileSync(root + path), path.endsWith(".sh") ? 0o755 : 0o644);
  }
  // Without the packages that only the compiled program needs, which it has.
  const { version, unstable } = JSON.parse(Deno.readTextFileSync(`${root}deno.json`));
  cpio.file("repo/deno.json", encoder.encode(JSON.stringify({ version, unstable })));
  const program = `dist/mirrord-linux-${machine}`;
  cpio.file(`repo/${program}`, Deno.readFileSync(root + program), 0o755);
  cpio.close();
  await run(["sh", "-c", 'cat "$1" "$2.top" >"$2" && rm "$2.top"', "sh", base, path]);
}
