// Puts the agent's image together without a container engine: for each machine a base layer (the C library
// out of Debian's packages) and a layer with the compiled binary, as an OCI image layout in one tar. Run by
// scripts/build.ts: `build_image.ts OUT.tar LEVEL`. Same inputs, same bytes. Layers are compressed by zstd,
// which containerd takes since 1.5 and Docker since 23, as do CRI-O and podman: smaller than with gzip.

import { createHash } from "node:crypto";
import { constants, zstdCompressSync } from "node:zlib";
import { mirrordVersion } from "../../core/base/version.ts";
import { tar, type TarFile } from "../../scripts/tar.ts";
import { hasPackageTools } from "../../scripts/debian_fetch.ts";
import { baseFiles } from "./base_layer.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);
/** The name under which a node finds the image once the archive is loaded; no registry has it. */
const imageName = `localhost/mirrord-agent:${mirrordVersion}`;
/** Architectures as OCI names them, as Deno does, and as Debian does. */
const machines = [{ oci: "amd64", binary: "x86_64" }, { oci: "arm64", binary: "aarch64" }];

const manifestType = "application/vnd.oci.image.manifest.v1+json";
const indexType = "application/vnd.oci.image.index.v1+json";
const configType = "application/vnd.oci.image.config.v1+json";
const layerType = "application/vnd.oci.image.layer.v1.tar+zstd";

/** A descriptor of the OCI image specification. */
interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}

/** The archive's blobs by path; each added once. */
class Blobs {
  readonly files = new Map<string, Uint8Array>();

  add(mediaType: string, bytes: Uint8Array): Descriptor {
    const hex = sha256(bytes);
    this.files.set(`blobs/sha256/${hex}`, bytes);
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
  }

  addJson(mediaType: string, value: unknown): Descriptor {
    return this.add(mediaType, json(value));
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function say(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text + "\n"));
}

/** One machine's image: its manifest's descriptor. */
async function addImage(
  blobs: Blobs,
  machine: { oci: string; binary: string },
  level: number,
): Promise<Descriptor> {
  const params = { [constants.ZSTD_c_compressionLevel]: level };
  const binary = Deno.readFileSync(`${root}dist/mirrord-linux-${machine.binary}`);
  const layers = [
    await tar(await baseFiles(machine.oci)),
    await tar([{ type: "file", path: "mirrord", mode: 0o755, bytes: binary }]),
  ];
  const descriptors = layers.map((layer) => blobs.add(layerType, zstdCompressSync(layer, { params })));
  const config = blobs.addJson(configType, {
    architecture: machine.oci,
    os: "linux",
    config: {
      Entrypoint: ["/mirrord"],
      Cmd: ["agent"],
      Env: ["PATH=/", "HOME=/tmp", "NO_COLOR=1"],
      WorkingDir: "/",
    },
    rootfs: { type: "layers", diff_ids: layers.map((layer) => `sha256:${sha256(layer)}`) },
    history: [{ created_by: "Debian's C library" }, { created_by: `mirrord ${mirrordVersion}` }],
  });
  return blobs.addJson(manifestType, {
    schemaVersion: 2,
    mediaType: manifestType,
    config,
    layers: descriptors,
  });
}

async function buildImage(output: string, level: number): Promise<void> {
  if (!hasPackageTools()) {
    say(
      "agent-image: skipped, it is made from Debian's packages and this machine has no apt-get and dpkg-deb",
    );
    return;
  }
  const blobs = new Blobs();
  const manifests: unknown[] = [];
  for (const machine of machines) {
    const manifest = await addImage(blobs, machine, level);
    manifests.push({ ...manifest, platform: { os: "linux", architecture: machine.oci } });
  }
  const annotations = {
    "org.opencontainers.image.title": "mirrord agent",
    "org.opencontainers.image.version": mirrordVersion,
    "org.opencontainers.image.licenses": "MIT",
  };
  const index = blobs.addJson(indexType, { schemaVersion: 2, mediaType: indexType, manifests, annotations });
  const named = {
    ...index,
    annotations: {
      "io.containerd.image.name": imageName,
      "org.opencontainers.image.ref.name": mirrordVersion,
    },
  };
  const files: TarFile[] = [...blobs.files].map(([path, bytes]) => ({
    type: "file",
    path,
    mode: 0o644,
    bytes,
  }));
  const top = { schemaVersion: 2, mediaType: indexType, manifests: [named] };
  files.unshift(
    { type: "file", path: "oci-layout", mode: 0o644, bytes: json({ imageLayoutVersion: "1.0.0" }) },
    { type: "file", path: "index.json", mode: 0o644, bytes: json(top) },
  );
  Deno.writeFileSync(`${output}.part`, await tar(files));
  Deno.renameSync(`${output}.part`, output);
}

const [output, level] = Deno.args;
if (output === undefined || level === undefined) {
  say("usage: build_image.ts OUT.tar LEVEL");
  Deno.exit(2);
}
await buildImage(output, Number(level));
