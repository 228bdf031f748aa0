// Runs suites: those that have turns one after the other, the others beside them. A process runs each test
// file, so none can leave anything to the next, and one that dies is one failure. A line tells of each as it
// ends; its output comes then too, but that of what passed in a suite beside the others at the suite's end. A
// few files that failed beside others run once more, alone, and the last lines name those that pass then.
// Called by tests/run.ts.

import { describe, type End, noOutcome, ofCommand, ofTests, type Outcome, sum } from "./outcome.ts";
import { type Suite, testFiles } from "./suites.ts";

/** Where a suite's own output goes. */
type Show = (text: string) => void;

/** Where commands run and test files are looked for, and where all output goes. */
export interface Place {
  root: string;
  print: Show;
}

/** A place for one suite: `show` has what it says itself. */
interface Stage extends Place {
  suite: Suite;
  show: Show;
  /** Resolves when no other suite runs beside this one any more. */
  alone: Promise<unknown>;
}

const deno = Deno.execPath();
/** So many failures are listed in the end; the rest is counted. */
const mostFailures = 40;
/** So many failed files of a suite run again: more of them are not the work of a busy machine. */
const mostAgain = 4;

function secondsSince(started: number): string {
  return `${((performance.now() - started) / 1000).toFixed(0)} s`;
}

/** Runs a command to its end with its output shown; answers how it ended, and that output. */
export async function run(
  argv: string[],
  { root, show, env = {} }: { root: string; show: Show; env?: Record<string, string> },
): Promise<{ end: End; text: string }> {
  const [program = "", ...args] = argv;
  const child = new Deno.Command(program, {
    args,
    cwd: root,
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let text = "";
  const take = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      show(chunk);
      text += chunk;
    }
  };
  await Promise.all([take(child.stdout), take(child.stderr)]);
  return { end: await child.status, text };
}

/** "tests/cluster/cluster.ts up" for what runs it with deno. */
function nameOf(argv: string[]): string {
  return argv.map((word) => word === deno ? "deno" : word).join(" ").replace(/^deno run -A /, "");
}

async function check(argv: string[], { root, show }: { root: string; show: Show }): Promise<Outcome> {
  const { end, text } = await run(argv, { root, show });
  return ofCommand(nameOf(argv), end, text);
}

/** Runs a test file; shows its output whole, when it has ended; at once when it failed. */
async function runFile(file: string, { root, suite, show, print }: Stage): Promise<Outcome> {
  const started = performance.now();
  let shown = "";
  const { end, text } = await run([deno, "test", "-A", "--no-check", file], {
    root,
    show: (chunk) => shown += chunk,
    env: { ...suite.env, NO_COLOR: "1" },
  });
  const outcome = ofTests(file, end, text);
  (outcome.failed > 0 ? print : show)(shown);
  print(`${suite.name}: ${file}: ${describe(outcome)} (${secondsSince(started)})\n`);
  return outcome;
}

/** Runs the suite's test files, `jobs` at a time. */
async function runFiles(files: string[], stage: Stage): Promise<Outcome> {
  const { suite } = stage;
  const outcomes = new Map<string, Outcome>();
  const running = new Set<Promise<void>>();
  let jobs = suite.jobs;
  let more: Promise<void> | undefined = stage.alone.then(() => {
    jobs = suite.jobsAlone ?? jobs;
    more = undefined;
  });
  const waiting = [...files];
  const start = async (file: string): Promise<void> => {
    outcomes.set(file, await runFile(file, stage));
  };
  while (waiting.length > 0 || running.size > 0) {
    for (const file of waiting.splice(0, jobs - running.size)) {
      const one: Promise<void> = start(file).finally(() => running.delete(one));
      running.add(one);
    }
    await Promise.race(more === undefined ? running : [...running, more]);
  }
  await runAgain(outcomes, stage);
  return sum([...outcomes.values()]);
}

/**
 * Runs the files that failed once more, one at a time (those of a suite beside the others when it is alone),
 * and puts their second outcome in place of the first. Not those whose single failure is a finding: an attack
 * that succeeded, a fuzz case.
 */
