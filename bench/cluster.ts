// What a developer feels on a cluster (./dev cluster up), against kubectl doing the like in the same run: the
// start of a session against `kubectl debug`, bytes and round trips through a stolen port against `kubectl
// port-forward`.

import { inNetns, kubectlCommand } from "../tests/cluster/access.ts";
import { ClusterStage } from "../tests/support/cluster_stage.ts";
import { runMirrord } from "../tests/support/program.ts";
import { SessionRun } from "../tests/support/session_run.ts";
import { compare, report, timed } from "./measure.ts";
import { portForward } from "./port_forward.ts";

const root = decodeURIComponent(new URL("../", import.meta.url).pathname);
const size = 256 << 20;
const requests = 300;
const connections = 60;
const localPort = 18080;
/** Small requests on one connection; prints the median in seconds. */
const roundTrips = `
import http.client, sys, time
c = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2])); took = []
for _ in range(${requests}):
    t = time.perf_counter(); c.request("GET", "/bytes/1"); c.getresponse().read(); took.append(time.perf_counter() - t)
print(sorted(took)[len(took) // 2])
`;
/**
 * The same, each on a new connection, up to the answer's last byte: kubectl hands on the pod's end a second
 * later.
 */
const newConnections = `
import http.client, sys, time
took = []
for _ in range(${connections}):
    t = time.perf_counter(); c = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]))
    c.request("GET", "/bytes/1"); c.getresponse().read(); took.append(time.perf_counter() - t); c.close()
print(sorted(took)[len(took) // 2])
`;
const exchanges = [
  ["request on an open connection", roundTrips],
  ["new connection", newConnections],
] as const;

async function output(argv: string[]): Promise<string> {
  const [program = "", ...args] = argv;
  const result = await new Deno.Command(program, { args, stdin: "null" }).output();
  if (!result.success) {
    throw new Error(`Cannot run "${argv.join(" ")}": ${new TextDecoder().decode(result.stderr)}`);
  }
  return new TextDecoder().decode(result.stdout);
}

/** Seconds that curl took for `size` bytes. */
async function download(prefix: string[], host: string): Promise<number> {
  const took = await output([
    ...prefix,
    "curl",
    "-s",
    "-o",
    "/dev/null",
    "-w",
    "%{time_total}",
    `http://${host}/bytes/${size}`,
  ]);
  return Number(took);
}

async function start(stage: ClusterStage): Promise<void> {
  const debug = async (): Promise<string[]> => {
    const name = `debug-${crypto.randomUUID().slice(0, 8)}`;
    const place = [
      "-n",
      stage.namespace,
      "debug",
      await stage.podName(),
      "--image=test.local/python:1",
      "--image-pull-policy=IfNotPresent",
    ];
    return await kubectlCommand([
      ...place,
      `--container=${name}`,
      "--target=app",
      "--attach",
      "--quiet",
      "--",
      "true",
    ]);
  };
  const { ours, peer, ratio } = await compare(
    () =>
      timed(() =>
        runMirrord(["exec", ...stage.targetFlags, "--steal", "--", "true"], { prefix: stage.prefix })
      ),
    async () => {
      const argv = await debug();
      return await timed(() => output(argv));
    },
    5,
  );
  report(
    `start and end of a session: ${ours.toFixed(0)} ms, kubectl debug ${peer.toFixed(0)} ms, ratio ${
      ratio.toFixed(2)
    }`,
  );
}

async function traffic(stage: ClusterStage): Promise<void> {
  const app = ["env", "LISTEN=0.0.0.0", "python3", `${root}tests/cluster/apps/app.py`];
  await using session = new SessionRun(stage, { app });
  await session.until(/Stealing port 80/);
  await using _forward = await portForward(stage, `pod/${await stage.podName()}`, `${localPort}:80`);
  const inClient = await kubectlCommand(["-n", stage.namespace, "exec", "client", "--"]);
  const onLaptop = await inNetns([]);
  const bytes = await compare(
    () => download(inClient, stage.hosts.ipv4),
    () => download(onLaptop, `127.0.0.1:${localPort}`),
    3,
  );
  const speed = (seconds: number): string => (size / seconds / 1e6).toFixed(0);
  report(
    `download of ${size >> 20} MiB: stolen ${speed(bytes.ours)} MB/s, kubectl port-forward ${
      speed(bytes.peer)
    } MB/s, time ratio ${bytes.ratio.toFixed(2)}`,
  );
  for (const [name, script] of exchanges) {
    const took = async (prefix: string[], host: string, port: number): Promise<number> =>
      Number(await output([...prefix, "python3", "-c", script, host, String(port)]));
    const { ours, peer, ratio } = await compare(
      () => took(inClient, stage.hosts.ipv4, 80),
      () => took(onLaptop, "127.0.0.1", localPort),
      3,
    );
    const us = (seconds: number): string => (seconds * 1e6).toFixed(0);
    report(
      `${name}: stolen ${us(ours)} us, kubectl port-forward ${us(peer)} us, ratio ${ratio.toFixed(2)}`,
    );
  }
}

await using stage = await ClusterStage.create();
// mirrord has the rights that make a start faster (docs/rbac.md), kubectl all.
await start(stage);
await traffic(stage);
