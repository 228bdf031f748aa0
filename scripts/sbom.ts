// The bill of materials of a release, in CycloneDX 1.6: what the bundler says is inside (its metafile), with
// the hashes of deno.lock and the licences of the packages themselves; the runtime; what is compiled in; the
// image's packages. Called by release.ts. There is no time and no chance in it: same sources, same document.

import { createHash } from "node:crypto";
import { mirrordVersion } from "../core/base/version.ts";
import { exists } from "./step.ts";

/** One thing that is inside a release. */
export interface Part {
  name: string;
  version: string;
  kind: "library" | "platform";
  /** SPDX identifier or expression. */
  licence: string;
  /** Package URL (purl). */
  purl: string;
  where: string;
  hash?: { alg: "SHA-256" | "SHA-512"; content: string };
  /** The licence's own text. */
  text?: string;
}

/** What of esbuild's metafile is read. */
export interface Metafile {
  outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }>;
}

/** What of deno.lock is read. */
export interface LockFile {
  npm: Record<string, { integrity: string }>;
}

/** The packages of which a byte is in the bundle, by name. `root` is where `node_modules` lies. */
export function bundledParts(metafile: Metafile, options: { lock: LockFile; root: string }): Part[] {
  const folders = new Set<string>();
  for (const { inputs } of Object.values(metafile.outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const folder = /^.*\/?node_modules\/((@[^/]+\/)?[^/]+)(?=\/)/.exec(path)?.[0];
      if (bytesInOutput > 0 && folder !== undefined) folders.add(folder);
    }
  }
  return [...folders].map((folder) => npmPart(folder, options)).sort((a, b) => a.purl < b.purl ? -1 : 1);
}

/** The package in `folder`, for which deno.lock must have a hash. */
export function npmPart(folder: string, { lock, root }: { lock: LockFile; root: string }): Part {
  const facts = JSON.parse(Deno.readTextFileSync(`${root}${folder}/package.json`));
  const { name, version, license } = facts as { name: string; version: string; license?: string };
  const id = `${name}@${version}`;
  const locked = Object.entries(lock.npm).find(([key]) => key === id || key.startsWith(`${id}_`));
  const [alg, sum] = locked?.[1].integrity.split("-") ?? [];
  if (alg !== "sha512" || sum === undefined) {
    throw new Error(`Cannot list "${id}": deno.lock has no hash of it`);
  }
  if (license === undefined) throw new Error(`Cannot list "${id}": its package.json names no licence`);
  return {
    name,
    version,
    kind: "library",
    licence: license,
    purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
    where: "bundled into mirrord",
    hash: { alg: "SHA-512", content: Uint8Array.fromBase64(sum).toHex() },
    ...licenceText(`${root}${folder}`),
  };
}

/** The text of a folder's licence file, where there is one. */
export function licenceText(folder: string): { text?: string } {
  if (!exists(folder)) return {};
  const name = [...Deno.readDirSync(folder)].map((entry) => entry.name).sort()
    .find((one) => /^(licen[cs]e|copying)(\.|$)/i.test(one));
  return name === undefined ? {} : { text: Deno.readTextFileSync(`${folder}/${name}`).trim() };
}

/** The document over `parts` of the release whose commit is given. */
export function billOfMaterials(parts: readonly Part[], commit: string): string {
  const main = {
    "type": "application",
    "bom-ref": "mirrord",
    "name": "mirrord",
    "version": mirrordVersion,
    "purl": `pkg:generic/mirrord@${mirrordVersion}`,
    "licenses": [{ license: { id: "MIT" } }],
  };
  const body = {
    version: 1,
    metadata: { component: main, properties: [{ name: "mirrord:commit", value: commit }] },
    components: parts.map((part) => ({
      "type": part.kind,
      "bom-ref": part.purl,
      "name": part.name,
      "version": part.version,
      "purl": part.purl,
      "licenses": [
        / (OR|AND|WITH) /.test(part.licence)
          ? { expression: part.licence }
          : { license: { [/^[\w.+-]+$/.test(part.licence) ? "id" : "name"]: part.licence } },
      ],
      ...(part.hash === undefined ? {} : { hashes: [part.hash] }),
      "properties": [{ name: "mirrord:where", value: part.where }],
    })),
    dependencies: [
      { ref: "mirrord", dependsOn: parts.map(({ purl }) => purl) },
      ...parts.map(({ purl }) => ({ ref: purl })),
    ],
  };
  const document = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(body))}`,
    ...body,
  };
  return JSON.stringify(document, null, 2) + "\n";
}

/** A UUID of the content (RFC 9562, version 8). */
function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${
    hex.slice(20, 32)
  }`;
}

/** All licences' texts in one file; equal texts stand once. */
export function licencesFile(parts: readonly Part[]): string {
  const users = new Map<string, string[]>();
  for (const part of parts) {
    const text = part.text ?? `Licence: ${part.licence}. Its package holds no text of it.`;
    users.set(text, [
      ...users.get(text) ?? [],
      `${part.name} ${part.version} (${part.licence}; ${part.where})`,
    ]);
  }
  const head = "What is inside mirrord and its agent's image beside mirrord itself, with its licences.\n";
  return head +
    [...users].map(([text, names]) => `\n${"=".repeat(78)}\n${names.join("\n")}\n\n${text}\n`).join("");
}
