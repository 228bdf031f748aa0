// The files of a release from what was built: programs, archives, packages, image, install.sh, formula,
// notes, bill of materials, sums and signature. Called by release.ts. It reads and runs nothing but what it
// is given.

import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { completionScript } from "../cmd/completions.ts";
import { mirrordVersion } from "../core/base/version.ts";
import type { ReleaseFacts } from "./build_binary.ts";
import { manPages } from "./man_pages.ts";
import { sign } from "./minisign.ts";
import { billOfMaterials, licencesFile, type Part } from "./sbom.ts";
import { tar, type TarFile } from "./tar.ts";

/** What a release is made from. */
export interface ReleaseSources {
  facts: ReleaseFacts;
  /** The text of minisign's secret key; null: nothing is signed. */
  signingKey: string | null;
  /** "linux-x86_64" → the program. */
  programs: Map<string, Uint8Array>;
  /** null where the machine cannot make it. */
  image: Uint8Array | null;
  /** The extension for VS Code: name and bytes of the file. */
  extension?: [name: string, bytes: Uint8Array];
  parts: Part[];
  /** Makes packages of an archive for "linux-x86_64": name → bytes. Without it there are none. */
  packages?: (archive: Uint8Array, platform: string) => Promise<Map<string, Uint8Array>>;
  texts: {
    changelog: string;
    exitCodes: string;
    licence: string;
    installScript: string | null;
    formula: string | null;
  };
}

const encoder = new TextEncoder();

/** Writes a new `folder`; it appears whole or not at all. Returns each file's name and size. */
export async function assembleRelease(
  folder: string,
  sources: ReleaseSources,
): Promise<[name: string, size: number][]> {
  const files = await releaseFiles(sources);
  const part = `${folder}.part`;
  await Deno.remove(part, { recursive: true }).catch(() => {});
  await Deno.mkdir(part, { recursive: true });
  for (const [name, bytes] of files) {
    const mode = sources.programs.has(name.replace(/^mirrord-/, "")) || name === "install.sh" ? 0o755 : 0o644;
    await Deno.writeFile(`${part}/${name}`, bytes, { mode });
  }
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  await Deno.rename(part, folder);
  return [...files].map(([name, bytes]) => [name, bytes.length]);
}

/** Name → bytes of each file, in the order of their names. */
export async function releaseFiles(sources: ReleaseSources): Promise<Map<string, Uint8Array>> {
  const { facts, image, parts, programs, signingKey, texts } = sources;
  const files = new Map<string, Uint8Array>();
  for (const [platform, program] of programs) {
    files.set(`mirrord-${platform}`, program);
    const archive = gzipSync(await tar(archiveFiles(program, { platform, sources })));
    files.set(`mirrord-${mirrordVersion}-${platform}.tar.gz`, archive);
    for (const [name, bytes] of await sources.packages?.(archive, platform) ?? []) files.set(name, bytes);
  }
  if (image !== null) files.set(`mirrord-agent-${mirrordVersion}.tar`, image);
  if (sources.extension !== undefined) files.set(...sources.extension);
  files.set("sbom.cdx.json", encoder.encode(billOfMaterials(parts, facts.commit)));
  files.set("release-notes.md", encoder.encode(releaseNotes(texts.changelog)));
  const words = templateWords(facts, files);
  for (const [name, text] of [["install.sh", texts.installScript], ["mirrord.rb", texts.formula]] as const) {
    if (text !== null) files.set(name, encoder.encode(fillIn(text, words)));
  }
  const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  const sums = encoder.encode(sorted.map(([name, bytes]) => `${sha256(bytes)}  ${name}\n`).join(""));
  sorted.push(["checksums.txt", sums]);
  if (signingKey !== null) {
    const comment = `mirrord ${mirrordVersion}`;
    sorted.push([
      "checksums.txt.minisig",
      encoder.encode(await sign(sums, { secretKey: signingKey, comment })),
    ]);
  }
  return new Map(sorted.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What stands in a machine's archive, below one folder. */
function archiveFiles(
  program: Uint8Array,
  { platform, sources }: { platform: string; sources: ReleaseSources },
): TarFile[] {
  const { facts, parts, texts } = sources;
  const top = `mirrord-${mirrordVersion}-${platform}`;
  const text = (path: string, content: string): TarFile => ({
    type: "file",
    path: `${top}/${path}`,
    mode: 0o644,
    bytes: encoder.encode(content),
  });
  const pages = manPages({ exitCodes: texts.exitCodes, homepage: facts.origin.homepage });
  return [
    text("LICENSE", texts.licence),
    text("THIRD-PARTY-LICENSES", licencesFile(parts)),
    { type: "file", path: `${top}/bin/mirrord`, mode: 0o755, bytes: program },
    text("completions/_mirrord", completionScript("zsh")),
    text("completions/mirrord.bash", completionScript("bash")),
    text("completions/mirrord.fish", completionScript("fish")),
    ...[...pages].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, page]) => text(`man/man1/${name}`, page)),
  ];
}

/** The words between @ in install.sh and the formula. */
function templateWords(facts: ReleaseFacts, files: Map<string, Uint8Array>): Map<string, string> {
  const words = new Map([
    ["VERSION", mirrordVersion],
    ["HOMEPAGE", facts.origin.homepage],
    ["DOWNLOAD_BASE", facts.origin.downloadBase],
    ["PUBLIC_KEY", facts.origin.publicKey],
  ]);
  for (const [name, bytes] of files) {
    const platform = /\.tar\.gz$/.test(name) ? /(linux|macos)-\w+?(?=\.tar)/.exec(name)?.[0] : undefined;
    if (platform !== undefined) {
      words.set(`SHA256_${platform.toUpperCase().replace("-", "_")}`, sha256(bytes));
    }
  }
  return words;
}

/** `text` with each known word in its place; an unknown one is an error. */
function fillIn(text: string, words: Map<string, string>): string {
  return text.replace(/@([A-Z][A-Z0-9_]*)@/g, (_, name: string) => {
    const value = words.get(name);
    if (value === undefined) throw new Error(`Cannot fill in "@${name}@": a release has no such fact`);
    return value;
  });
}

/** The changelog's section of this version; before it is released, what is not released yet. */
export function releaseNotes(changelog: string): string {
  const sections = changelog.split(/^(?=## )/m);
  const own = sections.find((one) => /^## \[?(\d[^\s\]]*)/.exec(one)?.[1] === mirrordVersion) ??
    sections.find((one) => one.startsWith("## Unreleased"));
  if (own === undefined) throw new Error(`CHANGELOG.md has no section of ${mirrordVersion}`);
  return `# mirrord ${mirrordVersion}\n${own.slice(own.indexOf("\n")).trimEnd()}\n`;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
