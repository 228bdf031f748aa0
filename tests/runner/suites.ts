// The suites of `./dev test`: what must be there before each, the commands whose results count, and its test
// files. Read by tests/run.ts; every folder of tests stands in one of them (tests/house_test.ts).

import { exists, root } from "../../scripts/step.ts";

/** A suite: what must be there before, and the commands whose results count. */
export interface Suite {
  name: string;
  /** Commands that must succeed; each counts as one check. */
  checks?: string[][];
  /** Files and folders of tests. */
  tests: string[];
  /** Is there nothing to run where no such test has been written yet? */
  mayBeEmpty?: boolean;
  before?: string[][];
  after?: string[][];
  /** Variables of its tests. */
  env?: Record<string, string>;
  /** Runs beside those that have turns. */
  beside?: boolean;
  /** Test files that run at a time, a process each. */
  jobs: number;
  /** The same while no other suite runs. */
  jobsAlone?: number;
  /** Are its files that fail not run a second time? */
  once?: boolean;
  /** Runs only when it is named, and after all others. */
  named?: boolean;
}

const deno = Deno.execPath();
export const buildAll = [deno, "run", "-A", "scripts/build.ts"];
const buildAssets = [...buildAll, "assets"];
const cluster = (verb: string): string[] => [deno, "run", "-A", "tests/cluster/cluster.ts", verb];
const ownCluster = Deno.env.has("MIRRORD_TEST_KUBECONFIG");
/**
 * Two at a time even on two cores: most files wait more than they work (tests/agent/dns_servers_test.ts 67 s,
 * 8 s of them on a processor). With those of the cluster's suite that makes four; five made clients time out.
 */
const jobs = Math.max(2, navigator.hardwareConcurrency - 1);
const turn = { jobs, jobsAlone: jobs + 1 };
/** At most so many at a time use the cluster: it is one node, on this machine. */
const mostClusterJobs = 3;

/**
 * The files that take longest: each suite begins with its own of these, so that none of them runs alone in
 * the end.
 */
export const longest = [
  "tests/e2e/walk_test.ts",
  "tests/e2e/programs_test.ts",
  "tests/e2e/sent_test.ts",
  "tests/e2e/targetless_test.ts",
  "tests/e2e/mirror_test.ts",
  "tests/e2e/refusals_test.ts",
  "tests/e2e/files_test.ts",
  "tests/e2e/filter_test.ts",
  "tests/e2e/outgoing_test.ts",
  "tests/e2e/ports_test.ts",
  "tests/e2e/secrets_test.ts",
  "tests/e2e/silence_test.ts",
  "tests/e2e/steal_test.ts",
  "tests/e2e/ends_test.ts",
  "tests/e2e/databases_test.ts",
  "tests/e2e/targets_test.ts",
  "tests/layer/sanitizers_test.ts",
  "tests/layer/hooks_test.ts",
  "tests/layer/late_programs_test.ts",
  "tests/layer/analysis_test.ts",
  "tests/layer/outgoing_failures_test.ts",
  "tests/agent/packets_test.ts",
  "tests/agent/dns_servers_test.ts",
  "tests/agent/steal_test.ts",
  "tests/agent/resolve_test.ts",
  "tests/agent/files_test.ts",
  "tests/agent/heartbeat_test.ts",
  "tests/program/container_docker_test.ts",
  "tests/program/container_podman_test.ts",
  "tests/program/up_container_test.ts",
  "tests/program/ci_container_test.ts",
  "tests/program/process_programs_test.ts",
  "tests/program/last_bytes_test.ts",
  "tests/faults/process_test.ts",
  "tests/program/files_test.ts",
  "tests/program/process_target_test.ts",
  "tests/attack/neighbour_test.ts",
  "tests/attack/target_env_test.ts",
  "tests/attack/agent_test.ts",
];

/** Where a file stands in `longest`; behind them all when it does not. */
function rank(path: string): number {
  const at = longest.indexOf(path);
  return at < 0 ? longest.length : at;
}

/** The tests of a folder that need the cluster, or those that need only this machine. */
function testsIn(folder: string, onCluster: boolean): string[] {
  return testFiles([folder], root).filter((path) => path.endsWith("_cluster_test.ts") === onCluster);
}

