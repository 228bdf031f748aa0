// The kubelet's probes of every kind, of every container, go on reaching a pod whose ports are all stolen by
// a program that stands at a breakpoint: the pod stays ready and is not restarted. Periods are as short as
// they can be, one failure is enough.

import assert from "node:assert/strict";
import { until } from "../cluster/command.ts";
import { registerCases } from "../support/cases.ts";
import { ClusterStage, type ClusterStageOptions, missingCluster } from "../support/cluster_stage.ts";
import { authority, serverCertificate } from "../support/certificates.ts";
import { assertClean } from "../support/postcondition.ts";
import { SessionRun } from "../support/session_run.ts";

const apps = decodeURIComponent(new URL("../apps/", import.meta.url).pathname);
const strict = { periodSeconds: 1, failureThreshold: 1, timeoutSeconds: 5 };
const enough = 15;

/** What probed.py counts when the kubelet asks, and which probe that is. */
const probes = {
  "http /healthz a+b kube-probe": {
    httpGet: { port: "web", path: "/healthz", httpHeaders: [{ name: "X-Probe", value: "a+b" }] },
  },
  "http /ready?deep=1 - checker": {
    httpGet: {
      port: 80,
      path: "/ready?deep=1",
      httpHeaders: [{ name: "User-Agent", value: "checker" }, { name: "Host", value: "shop.example" }],
    },
  },
  "https /secure - kube-probe": { httpGet: { port: 443, path: "/secure", scheme: "HTTPS" } },
  "tcp": { tcpSocket: { port: 7000 } },
  "grpc": { grpc: { port: 9090 } },
  "http /sidecar - kube-probe": { httpGet: { port: 81, path: "/sidecar" } },
};
const ports = [80, 81, 443, 7000, 9090];

async function options(): Promise<ClusterStageOptions> {
  const { cert, key } = await serverCertificate(await authority("the probed one's"));
  const script = Deno.readTextFileSync(`${apps}probed.py`);
  const image = "test.local/python:1";
  const [web, ready, secure, word, call, sidecar] = Object.values(probes).map((probe) => ({
    ...probe,
    ...strict,
  }));
  const idle = { image, command: ["sleep", "infinity"] };
  const serve = ["python3", "-c", script];
  const once = (port: number) => ({
    startupProbe: { tcpSocket: { port }, periodSeconds: 1, failureThreshold: 60 },
  });
  const spec = {
    terminationGracePeriodSeconds: 1,
    initContainers: [{
      name: "proxy",
      image,
      command: [...serve, "http=81", "counts=8001"],
      restartPolicy: "Always",
      ...once(81),
      livenessProbe: sidecar,
    }],
    containers: [
      {
        name: "app",
        image,
        command: [...serve, "http=80", "https=443", "tcp=7000", "grpc=9090", "counts=8000"],
        env: [{ name: "CERT", value: cert }, { name: "KEY", value: key }],
        ports: [{ name: "web", containerPort: 80 }],
        ...once(9090),
        livenessProbe: web,
        readinessProbe: ready,
      },
      { ...idle, ...once(443), name: "second", livenessProbe: secure, readinessProbe: word },
      {
        ...idle,
        ...once(9090),
        name: "third",
        livenessProbe: call,
        readinessProbe: { exec: { command: ["true"] } },
      },
    ],
  };
  const labels = { app: "probed" };
  return {
    target: "probed",
    path: "deployment/probed/container/app",
    extra: [{
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "probed" },
      spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    }],
  };
}

/** How often each probe has reached the original. */
async function counts(stage: ClusterStage): Promise<Record<string, number>> {
  const ask = `import json, urllib.request
read = lambda port: json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/"))
print(json.dumps({**read(8000), **read(8001)}))`;
  const exec = ["exec", await stage.podName(), "--container", "app", "--"];
  return JSON.parse(await stage.kubectl(...exec, "python3", "-c", ask));
}

async function assertWell(stage: ClusterStage): Promise<void> {
  const { status } = await stage.pod() ?? {};
  const restarts = [...status.containerStatuses, ...status.initContainerStatuses]
    .filter(({ name }: { name: string }) => !name.startsWith("mirrord-"))
    .map(({ name, restartCount }: { name: string; restartCount: number }) => `${name} ${restartCount}`);
  assert.deepEqual(restarts.toSorted(), ["app 0", "proxy 0", "second 0", "third 0"]);
  const ready = status.conditions.find(({ type }: { type: string }) => type === "Ready");
  assert.equal(ready.status, "True", JSON.stringify(ready));
}

const cases = ["", '{"path_filter": "^/"}'].map((filter) => ({
  name: `${
    filter === "" ? "an unfiltered" : "a filtered"
  } steal by a program at a breakpoint: READY, restarts 0`,
  async run(stage: ClusterStage) {
    const identity = await stage.identity();
    const http_filter = filter === "" ? {} : { http_filter: JSON.parse(filter) };
    const config = { feature: { network: { incoming: { mode: "steal", ...http_filter } }, fs: "local" } };
    const app = ["/usr/bin/python3", `${apps}standing.py`, ...ports.map(String)];
    await using run = await SessionRun.listening(stage, { app, flags: [], config });
    for (const port of ports) await run.until(new RegExp(`Stealing port ${port} `));
    const before = await counts(stage);
    await until(`each probe reached the original ${enough} times`, async () => {
      const now = await counts(stage);
      const missing = Object.keys(probes).filter((name) => (now[name] ?? 0) - (before[name] ?? 0) < enough);
      return missing.length === 0 || `${missing.join(", ")} of ${JSON.stringify(now)}`;
    }, 90);
    await assertWell(stage);
    assert.doesNotMatch(run.said().join("\n"), /heard/);
    // Other clients do come to the program.
    const dial = `import socket; s = socket.create_connection(("${stage.addresses.ipv4}", 80))
s.sendall(b"GET /healthz HTTP/1.1\\r\\nHost: pod\\r\\nUser-Agent: curl/8\\r\\n\\r\\n"); s.settimeout(1)
try: s.recv(1)
except TimeoutError: pass`;
    await stage.kubectl("exec", "client", "--", "python3", "-c", dial);
    await run.until(/^heard 80$/);
    await assertWell(stage);
    run.kill("SIGTERM");
    await run.finished();
    await assertClean(run, identity);
  },
}));

registerCases(cases, async () => ClusterStage.create(await options()), missingCluster);
