// Fetches Debian's packages of any architecture and release, with apt's own client in folders of its own: the
// machine's apt configuration and package state stay as they are. Used by the agent's image and by the tests
// on other kernels and processors. The lists that the archive signs define each package (debian.ts).

import { type ListedPackage, parseUris, signedOnly } from "./debian.ts";
import { exists } from "./step.ts";
import { checkFiles } from "./tools.ts";

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** What to fetch. */
export interface Wanted {
  /** As Debian names it: amd64, arm64. */
  architecture: string;
  packages: readonly string[];
  /** Lines of sources.list(5) in place of the machine's own. */
  sources?: readonly string[];
  /** With all that these depend on: which of those by their names. Otherwise only the named ones come. */
  closure?: (name: string) => boolean;
}

/** Is this a machine with Debian's package tools? */
export function hasPackageTools(): boolean {
  return ["/usr/bin/apt-get", "/usr/bin/dpkg-deb"].every(exists);
}

/**
 * Paths of the packages, which lie in `folder` under the names that apt gives, versions included. The folder
 * keeps what it got first. Each package is what the signed list said when it was fetched, now as well.
 */
export async function fetchDebs(folder: string, wanted: Wanted): Promise<string[]> {
  Deno.mkdirSync(folder, { recursive: true });
  // Two builds at once fetch once: apt's client refuses folders that another one uses.
  using lock = await Deno.open(`${folder}/lock`, { write: true, create: true });
  await lock.lock(true);
  if (!exists(`${folder}/signed.json`)) {
    const found = await fetch(folder, wanted);
    Deno.writeTextFileSync(`${folder}/signed.json`, JSON.stringify(found));
  }
  const sums = JSON.parse(Deno.readTextFileSync(`${folder}/signed.json`)) as ListedPackage[];
  const debs = sums.map(({ file, sha256 }) => ({ path: `${folder}/debs/${file}`, sha256 }));
  await checkFiles(debs);
  return debs.map(({ path }) => path).sort();
}

async function fetch(folder: string, wanted: Wanted): Promise<ListedPackage[]> {
  const { architecture, packages, sources, closure } = wanted;
  const options = await ownApt(folder, architecture, sources);
  const download = ["apt-get", ...options, "download", "-q"];
  const asked = closure === undefined
    ? [...download, "--print-uris", ...packages]
    : ["apt-get", ...options, "install", "-qq", "--print-uris", ...packages];
  const found = parseUris(await run(asked)).filter(({ name }) => closure?.(name) ?? true);
  if (found.length === 0) {
    throw new Error(`Cannot fetch "${packages.join(" ")}": no package of those is wanted`);
  }
  await run([...download, ...found.map(({ name }) => name)], `${folder}/debs`);
  Deno.removeSync(`${folder}/state`, { recursive: true });
  Deno.removeSync(`${folder}/cache`, { recursive: true });
  return found;
}

/** Options by which apt works in `folder` alone, with lists that were just read. */
async function ownApt(folder: string, architecture: string, sources?: readonly string[]): Promise<string[]> {
  for (const part of ["state/lists/partial", "cache/archives/partial", "debs"]) {
    Deno.mkdirSync(`${folder}/${part}`, { recursive: true });
  }
  Deno.writeTextFileSync(`${folder}/state/status`, "");
  if (sources !== undefined) {
    Deno.writeTextFileSync(`${folder}/state/sources.list`, sources.join("\n") + "\n");
  }
  const options = [
    `APT::Architecture=${architecture}`,
    `APT::Architectures=${architecture}`,
    `Dir::State=${folder}/state`,
    `Dir::State::status=${folder}/state/status`,
    `Dir::Cache=${folder}/cache`,
    "APT::Sandbox::User=root",
    "APT::Install-Recommends=false",
    "Acquire::Languages=none",
    ...(sources === undefined
      ? []
      : [`Dir::Etc::SourceList=${folder}/state/sources.list`, "Dir::Etc::SourceParts=/dev/null"]),
    ...signedOnly,
  ].flatMap((option) => ["-o", option]);
  await run(["apt-get", ...options, "update", "-q"]);
  return options;
}

/**
 * Paths of a source package's files as `release` of Debian has it, kept in `folder`; null where this machine
 * knows no mirror of Debian. Each file is what the signed list says.
 */
export async function fetchSource(folder: string, name: string, release: string): Promise<string[] | null> {
  if (!exists(`${folder}/signed.json`)) {
    const sources = await debianSources([release]);
    if (sources === null) return null;
    const lines = sources.map((line) => line.replace(/^deb /, "deb-src "));
    const options = await ownApt(folder, "amd64", lines);
    const asked = ["apt-get", ...options, "source", "--download-only", "-q"];
    const found = parseUris(await run([...asked, "--print-uris", name]));
    if (found.length === 0) throw new Error(`Cannot fetch the source of "${name}": ${release} has none`);
    await run([...asked, name], `${folder}/debs`);
    Deno.writeTextFileSync(`${folder}/signed.json`, JSON.stringify(found));
  }
  const sums = JSON.parse(Deno.readTextFileSync(`${folder}/signed.json`)) as ListedPackage[];
  const files = sums.map(({ file, sha256 }) => ({ path: `${folder}/debs/${file}`, sha256 }));
  await checkFiles(files);
  return files.map(({ path }) => path);
}

/**
 * Lines of sources.list(5) for `releases` of Debian, from the mirrors of Debian that this machine's apt uses;
 * null when it uses none, or no key of Debian's is here. Security updates are in: old releases live by these.
 */
export async function debianSources(releases: readonly string[]): Promise<string[] | null> {
  if (!hasPackageTools() || !exists(keyring)) return null;
  const listed = await run(["apt-get", "indextargets", "--format", "$(CREATED_BY) $(RELEASE) $(REPO_URI)"]);
  const lines = listed.split("\n").filter((line) => line.startsWith("Packages ")).map((line) =>
    line.split(" ")
  );
  const names = ["bullseye", "bookworm", "trixie", "forky"];
  const mirrorOf = (suffix: string) =>
    lines.find(([, release]) => names.some((name) => release === name + suffix))?.[2];
  const [main, security] = [mirrorOf(""), mirrorOf("-security")];
  if (main === undefined || security === undefined) return null;
  return releases.flatMap((release) => [
    `deb [signed-by=${keyring}] ${main} ${release} main`,
    `deb [signed-by=${keyring}] ${security} ${release}-security main`,
  ]);
}

/** Runs a command to its end; answers what it printed. */
async function run(argv: string[], cwd?: string): Promise<string> {
  const [program = "", ...args] = argv;
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    ...(cwd === undefined ? {} : { cwd }),
  }).output();
  if (!success) throw new Error(`Cannot run "${argv.join(" ")}": ${new TextDecoder().decode(stderr).trim()}`);
  return new TextDecoder().decode(stdout);
}

/** Unpacks packages into `folder`, one over the other; nothing of them runs. */
export async function unpackDebs(debs: readonly string[], folder: string): Promise<void> {
  for (const deb of debs) await run(["dpkg-deb", "-x", deb, folder]);
}
