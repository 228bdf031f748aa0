// The program: arguments → command → exit code. The only Deno.exit. Commands load when they are asked for, so
// that `mirrord --version` costs hardly more than an empty program.

import { mirrordVersion } from "./core/base/version.ts";

async function run(args: string[]): Promise<number> {
  if (args.length === 1 && (args[0] === "--version" || args[0] === "-V")) {
    Deno.stdout.writeSync(new TextEncoder().encode(`mirrord ${mirrordVersion}\n`));
    return 0;
  }
  const { runCommand } = await import("./cmd/mod.ts");
  return await runCommand(args);
}

Deno.exit(await run(Deno.args));