async function runAgain(outcomes: Map<string, Outcome>, stage: Stage): Promise<void> {
  const failed = [...outcomes].filter(([, outcome]) => outcome.failed > 0);
  if (failed.length > mostAgain) return;
  for (const [file, first] of failed) {
    if (stage.suite.once || file.startsWith("tests/attack/")) continue;
    if (stage.suite.beside) await stage.alone;
    stage.print(`${stage.suite.name}: ${file}: once more, alone\n`);
    const second = await runFile(file, stage);
    outcomes.set(file, second.failed > 0 ? second : { ...second, unsteady: first.failures });
  }
}

async function runSuite(stage: Stage): Promise<Outcome> {
  const { root, suite, show, print } = stage;
  const started = performance.now();
  show(`== ${suite.name}\n`);
  const outcomes: Outcome[] = [];
  let ready = true;
  for (const argv of suite.before ?? []) {
    if (!ready) break;
    const outcome = await check(argv, { root, show: print });
    ready = outcome.failed === 0;
    if (!ready) outcomes.push(outcome);
  }
  const files = testFiles(suite.tests, root);
  if (ready) {
    for (const argv of suite.checks ?? []) outcomes.push(await check(argv, stage));
    if (files.length > 0) {
      outcomes.push(await runFiles(files, stage));
    } else if (!suite.mayBeEmpty) {
      outcomes.push({ ...noOutcome(), failed: 1, failures: ["there are no tests"] });
    }
  }
  for (const argv of suite.after ?? []) {
    const outcome = await check(argv, { root, show: print });
    if (outcome.failed > 0) outcomes.push(outcome);
  }
  const outcome = sum(outcomes);
  show(`== ${suite.name}: ${describe(outcome)} (${secondsSince(started)})\n`);
  const ofSuite = (failure: string): string => `${suite.name}: ${failure}`;
  return {
    ...outcome,
    failures: outcome.failures.map(ofSuite),
    unsteady: outcome.unsteady.map(ofSuite),
  };
}

/** The suites that have turns, one after the other. */
async function inTurn(suites: Suite[], place: Place, alone: Promise<unknown>): Promise<Outcome> {
  const outcomes: Outcome[] = [];
  for (const suite of suites) outcomes.push(await runSuite({ ...place, suite, show: place.print, alone }));
  return sum(outcomes);
}

/** The suites beside them; what each shows comes at its end, but for what failed. */
async function beside(suites: Suite[], place: Place, alone: Promise<unknown>): Promise<Outcome> {
  return sum(
    await Promise.all(suites.map(async (suite) => {
      let text = "";
      const outcome = await runSuite({ ...place, suite, show: (chunk) => text += chunk, alone });
      place.print(text);
      return outcome;
    })),
  );
}

/**
 * Runs all of them; those that only run when they are named come last, since they stop parts of the cluster.
 */
export async function runSuites(suites: Suite[], place: Place): Promise<Outcome> {
  const [turnsEnded, othersEnded] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const turns = inTurn(suites.filter((suite) => !suite.beside && !suite.named), place, othersEnded.promise)
    .finally(turnsEnded.resolve);
  const others = beside(suites.filter((suite) => suite.beside), place, turnsEnded.promise)
    .finally(othersEnded.resolve);
  return sum([
    ...await Promise.all([turns, others]),
    await inTurn(suites.filter((suite) => suite.named), place, Promise.resolve()),
  ]);
}

/** The last lines: each failure by name, those that a second run did not show too, then the counts. */
export function ending(total: Outcome): string {
  const listed = total.failures.slice(0, mostFailures);
  const more = total.failures.length - listed.length;
  return [
    ...(total.unsteady.length > 0
      ? ["", "What failed beside other tests, and passed alone:", ...total.unsteady]
      : []),
    ...(listed.length > 0 ? ["", "What failed:", ...listed] : []),
    ...(more > 0 ? [`and ${more} more`] : []),
    describe(total),
    "",
  ].join("\n");
}
