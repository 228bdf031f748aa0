// The build step of the Wasm core: protocol-wasm/assembly → protocol-wasm/protocol.wasm. Called by build.ts.

import { command, runStep } from "./step.ts";

/** Compiles the AssemblyScript core with the stub runtime and no imports. */
export async function buildWasm(): Promise<void> {
  await runStep({
    name: "wasm",
    inputs: ["protocol-wasm/assembly", "scripts/build_wasm.ts"],
    outputs: ["protocol-wasm/protocol.wasm"],
    run: () =>
      command([
        Deno.execPath(),
        "run",
        "-A",
        "npm:assemblyscript@0.28.20/asc",
        "protocol-wasm/assembly/index.ts",
        "--outFile",
        "protocol-wasm/protocol.wasm",
        "--enable",
        "simd",
        "--runtime",
        "stub",
        "--use",
        "abort=",
        "-O3",
        "--converge",
        "--noAssert",
        "--maximumMemory",
        "1024",
      ]),
  });
}
