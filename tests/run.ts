// `./dev test`: every suite, each step with its time, the counts of all added up in the last line. The cluster's suite
// takes as long as all others, so it runs beside them; its output is shown when it has ended.
// A suite that ends badly without a failed test of its own counts as one failure, so nothing passes empty.

import { exists, root } from "../scripts/step.ts";

/** A suite: what must be there before, and the commands whose results count. */
interface Suite {
  name: string;
  /** Commands that must succeed; each counts as one check. */
  checks?: string[][];
  /** Paths given to `deno test`. */
  tests?: string[];
  before?: string[][];
  after?: string[][];
  /** Runs beside the others, several files at a time. */
  beside?: boolean;
}

/** Where a suite's own output goes. */
type Show = (text: string) => void;

interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

/** At most so many test files at a time use the cluster: it is one node, on this machine. */
const besideJobs = 4;
const deno = Deno.execPath();
const buildAll = [deno, "run", "-A", "scripts/build.ts"];
const cluster = (verb: string): string[] => [deno, "run", "-A", "tests/cluster/cluster.ts", verb];
const ownCluster = Deno.env.has("MIRRORD_TEST_KUBECONFIG");

const suites: Suite[] = [
  {
    name: "ok",
    before: [[deno, "run", "-A", "scripts/build.ts", "assets"]],
    checks: [[deno, "fmt", "--check"], [deno, "lint"], [deno, "check"]],
    tests: ["core", "cmd", "protocol-wasm", "agent", "scripts", "tests/house_test.ts"],
  },
  { name: "layer", before: [[deno, "run", "-A", "scripts/build.ts", "assets"]], tests: ["tests/layer"] },
  { name: "agent", before: [[deno, "run", "-A", "scripts/build.ts", "assets"]], tests: ["tests/agent"] },
  { name: "program", before: [buildAll], tests: ["tests/program"] },
  {
    name: "e2e",
    before: ownCluster ? [buildAll] : [buildAll, cluster("up")],
    tests: ["tests/cluster", "tests/e2e"],
    after: ownCluster ? [] : [cluster("down")],
    beside: true,
  },
];

const encoder = new TextEncoder();

function print(text: string): void {
  let rest = encoder.encode(text);
  while (rest.length > 0) rest = rest.subarray(Deno.stdout.writeSync(rest));
}

/** Runs a command with its output shown; true when it succeeded. */
async function run(argv: string[]): Promise<boolean> {
  const [program = "", ...args] = argv;
  const { success } = await new Deno.Command(program, { args, cwd: root, stdin: "null" }).spawn().status;
  return success;
}

/** Runs `deno test` on those of the suite's paths that hold tests, shows its output and reads its closing counts. */
async function runTests({ tests = [], beside = false }: Suite, show: Show): Promise<Count> {
  const there = tests.filter((path) => exists(root + path));
  if (there.length === 0) return { passed: 0, failed: 1, skipped: 0 };
  const child = new Deno.Command(deno, {
    args: ["test", "-A", "--no-check", ...(beside ? ["--parallel"] : []), ...there],
    cwd: root,
    env: { NO_COLOR: "1", DENO_JOBS: String(Math.min(navigator.hardwareConcurrency, besideJobs)) },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let text = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    show(chunk);
    text = (text + chunk).slice(-4000);
  }
  const { success } = await child.status;
  const summary = text.match(
    /(\d+) passed(?: \([^)]*\))? \| (\d+) failed(?: \([^)]*\))?(?: \| (\d+) ignored)?/,
  );
  const [passed, failed, skipped] = [summary?.[1], summary?.[2], summary?.[3]].map((digits) =>
    Number(digits ?? 0)
  );
  const count = { passed: passed ?? 0, failed: failed ?? 0, skipped: skipped ?? 0 };
  const lying = (!success && count.failed === 0) || count.passed + count.failed === 0;
  return lying ? { ...count, failed: 1 } : count;
}

async function runSuite(suite: Suite, show: Show): Promise<Count> {
  const started = performance.now();
  const count: Count = { passed: 0, failed: 0, skipped: 0 };
  show(`== ${suite.name}\n`);
  let ready = true;
  for (const argv of suite.before ?? []) ready = ready && await run(argv);
  if (!ready) count.failed++;
  for (const argv of ready ? suite.checks ?? [] : []) {
    if (await run(argv)) count.passed++;
    else count.failed++;
  }
  const tests = ready ? await runTests(suite, show) : { passed: 0, failed: 0, skipped: 0 };
  for (const argv of suite.after ?? []) {
    if (!await run(argv)) count.failed++;
  }
  count.passed += tests.passed;
  count.failed += tests.failed;
  count.skipped += tests.skipped;
  show(`== ${suite.name}: ${describe(count)} (${((performance.now() - started) / 1000).toFixed(0)} s)\n`);
  return count;
}

function describe(count: Count): string {
  return `${count.passed} passed, ${count.failed} failed${
    count.skipped > 0 ? `, ${count.skipped} skipped` : ""
  }`;
}

const asked = Deno.args.length > 0 ? suites.filter((suite) => Deno.args.includes(suite.name)) : suites;
if (asked.length === 0) {
  print(
    `Cannot run "${Deno.args.join(" ")}": the suites are ${suites.map((suite) => suite.name).join(", ")}\n`,
  );
  Deno.exit(2);
}

/** The suites that have turns, one after the other. */
async function inTurn(): Promise<Count[]> {
  const counts: Count[] = [];
  for (const suite of asked.filter(({ beside }) => !beside)) counts.push(await runSuite(suite, print));
  return counts;
}

/** A suite beside them; what it shows comes at its end. */
async function beside(suite: Suite): Promise<Count> {
  let text = "";
  const count = await runSuite(suite, (chunk) => text += chunk);
  print(text);
  return count;
}

// Both would build it otherwise, at the same time. What fails here fails again in its suite, and counts there.
if (asked.some((suite) => suite.beside)) await run(buildAll);
const counts = (await Promise.all([inTurn(), ...asked.filter((suite) => suite.beside).map(beside)])).flat();
const total: Count = { passed: 0, failed: 0, skipped: 0 };
for (const count of counts) {
  total.passed += count.passed;
  total.failed += count.failed;
  total.skipped += count.skipped;
}
print(describe(total) + "\n");
Deno.exit(total.failed === 0 ? 0 : 1);
