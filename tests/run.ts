// `./dev test`: every suite, each step with its time; the last lines list each failure by name, the very last
// one has the counts of all. The cluster's suite takes as long as all others, so it runs beside them
// (tests/runner/run_suites.ts). A suite that ends badly without a failed test of its own counts as one
// failure, so nothing passes empty.

import { root } from "../scripts/step.ts";
import { ending, run, runSuites } from "./runner/run_suites.ts";
import { allSuites, buildAll, macSuites } from "./runner/suites.ts";

const encoder = new TextEncoder();

function print(text: string): void {
  let rest = encoder.encode(text);
  while (rest.length > 0) rest = rest.subarray(Deno.stdout.writeSync(rest));
}

/** A part of the fuzz cases in a run of everything, all of them where they are asked for. */
const cases = Deno.args.includes("fuzz") ? 1_000_000 : 10_000;
const suites = Deno.build.os === "darwin" ? macSuites() : allSuites(cases);
const asked = suites.filter(({ name, named }) =>
  Deno.args.length > 0 ? Deno.args.includes(name) : named !== true
);
if (asked.length === 0) {
  print(`Cannot run "${Deno.args.join(" ")}": the suites are ${suites.map(({ name }) => name).join(", ")}\n`);
  Deno.exit(2);
}
// Both would build it otherwise, at the same time. What fails here fails again in its suite, and counts
// there.
if (asked.some((suite) => suite.beside)) await run(buildAll, { root, show: print });
const total = await runSuites(asked, { root, print });
print(ending(total));
Deno.exit(total.failed === 0 ? 0 : 1);
