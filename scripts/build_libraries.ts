// The build step of what a sent agent brings along: the dynamic linker and the C library that the compiled
// program asks for, out of Debian's packages, as core/deploy/libraries_linux_{x86_64,aarch64}.bin. Called by
// build.ts, read by core/deploy/payload.ts. A mark by which they are found in a compiled program, and how
// many bytes follow: a line of JSON (a list of name, size), then the files in that order, all gzip'd. Same
// packages, same bytes.

import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { baseFiles } from "../agent/image/base_layer.ts";
import { librariesMark } from "../core/deploy/payload.ts";
import { hasPackageTools } from "./debian_fetch.ts";
import { root, runStep, say } from "./step.ts";

/** Architectures as Debian names them, and as Deno does. */
const machines = { amd64: "x86_64", arm64: "aarch64" };
/** What the program's dynamic section names, and Debian's statement of its licence. */
const wanted = /^(ld-linux-[\w-]+\.so\.\d+|lib(c|m|dl|rt|pthread|gcc_s)\.so\.\d+|copyright)$/;

/**
 * Builds them; on a machine without Debian's package tools the program is built without, and sends no agent.
 */
export async function buildLibraries(): Promise<void> {
  if (!hasPackageTools()) {
    say("libraries: skipped, they come from Debian's packages and this machine has no apt-get and dpkg-deb");
    return;
  }
  await runStep({
    name: "libraries",
    inputs: [
      "agent/image/base_layer.ts",
      "core/deploy/payload.ts",
      "scripts/build_libraries.ts",
      "scripts/debian_fetch.ts",
    ],
    outputs: Object.values(machines).map(librariesFile),
    run: async () => {
      for (const [debian, machine] of Object.entries(machines)) {
        Deno.writeFileSync(root + librariesFile(machine), await pack(debian));
      }
    },
  });
}

/** The file for `machine`. */
export function librariesFile(machine: string): string {
  return `core/deploy/libraries_linux_${machine}.bin`;
}

async function pack(architecture: string): Promise<Uint8Array> {
  const found = (await baseFiles(architecture)).flatMap((file) => {
    const name = file.path.replace(/^.*\//, "");
    if (file.type !== "file" || !wanted.test(name)) return [];
    // One from each package.
    const unique = name === "copyright" ? file.path.replaceAll("/", "_") : name;
    return [{ name: unique, bytes: file.bytes }];
  });
  const list = JSON.stringify(found.map(({ name, bytes }) => ({ name, size: bytes.length })));
  const packed = gzipSync(Buffer.concat([Buffer.from(`${list}\n`), ...found.map(({ bytes }) => bytes)]), {
    level: 9,
  });
  const size = new Uint8Array(4);
  new DataView(size.buffer).setUint32(0, packed.length, true);
  return Buffer.concat([librariesMark, size, packed]);
}
