// A pod with resolver settings of its own and a name server that fails in every way: the same program asks in
// the pod and on this machine, and both get the same answers and the same errors. The cluster's own names:
// dns_test.ts.

import assert from "node:assert/strict";
import { registerCases } from "../support/cases.ts";
import { ClusterStage, type KubeObject, missingCluster } from "../support/cluster_stage.ts";
import { linesHere, linesInPod } from "../support/in_pod.ts";

const apps = decodeURIComponent(new URL("../apps", import.meta.url).pathname);
const config = { feature: { network: { incoming: "off" } } };

/** The server, with its program in a ConfigMap. */
async function serverObjects(): Promise<unknown[]> {
  const labels = { app: "names" };
  const mount = { name: "program", mountPath: "/app/names" };
  return [
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "names" },
      data: { "server.py": await Deno.readTextFile(`${apps}/name_server.py`) },
    },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "names", labels },
      spec: {
        terminationGracePeriodSeconds: 0,
        volumes: [{ name: "program", configMap: { name: "names" } }],
        containers: [{
          name: "server",
          image: "test.local/python:1",
          command: ["python3", "/app/names/server.py", "53"],
          volumeMounts: [mount],
          readinessProbe: { periodSeconds: 1, tcpSocket: { port: 53 } },
        }],
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "names" },
      spec: {
        selector: labels,
        ports: [{ name: "udp", port: 53, protocol: "UDP" }, { name: "tcp", port: 53, protocol: "TCP" }],
      },
    },
  ];
}

const idle = ["sh", "-c", "trap exit TERM; sleep infinity & wait"];

/** A pod with resolver settings of its own, and names in its hosts file. */
function asking(server: string): unknown {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "asking", labels: { app: "asking" } },
    spec: {
      terminationGracePeriodSeconds: 0,
      hostname: "asker",
      subdomain: "askers",
      hostAliases: [{ ip: "203.0.113.9", hostnames: ["known", "known.hosts.test"] }],
      dnsPolicy: "None",
      dnsConfig: {
        nameservers: [server],
        searches: ["first.test", "ok.test", "later.test"],
        options: [{ name: "ndots", value: "2" }, { name: "timeout", value: "1" }, {
          name: "attempts",
          value: "1",
        }],
      },
      containers: [
        { name: "python", image: "test.local/python:1", command: idle },
        { name: "node", image: "test.local/node:1", command: idle },
      ],
    },
  };
}

/**
 * Names that the server knows by the search list, by ndots, in the hosts file; that it fails for in each way.
 */
const askedNames = [
  ...["four", "six", "both", "alias", "many", "empty", "second", "nothing"],
  ...["four.ok.test", "both.ok.test.", "many.ok.test", "empty.ok.test", "nothing.ok.test", "FOUR.ok.TEST"],
  ...["dotted.name", "dotted.name.", "very.dotted.name", "very.dotted.name.ok.test"],
  ...["known", "known.hosts.test", "localhost", "asker", "192.0.2.99", "2001:db8::9", "1.2.3", ""],
  ...["fail.ok.test.", "refused.ok.test.", "silent.ok.test."],
  ...["not a name", "a".repeat(64), `${"long.".repeat(60)}test`],
  ...["@192.0.2.10", "@192.0.2.11", "@203.0.113.9", "@127.0.0.1"],
];
/** Without the silent ones: c-ares waits for minutes. */
const nodeNames = [
  ...[
    "both.ok.test",
    "alias.ok.test",
    "many.ok.test",
    "empty.ok.test",
    "nothing.ok.test",
    "known",
    "dotted.name",
  ],
  ...["fail.ok.test", "refused.ok.test", "@192.0.2.10", "@192.0.2.11"],
];

async function same(
  stage: ClusterStage,
  where: { place: string[]; target: string },
  script: { file: string; args: string[] },
): Promise<string[]> {
  const [there, here] = await Promise.all([
    linesInPod(stage, where.place, script),
    linesHere(stage, script, { targetFlags: stage.flags(where.target), config }),
  ]);
  assert.deepEqual(here, there);
  return here;
}

const cases = [
  {
    name: "Python finds by search list, ndots and hosts file, and fails, as in the pod",
    async run(stage: ClusterStage) {
      const where = { place: ["asking", "--container=python"], target: "pod/asking/container/python" };
      const seen = (await same(stage, where, { file: "lookups.py", args: askedNames })).join("\n");
      for (
        const text of [
          "192.0.2.20",
          "192.0.2.23",
          "203.0.113.9",
          'gaierror", -2',
          'gaierror", -3',
          'gaierror", -5',
        ]
      ) {
        assert.ok(seen.includes(text), `${text} in\n${seen}`);
      }
    },
  },
  {
    name: "Node's two resolvers find and fail as in the pod",
    async run(stage: ClusterStage) {
      const where = { place: ["asking", "--container=node"], target: "pod/asking/container/node" };
      const seen = (await same(stage, where, { file: "lookups.cjs", args: nodeNames })).join("\n");
      for (const text of ["ENOTFOUND", "ENODATA", "ESERVFAIL", "192.0.2.10"]) {
        assert.ok(seen.includes(text), seen);
      }
    },
  },
];

async function create(): Promise<ClusterStage> {
  const stage = await ClusterStage.create({ extra: await serverObjects() });
  try {
    const { spec } = JSON.parse(await stage.kubectl("get", "service", "names", "-o", "json")) as KubeObject;
    await stage.apply([asking(spec.clusterIP)]);
    await stage.kubectl("wait", "--for=condition=Ready", "pod/asking", "--timeout=180s");
    return stage;
  } catch (error) {
    await stage[Symbol.asyncDispose]();
    throw error;
  }
}

registerCases(cases, create, missingCluster);
