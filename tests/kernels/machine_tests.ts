// The cases of cases.ts as tests of one kernel: the machine boots once, runs them in order and says on its
// console how each ended; a test here waits for its own. Called by each *_test.ts of this folder.

import assert from "node:assert/strict";
import { deadline } from "../support/deadline.ts";
import { type Batch, batches } from "./cases.ts";
import { cacheFolder, type Kernel, missingForGuests } from "./guest.ts";
import { Machine } from "./machine.ts";
import { Results } from "./results.ts";

/** How long a case may take in an emulated processor that shares its real one. */
const limitMs = 15 * 60_000;
/** How many times as long as elsewhere the tests in the machine wait for what must happen. */
const patience = 5;

/** Registers every case for `kernel`, whose release begins with `version`. */
export async function registerMachine(kernel: Kernel, version: string): Promise<void> {
  const missing = await missingForGuests();
  const mine = batches.filter(({ before }) => before === undefined || isBefore(version, before));
  let machine: Machine | undefined;
  let results: Results | undefined;
  if (missing === null) {
    Deno.test.beforeAll(async () => {
      machine = await Machine.boot(kernel, scriptOf(mine));
      results = new Results(machine.lines, `${cacheFolder()}/console of ${kernel.name}.txt`);
    });
    Deno.test.afterAll(async () => {
      await machine?.[Symbol.asyncDispose]();
      await results?.over;
    });
  }
  const register = (name: string, run: (results: Results) => Promise<void>): void =>
    Deno.test({
      name: `Linux ${kernel.name}: ${name}${missing === null ? "" : ` (skipped: ${missing})`}`,
      ignore: missing !== null,
      // The machine lives longer than one case.
      sanitizeOps: false,
      sanitizeResources: false,
      async fn() {
        if (results === undefined) throw new Error("the machine was not made");
        await deadline(run(results), `${name}; the console's last lines:\n${results.tail}`, limitMs);
      },
    });
  register("the kernel is the one that was asked for", async (all) => {
    assert.match(await all.kernel, new RegExp(`^${version.replace(".", "\\.")}\\.`));
  });
  for (const { file, tests } of mine) {
    for (const name of tests) {
      register(`${file.replace(/^tests\/|_test\.ts$/g, "")}: ${name}`, (all) => all.of(file, name));
    }
  }
}

function isBefore(version: string, [major, minor]: readonly [number, number]): boolean {
  const [have = 0, haveMinor = 0] = version.split(".").map(Number);
  return have < major || (have === major && haveMinor < minor);
}

/** What the machine runs: the tests by their names, in one Deno, which prints TAP. */
function scriptOf(run: Batch[]): string {
  const names = run.flatMap(({ tests }) => tests).map((name) => name.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"));
  const files = run.map(({ file }) => file).join(" ");
  return [
    'export MIRRORD_TEST_AGENT="/repo/dist/mirrord-linux-$(uname -m)"',
    `export MIRRORD_TEST_PATIENCE=${patience}`,
    `deno test -A --no-check --no-lock --reporter=tap --filter ${
      quoted(`/^(${names.join("|")})$/`)
    } ${files} 2>&1`,
    "",
  ].join("\n");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
