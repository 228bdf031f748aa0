// What a developer's database clients feel: pgbench and redis-benchmark, run locally, against PostgreSQL and
// Redis in the cluster (./dev cluster up), through mirrord and through `kubectl port-forward`, in turn. A
// ratio above 1: mirrord is faster.

import { inNetns } from "../tests/cluster/access.ts";
import { ClusterStage } from "../tests/support/cluster_stage.ts";
import { binary } from "../tests/support/program.ts";
import { compare, report } from "./measure.ts";
import { portForward } from "./port_forward.ts";

const rounds = 5;
const pgPort = 15432;
const redisPort = 16379;
const connections = 60;
/** A question to Redis on a new connection each; prints the median in seconds. */
const newConnections = `
import socket, sys, time
def once():
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), 20) as s:
        s.sendall(b"PING\\r\\n")
        assert s.recv(64) == b"+PONG\\r\\n"
took = []
for _ in range(${connections}):
    t = time.perf_counter(); once(); took.append(time.perf_counter() - t)
print(sorted(took)[len(took) // 2])
`;

async function output(argv: string[]): Promise<string> {
  const [program = "", ...args] = argv;
  const result = await new Deno.Command(program, { args, stdin: "null" }).output();
  if (!result.success) {
    throw new Error(`Cannot run "${argv.join(" ")}": ${new TextDecoder().decode(result.stderr)}`);
  }
  return new TextDecoder().decode(result.stdout);
}

async function clusterIp(stage: ClusterStage, service: string): Promise<string> {
  return (await stage.kubectl("get", "service", service, "-o", "jsonpath={.spec.clusterIP}")).trim();
}

/** Transactions a second of select-only pgbench on `clients` connections. */
async function transactions(prefix: string[], host: string, port: number, clients: number): Promise<number> {
  const place = ["-h", host, "-p", String(port), "-U", "postgres"];
  const work = ["-n", "-S", "-c", String(clients), "-j", "1", "-T", "4"];
  const said = await output([...prefix, "pgbench", ...place, ...work, "postgres"]);
  const found = /^tps = ([\d.]+) \(without initial/m.exec(said)?.[1];
  if (found === undefined) throw new Error(`Cannot read pgbench: ${said}`);
  return Number(found);
}

/** GETs a second of redis-benchmark on `clients` connections. */
async function requests(prefix: string[], host: string, port: number, clients: number): Promise<number> {
  const work = ["-c", String(clients), "-n", clients === 1 ? "2000" : "20000", "-t", "get", "--csv"];
  const said = await output([...prefix, "redis-benchmark", "-h", host, "-p", String(port), ...work]);
  const found = /^"GET","([\d.]+)"/m.exec(said)?.[1];
  if (found === undefined) throw new Error(`Cannot read redis-benchmark: ${said}`);
  return Number(found);
}

/** Seconds that a new connection with a question takes. */
async function connecting(prefix: string[], host: string, port: number): Promise<number> {
  return Number(await output([...prefix, "python3", "-c", newConnections, host, String(port)]));
}

await using stage = await ClusterStage.create({ others: ["postgres", "redis"] });
for (const name of ["postgres", "redis"]) {
  await stage.kubectl("rollout", "status", `deployment/${name}`, "--timeout=120s");
}
const postgres = await clusterIp(stage, "postgres");
const redis = await clusterIp(stage, "redis");
await using _postgres = await portForward(stage, "service/postgres", `${pgPort}:5432`);
await using _redis = await portForward(stage, "service/redis", `${redisPort}:6379`);
const peer = await inNetns([]);
const ours = [...stage.prefix, binary, "exec", ...stage.targetFlags, "--"];
await output([
  ...peer,
  "pgbench",
  "-i",
  "-q",
  "-h",
  "127.0.0.1",
  "-p",
  String(pgPort),
  "-U",
  "postgres",
  "postgres",
]);
const ratios: Record<string, number> = {};
for (const clients of [1, 10]) {
  const tps = await compare(
    () => transactions(ours, postgres, 5432, clients),
    () => transactions(peer, "127.0.0.1", pgPort, clients),
    rounds,
  );
  const rps = await compare(
    () => requests(ours, redis, 6379, clients),
    () => requests(peer, "127.0.0.1", redisPort, clients),
    rounds,
  );
  report(
    `${clients} connection${clients === 1 ? "" : "s"}: PostgreSQL ${
      tps.ours.toFixed(0)
    } tps, kubectl port-forward ${tps.peer.toFixed(0)}, ratio ${tps.ratio.toFixed(2)}; Redis ${
      rps.ours.toFixed(0)
    } rps, kubectl port-forward ${rps.peer.toFixed(0)}, ratio ${rps.ratio.toFixed(2)}`,
  );
  ratios[clients] = tps.ratio;
  ratios[`redis ${clients}`] = rps.ratio;
}
const fresh = await compare(
  () => connecting(ours, redis, 6379),
  () => connecting(peer, "127.0.0.1", redisPort),
  rounds,
);
report(
  `new connection: ${(fresh.ours * 1e6).toFixed(0)} us, kubectl port-forward ${
    (fresh.peer * 1e6).toFixed(0)
  } us, time ratio ${fresh.ratio.toFixed(2)}`,
);
report(
  `outgoing pg_tps_ratio=${ratios[10]?.toFixed(2)} redis_rps_ratio=${ratios["redis 10"]?.toFixed(2)} ` +
    `connect_ratio=${fresh.ratio.toFixed(2)}`,
);