/** The test files at and below `paths`: the longest first, then by name. */
export function testFiles(paths: string[], folder: string): string[] {
  return filesBelow(paths, folder).sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

function filesBelow(paths: string[], folder: string): string[] {
  return paths.filter((path) => exists(folder + path)).flatMap((path) => {
    if (!Deno.statSync(folder + path).isDirectory) return [path];
    return [...Deno.readDirSync(folder + path)].flatMap(({ name, isDirectory }) => {
      if (isDirectory) return filesBelow([`${path}/${name}`], folder);
      return name.endsWith("_test.ts") ? [`${path}/${name}`] : [];
    });
  });
}

/** What of the tests runs on macOS: nothing of it loads a call of Linux's (tests/house_tooling_test.ts). */
export const macTests: readonly string[] = [
  "protocol-wasm",
  "core/config",
  "core/net/byte_text_test.ts",
  "core/net/dns_message_test.ts",
  "core/net/fit_test.ts",
  "core/net/darwin",
  "core/launch/skip_test.ts",
  "core/launch/darwin",
  "tests/program/macos_program_test.ts",
];

/**
 * The one suite of macOS. The others need Linux: agent, attack and e2e its namespaces and BPF, layer its
 * loader, program and fuzz an agent of this machine, install its packages.
 */
export function macSuites(): Suite[] {
  return [{
    name: "ok",
    before: [[...buildAll, "wasm"]],
    checks: [[deno, "fmt", "--check"], [deno, "lint"], [deno, "check"]],
    tests: [...macTests],
    jobs,
  }];
}

/** Every suite; `fuzzCases` is for a run that does not set MIRRORD_FUZZ_CASES itself. */
export function allSuites(fuzzCases: number): Suite[] {
  const clusterAround = ownCluster
    ? { before: [buildAll] }
    : { before: [buildAll, cluster("up")], after: [cluster("down")] };
  return [
    {
      name: "ok",
      before: [buildAssets],
      checks: [[deno, "fmt", "--check"], [deno, "lint"], [deno, "check"]],
      tests: [
        "core",
        "cmd",
        "protocol-wasm",
        "agent",
        "editors",
        "scripts",
        "tests/runner",
        "tests/house_test.ts",
        "tests/house_tooling_test.ts",
        "tests/house_walk_test.ts",
      ],
      ...turn,
    },
    // Files of it that run at a time need the layer for macOS.
    { name: "layer", before: [buildAssets, [...buildAll, "mac-layer"]], tests: ["tests/layer"], ...turn },
    { name: "agent", before: [buildAssets], tests: ["tests/agent"], ...turn },
    {
      name: "program",
      before: [buildAll],
      tests: ["tests/program", ...testsIn("tests/faults", false)],
      ...turn,
    },
    { name: "install", tests: ["tests/install"], ...turn },
    {
      name: "attack",
      before: [buildAll],
      tests: testsIn("tests/attack", false),
      mayBeEmpty: true,
      ...turn,
    },
    {
      name: "fuzz",
      before: [buildAssets],
      tests: ["tests/fuzz"],
      beside: true, // one file of minutes; it runs while the cluster comes up
      jobs,
      once: true,
      env: { MIRRORD_FUZZ_CASES: Deno.env.get("MIRRORD_FUZZ_CASES") ?? String(fuzzCases) },
    },
    {
      name: "e2e",
      ...clusterAround,
      tests: ["tests/cluster", "tests/e2e", ...testsIn("tests/attack", true)],
      beside: true,
      jobs: Math.min(jobs, mostClusterJobs),
      jobsAlone: mostClusterJobs,
    },
    // Compilers of another language, an editor: minutes for what few commits touch.
    { name: "editors", before: [buildAll], tests: ["tests/editors"], jobs, named: true },
    // Programs of arm64 in an emulator, and every hook left out once.
    { name: "macos", before: [buildAssets], tests: ["tests/macos"], jobs, named: true },
    {
      name: "faults",
      ...clusterAround,
      tests: [...testsIn("tests/faults", true), ...testsIn("tests/faults", false)],
      jobs: 1, // they stop parts of the cluster
      once: true, // each fault's figures stand in docs/reliability.md
      named: true,
    },
    { name: "browser", before: [buildAll], tests: ["tests/browser"], jobs: 1, named: true },
    { name: "arm64", before: [buildAll], tests: ["tests/arm64"], jobs: 1, named: true },
    {
      name: "kernels",
      before: [buildAll],
      tests: ["tests/kernels"],
      jobs, // each machine has one processor
      named: true,
    },
  ];
}
