// The hostile neighbour of neighbour_test.ts as what it is: a sidecar of the target's pod, one as uid 1000
// without a capability, one as root with what container runtimes give by default. Sessions are the compiled
// binary's.

import assert from "node:assert/strict";
import { kubectlCommand } from "../cluster/access.ts";
import { registerCases } from "../support/cases.ts";
import { ClusterStage, type KubeObject, missingCluster } from "../support/cluster_stage.ts";
import { runMirrord } from "../support/program.ts";
import { programStream } from "../support/bridge.ts";
import { Neighbour } from "./neighbour.ts";
import { askUnprotected } from "./unprotected.ts";

const canary = `canary-${crypto.randomUUID()}`;
const sessions = 10;

/** The app's container alone has the canary; beside it stand the two sidecars. */
function addSidecars(object: KubeObject): void {
  if (object.metadata.name !== "app" || object.kind !== "Deployment") return;
  const { containers } = object.spec.template.spec;
  containers[0].env.push({ name: "CANARY", value: canary });
  const sidecar = { image: "test.local/python:1", command: ["sleep", "infinity"] };
  containers.push(
    {
      ...sidecar,
      name: "ordinary",
      securityContext: {
        runAsUser: 1000,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"] },
        seccompProfile: { type: "RuntimeDefault" },
      },
    },
    { ...sidecar, name: "root", securityContext: { runAsUser: 0 } },
  );
}

async function inSidecar(stage: ClusterStage, sidecar: string, ...args: string[]): Promise<string[]> {
  const place = ["--namespace", stage.namespace, "exec", "--stdin", await stage.podName()];
  return await kubectlCommand([...place, "--container", sidecar, "--", "python3", ...args]);
}

async function neighbour(stage: ClusterStage, sidecar: string, ...args: string[]): Promise<Neighbour> {
  return new Neighbour(await inSidecar(stage, sidecar), args);
}

/** A session whose app says the canary. */
async function session(stage: ClusterStage): Promise<void> {
  const app = ["sh", "-c", 'echo "it is $CANARY"'];
  const { code, stdout, stderr } = await runMirrord(["exec", ...stage.targetFlags, "--", ...app], {
    prefix: stage.prefix,
  });
  assert.deepEqual([code, stdout], [0, `it is ${canary}\n`], stderr);
}

/** A client that nothing protects, over a stream to the pod's loopback: what it gets. */
async function askPort(stage: ClusterStage, port: number): Promise<string> {
  const script = await Deno.readTextFile(new URL("../agent/bridge.py", import.meta.url));
  await using wire = programStream(await inSidecar(stage, "app", "-c", script, String(port)));
  const { privateKey } = await crypto.subtle.generateKey("Ed25519", false, [
    "sign",
    "verify",
  ]) as CryptoKeyPair;
  return await askUnprotected(wire.stream, privateKey);
}

const cases = [
  {
    name:
      "without the proofs a sidecar that has the port is taken for the agent, and one with NET_RAW reads along",
    async run(stage: ClusterStage) {
      await using poser = await neighbour(stage, "ordinary", "pose", "21001");
      assert.equal((await poser.says()).state, "listens");
      await using sniffer = await neighbour(stage, "root", "sniff", "PYTHONWARNINGS=invented");
      assert.equal((await sniffer.says()).state, "sniffs");
      assert.equal(await askPort(stage, 21_001), "PYTHONWARNINGS=invented\0");
      assert.equal((await poser.says()).state, "was believed");
      await sniffer.finish();
      assert.deepEqual((await sniffer.says())["seen"], ["PYTHONWARNINGS=invented"]);
    },
  },
  {
    name:
      `${sessions} sessions of ${sessions} are the session's own beside sidecars that burn the processor and read along`,
    async run(stage: ClusterStage) {
      await using watcher = await neighbour(stage, "ordinary", "watch", "2");
      assert.equal((await watcher.says()).state, "watches");
      await using sniffer = await neighbour(stage, "root", "sniff", canary, "CANARY");
      assert.equal((await sniffer.says()).state, "sniffs");
      for (let count = 0; count < sessions; count++) await session(stage);
      await sniffer.finish();
      const { seen, packets } = await sniffer.says();
      assert.deepEqual(seen, []);
      assert.ok(Number(packets) > 10 * sessions, `it saw ${packets} packets`);
      await watcher.finish();
      const { agents, bound, got } = await watcher.says();
      assert.ok(Number(agents) >= sessions / 2, `it met ${agents} agents`);
      assert.ok(!String(got).includes("CANARY"), "an agent answered it");
      // On IPv6 it may be faster, and then the agent takes another port.
      const beside = (bound as [number, string][]).filter(([, address]) => address !== "::1");
      assert.deepEqual(beside, [], "it bound a port beside an agent");
    },
  },
  {
    name: "a sidecar that squats the names of a stolen port does not keep it from being stolen",
    async run(stage: ClusterStage) {
      await using squatter = await neighbour(stage, "ordinary", "squat", "80");
      assert.equal((await squatter.says()).state, "holds");
      const app = [
        "python3",
        "-c",
        "import socket; s = socket.socket(); s.bind(('0.0.0.0', 80)); s.listen()",
      ];
      const flags = ["exec", ...stage.targetFlags, "--steal", "--", ...app];
      const { code, stderr } = await runMirrord(flags, { prefix: stage.prefix });
      assert.equal(code, 0, stderr);
      assert.match(stderr, /Another program of the pod poses as a session that has port 80/);
    },
  },
];

registerCases(
  cases,
  () => ClusterStage.create({ change: addSidecars, path: "deployment/app/container/app" }),
  missingCluster,
);
