// The agent image's base layer: the dynamic linker and the C library that the compiled binary asks for, out of Debian's
// packages for any architecture, fetched with apt's own client into private directories. Called by build_image.ts.
// The host's apt configuration and package state stay as they are.

import { createHash } from "node:crypto";
import { exists } from "../../scripts/step.ts";

/** What stands in a layer. Paths have no leading slash. */
export type BaseFile =
  | { type: "file"; path: string; mode: number; bytes: Uint8Array }
  | { type: "symlink"; path: string; mode: number; target: string }
  | { type: "directory"; path: string; mode: number };

const packages = ["libc6", "libgcc-s1"];
/** The libraries named in the binary's dynamic section (`readelf -d`), and what these need. */
const libraries =
  /^(ld-linux-[\w-]+\.so\.\d+|ld-\d.*\.so|lib(c|m|dl|rt|pthread|gcc_s|nss_files|nss_dns|resolv)\.so\.\d+)$/;

/** Is this a machine with Debian's package tools? */
export function hasPackageTools(): boolean {
  return ["/usr/bin/apt-get", "/usr/bin/dpkg-deb"].every(exists);
}

/** The base layer's files for `architecture` ("amd64", "arm64"). Fetches the packages once per release and cache. */
export async function baseFiles(architecture: string): Promise<BaseFile[]> {
  const debs = await fetchPackages(architecture);
  const folder = Deno.makeTempDirSync();
  try {
    for (const deb of debs) await run(["dpkg-deb", "-x", deb, folder]);
    const files = collect(folder, "");
    return [{ type: "directory", path: "tmp", mode: 0o1777 }, ...linkerLink(architecture, files), ...files];
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Where a program of each architecture looks for its dynamic linker (System V ABI supplements). */
const linkers: Record<string, string> = {
  amd64: "lib64/ld-linux-x86-64.so.2",
  arm64: "lib/ld-linux-aarch64.so.1",
};

/** A link from that place to where the package has it; packages of newer releases keep all under usr. */
function linkerLink(architecture: string, files: BaseFile[]): BaseFile[] {
  const place = linkers[architecture];
  if (place === undefined) {
    throw new Error(`Cannot build an image for "${architecture}": its dynamic linker is not known`);
  }
  if (files.some(({ path }) => path === place)) return [];
  const name = place.replace(/^.*\//, "");
  const found = files.find(({ path }) => path.endsWith(`/${name}`));
  if (found === undefined) {
    throw new Error(`Cannot build an image for "${architecture}": libc6 has no "${name}"`);
  }
  return [{ type: "symlink", path: place, mode: 0o777, target: `/${found.path}` }];
}

function collect(folder: string, prefix: string): BaseFile[] {
  const entries = [...Deno.readDirSync(`${folder}/${prefix}`)].sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry): BaseFile[] => {
    const path = prefix === "" ? entry.name : `${prefix}/${entry.name}`;
    if (entry.isDirectory) return collect(folder, path);
    const licence = entry.isFile && entry.name === "copyright";
    if ((!libraries.test(entry.name) && !licence) || path.startsWith("lib64/")) return [];
    if (entry.isSymlink) {
      return [{ type: "symlink", path, mode: 0o777, target: Deno.readLinkSync(`${folder}/${path}`) }];
    }
    return [{
      type: "file",
      path,
      mode: licence ? 0o644 : 0o755,
      bytes: Deno.readFileSync(`${folder}/${path}`),
    }];
  });
}

/** Paths of the downloaded packages; kept in the cache under the names that apt gives, versions included. */
async function fetchPackages(architecture: string): Promise<string[]> {
  const cache = `${cacheFolder()}/agent-image/${architecture}`;
  const key = `${cache}/${
    createHash("sha256").update(`${packages} ${await release()}`).digest("hex").slice(0, 16)
  }`;
  if (!exists(`${key}/complete`)) {
    for (const folder of ["state/lists/partial", "cache/archives/partial", "debs"]) {
      Deno.mkdirSync(`${key}/${folder}`, { recursive: true });
    }
    Deno.writeTextFileSync(`${key}/state/status`, "");
    const options = [
      `APT::Architecture=${architecture}`,
      `APT::Architectures=${architecture}`,
      `Dir::State=${key}/state`,
      `Dir::State::status=${key}/state/status`,
      `Dir::Cache=${key}/cache`,
      "APT::Sandbox::User=root",
      "Acquire::Languages=none",
    ].flatMap((option) => ["-o", option]);
    await run(["apt-get", ...options, "update", "-q"]);
    await run(["apt-get", ...options, "download", "-q", ...packages], `${key}/debs`);
    Deno.removeSync(`${key}/state`, { recursive: true });
    Deno.removeSync(`${key}/cache`, { recursive: true });
    Deno.writeTextFileSync(`${key}/complete`, "");
  }
  return [...Deno.readDirSync(`${key}/debs`)].map((entry) => `${key}/debs/${entry.name}`).sort();
}

/** The distribution's release: another one has another C library. */
async function release(): Promise<string> {
  return await Deno.readTextFile("/etc/os-release");
}

function cacheFolder(): string {
  return Deno.env.get("MIRRORD_CACHE") ?? `${Deno.env.get("HOME") ?? "/root"}/.cache/mirrord-dev`;
}

async function run(argv: string[], cwd?: string): Promise<void> {
  const [program = "", ...args] = argv;
  const { success, stderr } = await new Deno.Command(program, {
    args,
    ...(cwd === undefined ? {} : { cwd }),
    stdout: "null",
  })
    .output();
  if (!success) throw new Error(`Cannot run "${argv.join(" ")}": ${new TextDecoder().decode(stderr).trim()}`);
}
