// The agent image's base layer: the dynamic linker and the C library that the compiled binary asks for, out
// of Debian's packages for any architecture, fetched with apt's own client into private directories. Called
// by build_image.ts. The host's apt configuration and package state stay as they are. The lists that the
// archive signs define each package, not a table of this project: Debian's mirrors drop a version when its
// security update comes.

import { createHash } from "node:crypto";
import { fetchDebs, unpackDebs } from "../../scripts/debian_fetch.ts";
import type { TarFile } from "../../scripts/tar.ts";

const packages = ["libc6", "libgcc-s1"];
/** The libraries named in the binary's dynamic section (`readelf -d`), and what these need. */
const libraries =
  /^(ld-linux-[\w-]+\.so\.\d+|ld-\d.*\.so|lib(c|m|dl|rt|pthread|gcc_s|nss_files|nss_dns|resolv)\.so\.\d+)$/;

/**
 * The base layer's files for `architecture` ("amd64", "arm64"). Fetches the packages once per release and
 * cache.
 */
export async function baseFiles(architecture: string): Promise<TarFile[]> {
  const debs = await fetchPackages(architecture);
  const folder = Deno.makeTempDirSync();
  try {
    await unpackDebs(debs, folder);
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
function linkerLink(architecture: string, files: TarFile[]): TarFile[] {
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

/** The packages that the layer for `architecture` is made from, with their versions. */
export async function basePackages(architecture: string): Promise<{ name: string; version: string }[]> {
  return (await fetchPackages(architecture)).map((path) => {
    const [name = "", version = ""] = decodeURIComponent(path.slice(path.lastIndexOf("/") + 1)).split("_");
    return { name, version };
  });
}

function collect(folder: string, prefix: string): TarFile[] {
  const entries = [...Deno.readDirSync(`${folder}/${prefix}`)].sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry): TarFile[] => {
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

/** Paths of the downloaded packages; kept in the cache, a folder for each release. */
async function fetchPackages(architecture: string): Promise<string[]> {
  const key = createHash("sha256").update(`${packages} ${await release()}`).digest("hex").slice(0, 16);
  return await fetchDebs(`${cacheFolder()}/agent-image/${architecture}/${key}`, { architecture, packages });
}

/** The distribution's release: another one has another C library. */
async function release(): Promise<string> {
  return await Deno.readTextFile("/etc/os-release");
}

function cacheFolder(): string {
  return Deno.env.get("MIRRORD_CACHE") ?? `${Deno.env.get("HOME") ?? "/root"}/.cache/mirrord-dev`;
}
