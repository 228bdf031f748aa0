// An attacker on the cluster's network: another pod looks for a debugger of the developer's machine behind
// the target's address, and, on a pod in its node's network, mirrord itself would hand out ports of the whole
// node. First where the configuration opens the debugger's port, which the other pod then reaches; then as
// mirrord leaves it.

import assert from "node:assert/strict";
import { registerCases } from "../support/cases.ts";
import { ClusterStage, type KubeObject, missingCluster } from "../support/cluster_stage.ts";
import { SessionRun } from "../support/session_run.ts";

const env = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };
/** A development server on localhost, and an inspector that nothing on the command line names. */
const server = [
  'require("node:http").createServer((_, answer) => answer.end("the laptop")).listen(80, "127.0.0.1")',
  'require("node:inspector").open(9333, "127.0.0.1")',
  'console.error("up")',
].join("; ");

/** What a program in `pod` gets from a URL: the answer, or the name of the failure. */
async function get(stage: ClusterStage, pod: string, url: string): Promise<string> {
  const code = [
    "import sys, urllib.request",
    "try: print(urllib.request.urlopen(sys.argv[1], timeout=10).read(4000).decode())",
    "except urllib.error.URLError as error: print(type(error.reason).__name__)",
  ].join("\n");
  return (await stage.kubectl("exec", pod, "--", "python3", "-c", code, url)).trim();
}

/** A pod in its node's network, whose program listens on port 18777. */
function onNode(): KubeObject {
  const container = {
    name: "app",
    image: "test.local/python:1",
    env: [{ name: "PORT", value: "18777" }],
    ports: [{ name: "http", containerPort: 18777 }],
    readinessProbe: { periodSeconds: 1, tcpSocket: { port: 18777 } },
  };
  const spec = { hostNetwork: true, terminationGracePeriodSeconds: 2, containers: [container] };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "on-node", labels: { app: "on-node" } },
    spec,
  } as KubeObject;
}

/** A local program that listens on both ports of the node and tells which answers. */
const twoPorts = [
  "import http.server, sys, threading",
  "class Answer(http.server.BaseHTTPRequestHandler):",
  "    def do_GET(self):",
  "        self.send_response(200); self.end_headers(); self.wfile.write(b'the laptop')",
  "    def log_message(self, *_): pass",
  "servers = [http.server.ThreadingHTTPServer(('0.0.0.0', port), Answer) for port in (18777, 18778)]",
  "for one in servers: threading.Thread(target=one.serve_forever).start()",
  "print('up', file=sys.stderr, flush=True)",
].join("\n");

const incoming = (more: Record<string, unknown> = {}) => ({
  feature: { network: { incoming: { mode: "steal", ...more } } },
});

const cases = [
  {
    name: "a debugger of the laptop is reached from another pod only where the configuration opens its port",
    async run(stage: ClusterStage) {
      const pod = await stage.podName();
      const { ipv4 } = stage.addresses;
      const start = (config: unknown, app: string[]) =>
        new SessionRun(stage, { config, flags: [], env, app });
      {
        await using run = start(incoming({ ports: [80, 9333] }), ["node", "-e", server]);
        await run.until(/Stealing port 9333: open to the cluster, as the configuration names this port/);
        assert.match(await get(stage, "client", `http://${ipv4}:9333/json/list`), /webSocketDebuggerUrl/);
      }
      {
        await using run = start(incoming(), ["node", "-e", server]);
        await run.until(/Stealing port 9333: only inside the pod/);
        assert.equal(await get(stage, "client", `http://${ipv4}:9333/json/list`), "ConnectionRefusedError");
        assert.match(await get(stage, pod, "http://127.0.0.1:9333/json/list"), /webSocketDebuggerUrl/);
        // The server on localhost goes on working: its port is the pod's, which nobody there serves to
        // others.
        await run.until(/Stealing port 80: open to the cluster, as the pod declares this port/);
        assert.equal(await get(stage, "client", `http://${ipv4}:80/`), "the laptop");
      }
      {
        const app = ["sh", "-c", "node --inspect=0.0.0.0:9333 -e 'setInterval(() => {}, 1e6)'; true"];
        await using run = start(incoming({ ports: [80, 9333] }), app);
        await run.until(/Port 9333 stays on this machine: it is the port of a debugger/);
        await run.until(/^Debugger listening/);
        assert.equal(await get(stage, "client", `http://${ipv4}:9333/json/list`), "ConnectionRefusedError");
        assert.equal(await get(stage, pod, "http://127.0.0.1:9333/json/list"), "ConnectionRefusedError");
      }
    },
  },
  {
    name: "a pod in its node's network is refused, and by consent gives its declared ports alone",
    async run(stage: ClusterStage) {
      await stage.apply([onNode()]);
      await stage.kubectl("wait", "--for=condition=Ready", "pod/on-node", "--timeout=180s");
      const pod = JSON.parse(await stage.kubectl("get", "pod", "on-node", "-o", "json")) as KubeObject;
      const node = String(pod.status.hostIP);
      const targetFlags = stage.flags("pod/on-node");
      for (const mode of ["steal", "mirror"]) {
        await using run = new SessionRun(stage, {
          targetFlags,
          flags: [],
          env,
          config: incoming({ mode }),
          app: ["true"],
        });
        const { code, stderr } = await run.finished();
        assert.equal(code, 78, stderr);
        assert.match(
          stderr,
          /Cannot take the traffic of "pod\/on-node": the pod "on-node" uses its node's network/,
        );
        assert.match(
          stderr,
          /"allow_host_network": true } to take the ports that the pod declares \(18777\)/,
        );
      }
      const after = JSON.parse(await stage.kubectl("get", "pod", "on-node", "-o", "json")) as KubeObject;
      assert.equal(after.spec.ephemeralContainers, undefined);
      await using run = new SessionRun(stage, {
        targetFlags,
        flags: [],
        env,
        config: { agent: { allow_host_network: true }, ...incoming() },
        app: ["python3", "-c", twoPorts],
      });
      await run.until(/^up$/);
      await run.until(/Stealing port 18777.*: open to the cluster/);
      await run.until(
        /Port 18778 stays on this machine: the pod uses its node's network and does not declare this port/,
      );
      assert.equal(await get(stage, "client", `http://${node}:18777/`), "the laptop");
      assert.equal(await get(stage, "client", `http://${node}:18778/`), "ConnectionRefusedError");
    },
  },
];

registerCases(cases, () => ClusterStage.create({ target: "app-loopback" }), missingCluster);
