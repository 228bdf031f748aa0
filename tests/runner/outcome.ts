// What a suite's command or test process came to: counts, and the failures by name. tests/run.ts lists the
// failures at the very end of its output, since a reader of a long log often sees only its last lines.

export interface Outcome {
  passed: number;
  failed: number;
  skipped: number;
  /** A line or more for each failure. */
  failures: string[];
  /** The same of files that failed beside others and passed alone. */
  unsteady: string[];
}

/** How a process ended. */
export interface End {
  code: number;
  signal?: string | null;
}

export function noOutcome(): Outcome {
  return { passed: 0, failed: 0, skipped: 0, failures: [], unsteady: [] };
}

export function sum(outcomes: Outcome[]): Outcome {
  const total = noOutcome();
  for (const { passed, failed, skipped, failures, unsteady } of outcomes) {
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
    total.failures.push(...failures);
    total.unsteady.push(...unsteady);
  }
  return total;
}

/** "12 passed, 0 failed, 1 skipped" */
export function describe({ passed, failed, skipped }: Omit<Outcome, "failures" | "unsteady">): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/** A command that counts as one check: what failed, how it ended and its last words. */
export function ofCommand(command: string, end: End, output: string): Outcome {
  if (end.code === 0) return { ...noOutcome(), passed: 1 };
  // Deno's own backtrace, where RUST_BACKTRACE is set, tells nothing.
  const said = output.replace(/^\s*Stack backtrace:[^]*/m, "");
  const words = said.split("\n").map((line) => line.trimEnd()).filter((line) => line !== "").slice(-6);
  const failure = [`"${command}" ended with ${howEnded(end)}`, ...words.map((line) => `    ${line}`)];
  return { ...noOutcome(), failed: 1, failures: [failure.join("\n")] };
}

/**
 * The outcome that `deno test` of `what` printed; without a failed test of its own a bad end is one failure.
 */
export function ofTests(what: string, end: End, output: string): Outcome {
  const summaries = [...output.matchAll(
    /^(?:ok|FAILED) \| (\d+) passed(?: \([^)]*\))? \| (\d+) failed(?: \([^)]*\))?(?: \| (\d+) ignored)?/gm,
  )];
  const [passed = 0, failed = 0, skipped = 0] = (summaries.at(-1) ?? []).slice(1).map((digits) =>
    Number(digits ?? 0)
  );
  const failures = failedTests(output);
  if ((end.code !== 0 && failed === 0) || passed + failed + skipped === 0) {
    const failures = [`${what} ended with ${howEnded(end)}: no result`];
    return { ...noOutcome(), passed, failed: 1, skipped, failures };
  }
  return {
    ...noOutcome(),
    passed,
    failed,
    skipped,
    failures: failed > 0 && failures.length === 0 ? [`${what}: ${failed} failed`] : failures,
  };
}

/** Names and first words of what deno lists under FAILURES and ERRORS. */
function failedTests(output: string): string[] {
  const from = output.lastIndexOf("\n FAILURES ");
  if (from < 0) return [];
  const errors = output.slice(Math.max(0, output.lastIndexOf("\n ERRORS ", from)), from).split("\n");
  const lines = output.slice(from).split("\n").slice(2);
  const end = lines.findIndex((line) => line.startsWith("FAILED | "));
  return lines.slice(0, end < 0 ? lines.length : end).filter((line) => line !== "").map((name) => {
    const at = errors.indexOf(name);
    const error = at < 0 ? undefined : errors.slice(at + 1).find((line) => line !== "");
    return error === undefined ? name : `${name}\n    ${error}`;
  });
}

function howEnded({ code, signal }: End): string {
  return signal ? `signal ${signal}` : `code ${code}`;
}
