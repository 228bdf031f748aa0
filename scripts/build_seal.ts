// The build step of the link's seal: core/net/seal.zig → core/net/seal_linux_{x86_64,aarch64}.so, which needs
// no C library. Called by build.ts. Same source, same bytes.

import { command, runStep } from "./step.ts";
import { zig } from "./tools.ts";

/**
 * With the processor's instructions for AES and for GCM's product, and AVX, without which the library takes
 * its slow way. core/net/seal.ts asks whether the processor has them.
 */
const machines = { x86_64: "x86_64_v2+avx+aes+pclmul", aarch64: "generic+aes" };

/** Builds it for every machine it is embedded for. */
export async function buildSeal(): Promise<void> {
  const outputs = Object.keys(machines).map((machine) => `core/net/seal_linux_${machine}.so`);
  await runStep({
    name: "seal",
    inputs: ["core/net/seal.zig", "scripts/build_seal.ts", "scripts/tools.ts"],
    outputs,
    run: async () => {
      for (const [machine, processor] of Object.entries(machines)) {
        await command([
          await zig(),
          "build-lib",
          "-dynamic",
          "-target",
          `${machine}-linux-none`,
          "-mcpu",
          processor,
          "-O",
          "ReleaseFast",
          "-fstrip",
          "-fPIC",
          "--name",
          "mirrord_seal",
          `-femit-bin=core/net/seal_linux_${machine}.so`,
          "core/net/seal.zig",
        ]);
      }
    },
  });
}

if (import.meta.main) {
  await buildSeal();
}
