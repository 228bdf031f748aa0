// How the shared case lists become tests: one stage for all cases of a file, made before the first and taken
// away after the last. A stage that cannot be had here makes each case a skipped one, with the reason in its
// name.

import type { Stage } from "./stage.ts";

/** One case. It must leave the stage as it was: `assertClean` of postcondition.ts says whether it did. */
export interface Case {
  name: string;
  run(stage: Stage): Promise<void>;
}

/**
 * Registers `cases` on the stage that `make` makes; `missing` says why there can be none. `label` begins
 * their names.
 */
export function registerCases<S extends Stage>(
  cases: readonly { name: string; run(stage: S): Promise<void> }[],
  make: () => Promise<S>,
  missing: string | null = null,
  label = "",
): void {
  let stage: S | undefined;
  if (missing === null) {
    Deno.test.beforeAll(async () => {
      stage = await make();
    });
    Deno.test.afterAll(async () => {
      await stage?.[Symbol.asyncDispose]();
    });
  }
  for (const { name, run } of cases) {
    Deno.test({
      name: missing === null ? label + name : `${label}${name} (skipped: ${missing})`,
      ignore: missing !== null,
      // The stage's processes live longer than one case.
      sanitizeOps: false,
      sanitizeResources: false,
      async fn() {
        if (stage === undefined) throw new Error("the stage was not made");
        await run(stage);
      },
    });
  }
}

/** Why process stages cannot be made here; null when they can. */
export function missingForProcess(): string | null {
  if (Deno.build.os !== "linux") return "only on Linux can a process be a target";
  return Deno.uid() === 0 ? null : "network namespaces need root";
}
