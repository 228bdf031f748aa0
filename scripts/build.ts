// Builds what the programs embed: the Wasm core, the layer, the BPF programs and the link's seal (`assets`),
// then the bundle, the compiled binaries and the agent's image. `mac-layer` is what tests of macOS load.
// Called by ./dev, the test runner and `deno task`.

import { buildBpf } from "./build_bpf.ts";
import { buildBinary, platforms } from "./build_binary.ts";
import { buildLayer, buildMacLayer } from "./build_layer.ts";
import { buildLibraries } from "./build_libraries.ts";
import { buildSeal } from "./build_seal.ts";
import { buildWasm } from "./build_wasm.ts";
import { command, runStep, sayMade } from "./step.ts";

/** Builds every embedded file. */
export async function buildAssets(): Promise<void> {
  await buildWasm();
  await buildBpf();
  await buildLayer();
  await buildSeal();
}

/** Builds everything: dist/mirrord-linux-{x86_64,aarch64} and the agent's image, dist/mirrord-agent.tar. */
async function buildAll(): Promise<void> {
  await buildAssets();
  await buildLibraries();
  for (const platform of Object.values(platforms)) await buildBinary(platform);
  await buildImage();
}

/**
 * Puts the agent's image together from the compiled binaries. `level` is zstd's: 9 takes three times as long
 * as 3, for a tenth less.
 */
export async function buildImage(level = 3): Promise<void> {
  await runStep({
    name: "agent-image",
    inputs: [
      ...Object.values(platforms).map(({ name }) => `dist/mirrord-${name}`),
      "agent/image",
      "scripts/tar.ts",
    ],
    outputs: ["dist/mirrord-agent.tar"],
    given: String(level),
    run: () =>
      command([
        Deno.execPath(),
        "run",
        "-A",
        "agent/image/build_image.ts",
        "dist/mirrord-agent.tar",
        String(level),
      ]),
  });
}

if (import.meta.main) {
  if (Deno.args.includes("wasm")) await buildWasm();
  else if (Deno.args.includes("mac-layer")) await buildMacLayer();
  else if (Deno.args.includes("assets")) await buildAssets();
  else await buildAll();
  sayMade();
  // esbuild's own process would keep this one alive.
  Deno.exit(0);
}
