// A stolen port against `kubectl port-forward`: the same server (load.c) run here by `mirrord exec --steal`
// and asked from a pod of the cluster, and run in the target's pod and asked from here, in turns in one run.
// Needs a cluster (./dev cluster up). Last line: mirrord / kubectl. Of times (rtt, connect) less is better,
// of everything else more. "down" is what the client receives: through a steal it goes from here to the
// cluster. `agent_idle_mib` and `agent_peak_mib` are the agent's resident memory before all that, and at
// most, bodies of 1 GiB and 1,000 connections at a time included.

import { inNetns } from "../tests/cluster/access.ts";
import { ClusterStage } from "../tests/support/cluster_stage.ts";
import { SessionRun } from "../tests/support/session_run.ts";
import { compileLoad, copyToPod, figure, serve } from "./load.ts";
import { compare, report } from "./measure.ts";
import { portForward } from "./port_forward.ts";

const rounds = 3;
const streamBytes = 64 << 20;
const peerPort = 18081;
const inPod = 8099;
const bodyBytes = 1 << 30;
/** When what the agent's start needed is let go of. */
const restMilliseconds = 8000;

/** What is measured: its key in the last line, how it is asked for, how it is shown. */
const figures: [key: string, args: (place: string[]) => string[], unit: string][] = [
  ["throughput_down", (place) => ["down", ...place, String(streamBytes)], "MB/s"],
  ["throughput_up", (place) => ["up", ...place, String(streamBytes)], "MB/s"],
  ["rtt_ratio", (place) => ["rtt", ...place, "1000"], "us"],
  ["connect_ratio", (place) => ["connect", ...place, "100"], "us"],
  ["connects_par_ratio", (place) => ["connects", ...place, "400", "20"], "/s"],
  ["rps_1", (place) => ["http", ...place, "1", "1"], "/s"],
  ["rps_10", (place) => ["http", ...place, "1", "10"], "/s"],
  ["rps_100", (place) => ["http", ...place, "1", "100"], "/s"],
];

function mebibytes(pid: number | undefined, field: "VmRSS" | "VmHWM"): string {
  if (pid === undefined) return "unknown"; // the node is another machine
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return (Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1]) / 1024).toFixed(0);
}

async function measure(stage: ClusterStage, folder: string): Promise<void> {
  const { namespace } = stage;
  const fixed = await compileLoad(folder, "static");
  const pod = await stage.podName();
  const beside = await copyToPod(namespace, pod, fixed, "/load");
  const inClient = await copyToPod(namespace, "client", fixed, "/load");
  const here = await inNetns([await compileLoad(folder, "dynamic")]);
  await using _server = await serve([...beside, "serve", String(inPod)]);
  const app = [`${folder}/load-dynamic`, "serve", "80"];
  const config = { feature: { fs: "local", env: false, network: { incoming: "steal", outgoing: false } } };
  await using session = new SessionRun(stage, { app, config, flags: [] });
  await session.until(/Stealing port 80/);
  const stolen = [stage.hosts.ipv4, "80"];
  await new Promise((resolve) => setTimeout(resolve, restMilliseconds));
  const [agent] = await stage.agents();
  const idle = mebibytes(agent, "VmRSS");
  const forwarded = ["127.0.0.1", String(peerPort)];
  // One of its own for each figure: kubectl goes on holding connections that its clients ended.
  const throughKubectl = async (argv: string[]): Promise<number> => {
    await using _forward = await portForward(stage, `pod/${pod}`, `${peerPort}:${inPod}`);
    return await figure(argv);
  };
  const said: string[] = [];
  report("                         mirrord  port-forward  mirrord/port-forward");
  for (const [key, args, unit] of figures) {
    const { ours, peer, ratio } = await compare(
      () => figure([...inClient, ...args(stolen)]),
      () => throughKubectl([...here, ...args(forwarded)]),
      rounds,
    );
    const column = (value: number) => `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`.padStart(14);
    report(`${key.padEnd(18)}${column(ours)}${column(peer)}${ratio.toFixed(2).padStart(22)}`);
    said.push(`${key}=${ratio.toFixed(2)}`);
  }
  for (const way of ["down", "up"]) await figure([...inClient, way, ...stolen, String(bodyBytes)]);
  await figure([...inClient, "http", ...stolen, "5", "1000"]);
  report(
    `incoming ${said.join(" ")} cli_peak_mib=${
      mebibytes(session.pid, "VmHWM")
    } agent_idle_mib=${idle} agent_peak_mib=${mebibytes(agent, "VmHWM")}`,
  );
}

const folder = Deno.makeTempDirSync();
try {
  await using stage = await ClusterStage.create();
  await measure(stage, folder);
} finally {
  Deno.removeSync(folder, { recursive: true });
}
