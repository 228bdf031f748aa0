// What is inside a release: what the bundler took, the runtime, what is compiled in, and the packages of the
// agent's image. Called by release.ts; sbom.ts writes it down.

import { createHash } from "node:crypto";
import { baseFiles, basePackages } from "../agent/image/base_layer.ts";
import { hasPackageTools } from "./debian_fetch.ts";
import { carrier, denort } from "./denort.ts";
import { bundledParts, licenceText, type LockFile, type Metafile, npmPart, type Part } from "./sbom.ts";
import { exists, root } from "./step.ts";
import { pinKey, toolsFolder, unpackWheel, zig, zigVersion } from "./tools.ts";

/** The licences of Debian's packages: the copyright file of each, in SPDX's words. */
const imageLicences: Record<string, string> = {
  "libc6": "LGPL-2.1-or-later",
  "libgcc-s1": "GPL-3.0-or-later WITH GCC-exception-3.1",
};

/** Everything inside, the bundle of `metafile` first. */
export async function releaseParts(metafile: Metafile): Promise<Part[]> {
  const lock = JSON.parse(Deno.readTextFileSync(`${root}deno.lock`)) as LockFile;
  const compiler = npmPart("node_modules/assemblyscript", { lock, root });
  return [
    ...bundledParts(metafile, { lock, root }),
    { ...compiler, where: "its runtime is compiled into protocol.wasm" },
    ...await runtimes(),
    {
      name: "zig",
      version: zigVersion,
      kind: "library",
      licence: "MIT",
      purl: `pkg:generic/zig@${zigVersion}`,
      where: "parts of its library are compiled into seal and layer",
      ...licenceText((await zig()).replace(/\/zig$/, "")),
    },
    ...await imageParts(),
  ];
}

/** Deno for each machine: the very bytes that the binaries begin with. */
async function runtimes(): Promise<Part[]> {
  const text = licenceText(await denoLicences());
  const parts: Part[] = [];
  for (const machine of ["x86_64", "aarch64", "macos-x86_64", "macos-aarch64"] as const) {
    const name = machine.startsWith("macos-") ? machine : `linux-${machine}`;
    const content = createHash("sha256").update(Deno.readFileSync(await denort(machine))).digest("hex");
    parts.push({
      name: "deno",
      version: carrier.runtime,
      kind: "platform",
      licence: "MIT",
      purl: `pkg:github/denoland/deno@v${carrier.runtime}?arch=${machine}`,
      where: `the runtime of mirrord-${name}; it holds V8 and Rust libraries, which its own documents name`,
      hash: { alg: "SHA-256", content },
      ...text,
    });
  }
  return parts;
}

/**
 * Where the pinned package of Deno has its licence; ./dev has unpacked it unless the machine brought its own
 * Deno.
 */
async function denoLicences(): Promise<string> {
  const requirement = `deno==${carrier.runtime}`;
  const folder = `${toolsFolder()}/deno-${carrier.runtime}-${await pinKey([requirement])}`;
  if (!exists(folder)) await unpackWheel(requirement, folder);
  return `${folder}/deno-${carrier.runtime}.dist-info/licenses`;
}

async function imageParts(): Promise<Part[]> {
  if (!hasPackageTools()) return [];
  const parts: Part[] = [];
  for (const architecture of ["amd64", "arm64"]) {
    const files = await baseFiles(architecture);
    for (const { name, version } of await basePackages(architecture)) {
      parts.push({
        name,
        version,
        kind: "library",
        licence: imageLicences[name] ?? "NOASSERTION",
        purl: `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${architecture}`,
        where: "in the agent's image and, for agents that are sent, in mirrord",
        ...copyrightOf(name, files),
      });
    }
  }
  return parts;
}

/** Debian's statement of the licence of package `name`, where the package has it itself. */
function copyrightOf(name: string, files: Awaited<ReturnType<typeof baseFiles>>): { text?: string } {
  const found = files.find(({ path }) => path.endsWith(`/doc/${name}/copyright`));
  return found?.type === "file" ? { text: new TextDecoder().decode(found.bytes).trim() } : {};
}
