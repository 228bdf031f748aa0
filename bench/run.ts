// `./dev bench [NAME...]`: runs bench/NAME.ts, every one by default. Each prints one or more ratios against a
// real peer, measured in the same run: absolute times on a shared machine say little. `./dev bench all`
// brings the test cluster up where none is, and writes the last lines to bench/RESULTS.md.

import { clusterAccess } from "../tests/cluster/access.ts";
import { TextLineStream } from "../tests/support/text_lines.ts";
import { report } from "./measure.ts";

const here = new URL("./", import.meta.url);
const root = new URL("../", here);
/** What the benches share. */
const parts = [
  "run.ts",
  "measure.ts",
  "file_walks.ts",
  "hooked_start.ts",
  "exec_start.ts",
  "port_forward.ts",
  "load.ts",
  "agent_memory.ts",
  "image_size.ts",
];
const all = [...Deno.readDirSync(here)].map((entry) => entry.name)
  .filter((name) => name.endsWith(".ts") && !parts.includes(name)).map((name) => name.replace(/\.ts$/, ""))
  .sort();
/** All of them together, and one: what hangs must not keep the others' figures. */
const limitMilliseconds = 18 * 60_000;
const oneLimitMilliseconds = 6 * 60_000;
const signals = ["SIGINT", "SIGTERM"] as const;
/** Was it interrupted? */
let over = false;

/**
 * Runs one bench with its output shown; its last line, or what went wrong. One that is stopped ends with the
 * programs that it started. Its stages and sessions see to themselves (tests/support/when_killed.ts), and its
 * output ends after them.
 */
async function run(name: string, limit: number): Promise<{ success: boolean; last: string }> {
  const child = new Deno.Command("setsid", {
    args: [Deno.execPath(), "run", "-A", new URL(`${name}.ts`, here).pathname],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  let late = false;
  const stop = (): void => Deno.kill(-child.pid, "SIGTERM");
  const timer = setTimeout(() => {
    late = true;
    stop();
  }, limit);
  const interrupted = (): void => {
    stop();
    over = true;
  };
  for (const signal of signals) Deno.addSignalListener(signal, interrupted);
  let last = "";
  for await (const line of child.stdout.pipeThrough(new TextLineStream())) {
    report(line);
    last = line;
  }
  const { success, code } = await child.status;
  clearTimeout(timer);
  for (const signal of signals) Deno.removeSignalListener(signal, interrupted);
  if (success) return { success, last };
  return {
    success,
    last: late ? `${name}: not done after ${(limit / 1000).toFixed(0)} s` : `${name}: ended with ${code}`,
  };
}

async function output(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(program, { args, cwd: root, stdin: "null" }).output();
  return new TextDecoder().decode(stdout).trim();
}

/** What the figures were measured on, without the machine's name. */
async function results(lines: string[], seconds: number): Promise<string> {
  const [commit, changes] = [
    await output("git", "rev-parse", "--short", "HEAD"),
    await output("git", "status", "--short"),
  ];
  const { total } = Deno.systemMemoryInfo();
  const machine = `${navigator.hardwareConcurrency} cores, ${
    Math.round(total / 2 ** 30)
  } GiB of memory, Linux ${Deno.osRelease()}, ${Deno.build.arch}`;
  return [
    "# Results of the benches",
    "",
    `Written by \`./dev bench all\` on ${new Date().toISOString().slice(0, 10)} in ${
      (seconds / 60).toFixed(0)
    } minutes.`,
    "",
    `- Commit: ${commit}${changes === "" ? "" : ", with changes"}`,
    `- Machine: ${machine}; the cluster, its clients and mirrord share it`,
    `- Load average before: ${loadBefore.toFixed(1)}`,
    "",
    "Each line is a bench's last one. Ratios are mirrord / peer in one run; what each means stands at the top of `bench/NAME.ts`.",
    "",
    "```",
    ...lines,
    "```",
    "",
  ].join("\n");
}

async function cluster(verb: string): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "tests/cluster/cluster.ts", verb],
    cwd: root,
    stdin: "null",
  }).spawn().status;
  return success;
}

const writes = Deno.args.join() === "all";
/** Names that benches had before. */
const former: Record<string, string> = { startup: "start", tunnel: "incoming" };
const named = Deno.args.map((name) => name.replace(/\.ts$/, ""));
const asked = writes || Deno.args.length === 0 ? all : named.map((name) => former[name] ?? name);
const unknown = asked.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  Deno.stderr.writeSync(
    new TextEncoder().encode(`Cannot run "${unknown.join(" ")}": there are ${all.join(" ")}, and all\n`),
  );
  Deno.exit(2);
}
const [loadBefore = 0] = Deno.loadavg();
const broughtUp = writes && await clusterAccess() === null;
if (broughtUp && !await cluster("up")) Deno.exit(1);
const began = performance.now();
const lines: string[] = [];
let failed = false;
for (const name of asked) {
  const left = writes ? limitMilliseconds - (performance.now() - began) : Infinity;
  if (over) break;
  const limit = writes ? Math.min(left, oneLimitMilliseconds) : 2 ** 31 - 1;
  if (limit <= 0) {
    lines.push(`${name}: not run, the time was up`);
    failed = true;
    continue;
  }
  const { success, last } = await run(name, limit);
  failed = failed || !success;
  lines.push(last);
}
const seconds = (performance.now() - began) / 1000;
if (broughtUp) failed = !await cluster("down") || failed;
if (writes && !over) Deno.writeTextFileSync(new URL("RESULTS.md", here), await results(lines, seconds));
Deno.exit(over ? 130 : failed ? 1 : 0);
