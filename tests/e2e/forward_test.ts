// The shared cases of port-forward with a pod as the target, and what only a cluster has: its Services and
// its name server, by name, with a target and without one.

import assert from "node:assert/strict";
import { attempt } from "../cluster/command.ts";
import { registerCases } from "../support/cases.ts";
import { forwardCases } from "../support/cases_forward.ts";
import { ClusterStage, missingCluster, withoutImage } from "../support/cluster_stage.ts";
import { untilBy } from "../support/client.ts";
import { ForwardRun, LocalServer } from "../support/forward_run.ts";
import { targetlessRules, withUser } from "../support/kube_users.ts";
import { assertTargetClean } from "../support/postcondition.ts";
import { Mirrord } from "../support/program.ts";

/** Asks the name server at argv[1] for the IPv4 address of argv[2] by one datagram, and prints it. */
const question = `
import socket, struct, sys
name = b"".join(bytes([len(part)]) + part.encode() for part in sys.argv[2].split(".")) + b"\\0"
asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asker.settimeout(20)
asker.sendto(struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + name + struct.pack(">2H", 1, 1), ("127.0.0.1", int(sys.argv[1])))
print(socket.inet_ntoa(asker.recv(512)[-4:]))
`;

const clusterCases = [
  {
    name: "when the pod is replaced the same ports lead to the new one",
    async run(stage: ClusterStage) {
      const server = await LocalServer.start(stage);
      await using run = await ForwardRun.ready(stage, ["-L", "0:redis:6379", "-R", `80:${server.port}`]);
      await untilBy(stage, "local");
      const before = await stage.podName();
      await stage.kubectl("delete", "pod", before, "--grace-period=1", "--wait");
      await run.until(/warning: The agent is gone /);
      await run.until(/Forwarding again, after /);
      assert.notEqual(await stage.podName(), before);
      await untilBy(stage, "local");
      const ping = await run.client(["redis-cli", "-p", String(run.ports[0]), "ping"]);
      assert.equal(ping.stdout, "PONG\n", ping.stderr);
      await server[Symbol.asyncDispose]();
      run.kill("SIGINT");
      assert.equal((await run.finished()).code, 0);
      await stage.lookAgain();
      await assertTargetClean(stage, await stage.identity());
    },
  },
  {
    name: "psql and redis-cli reach Services by their names",
    async run(stage: ClusterStage) {
      await using run = await ForwardRun.ready(stage, ["-L", "0:postgres:5432", "-L", "0:redis:6379"]);
      const [postgres, redis] = run.ports.map(String);
      const psql = ["psql", "--no-psqlrc", "-h", "127.0.0.1", "-p", postgres ?? "", "-U", "postgres"];
      const { stdout, stderr } = await run.client([...psql, "-Atc", "select 6 * 7"]);
      assert.equal(stdout, "42\n", stderr);
      const ping = await run.client(["redis-cli", "-p", redis ?? "", "ping"]);
      assert.equal(ping.stdout, "PONG\n", ping.stderr);
    },
  },
  {
    name: "the cluster's name server answers datagrams",
    async run(stage: ClusterStage) {
      await using run = await ForwardRun.ready(stage, ["-L", "0:kube-dns.kube-system:53/udp"]);
      const name = `app.${stage.namespace}.svc.cluster.local`;
      const address = await stage.kubectl("get", "service", "app", "-o", "jsonpath={.spec.clusterIP}");
      const { stdout, stderr } = await run.client(["python3", "-c", question, String(run.ports[0]), name]);
      assert.equal(stdout.trim(), address.trim(), stderr);
    },
  },
  {
    name: "without a target a Service of the namespace is reached",
    run: (stage: ClusterStage) =>
      withUser(stage, targetlessRules, async (kubeconfig) => {
        const place = ["--kubeconfig", kubeconfig, "--target-namespace", stage.namespace];
        const args = ["port-forward", ...place, "--target", "targetless", "-L", "0:app:80"];
        await using run = new Mirrord(args, { prefix: [...stage.prefix, ...withoutImage] });
        const port = /:(\d+) to app:80$/.exec(await run.until(/Forwarding \S+ to app:80$/))?.[1];
        const { stdout } = await attempt([
          ...stage.prefix,
          "curl",
          "--silent",
          "--noproxy",
          "*",
          `http://127.0.0.1:${port}/`,
        ]);
        assert.equal((JSON.parse(stdout) as { by: string }).by, "original");
        run.kill("SIGINT");
        assert.equal((await run.finished()).code, 0);
      }),
  },
];

registerCases(
  [...forwardCases, ...clusterCases],
  () => ClusterStage.create({ others: ["postgres", "redis"] }),
  missingCluster,
);
