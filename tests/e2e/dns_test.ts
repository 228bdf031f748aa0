// Names of the cluster: what Python finds under mirrord is what the same program finds in the pod by kubectl
// exec, line by line: Services by every form of their name, hosts that are none, addresses, and the pod's own
// name.

import assert from "node:assert/strict";
import { registerCases } from "../support/cases.ts";
import { ClusterStage, missingCluster } from "../support/cluster_stage.ts";
import { withSession } from "../support/postcondition.ts";
import { SessionRun } from "../support/session_run.ts";

const script = decodeURIComponent(new URL("../apps/names.py", import.meta.url).pathname);
const resolvers = decodeURIComponent(new URL("../apps/resolvers.mjs", import.meta.url).pathname);
const port = { name: "http", port: 80, targetPort: 80 };
const service = (name: string, spec: unknown) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name },
  spec,
});
const extra = [
  service("headless", { clusterIP: "None", selector: { app: "app" }, ports: [port] }),
  service("empty", { clusterIP: "None", selector: { app: "nobody" }, ports: [port] }),
  service("elsewhere", { type: "ExternalName", externalName: "web.default.svc.cluster.local" }),
  service("alias", { type: "ExternalName", externalName: "kubernetes.default.svc.cluster.local" }),
];

/** Names and addresses as an app writes them. */
async function questions(stage: ClusterStage): Promise<string[]> {
  const { namespace } = stage;
  const address = await stage.kubectl("get", "service", "app", "-o", "jsonpath={.spec.clusterIP}");
  const pod = await stage.pod();
  return [
    ...["app", `app.${namespace}`, `app.${namespace}.svc`, `app.${namespace}.svc.cluster.local`],
    ...[`app.${namespace}.svc.cluster.local.`, "app.", "kubernetes.default", "kubernetes"],
    ...["headless", "empty", "elsewhere", "alias", "no-such-service", `no-such.${namespace}`],
    ...["no-such-host.example.com", "a.b.c.d.e.f.example.com", "localhost"],
    ...[address.trim(), String(pod?.status.podIP), String(pod?.metadata.name), "203.0.113.1", "2001:db8::1"],
  ];
}

/** What the script prints in the pod. */
function inPod(stage: ClusterStage, pod: string, hosts: readonly string[]): Promise<string> {
  return stage.kubectl("exec", pod, "--", "python3", "-c", Deno.readTextFileSync(script), ...hosts);
}

function underMirrord(stage: ClusterStage, hosts: readonly string[], config: unknown): SessionRun {
  return new SessionRun(stage, { flags: [], config, app: ["python3", script, ...hosts] });
}

async function lines(run: SessionRun): Promise<string[]> {
  const { code, stdout, stderr } = await run.finished();
  assert.equal(code, 0, stderr);
  return stdout.trim().split("\n");
}

const only = (feature: unknown) => ({
  feature: { env: false, network: { outgoing: false, ...feature as object } },
});

registerCases(
  [
    {
      name: "every name leads where it leads in the pod, or fails as there",
      async run(stage: ClusterStage): Promise<void> {
        const hosts = await questions(stage);
        const pod = await stage.podName();
        const native = (await inPod(stage, pod, hosts)).trim().split("\n");
        const start = () => Promise.resolve(underMirrord(stage, hosts, only({})));
        await withSession(stage, start, async (run) => {
          const ours = await lines(run);
          assert.deepEqual(ours, native);
          assert.ok(ours.some((line) => line.startsWith(`${pod} ${pod}`)), "the host name is the pod's");
        });
      },
    },
    {
      name: "a resolver of the program's own asks the cluster's name server",
      async run(stage: ClusterStage): Promise<void> {
        const address = await stage.kubectl("get", "service", "app", "-o", "jsonpath={.spec.clusterIP}");
        const conf = await stage.kubectl("exec", await stage.podName(), "--", "cat", "/etc/resolv.conf");
        const host = `app.${stage.namespace}.svc.cluster.local`;
        const app = ["/usr/bin/node", resolvers, host, "no-such-host.cluster.local"];
        await withSession(
          stage,
          () => Promise.resolve(new SessionRun(stage, { flags: [], app })),
          async (run) => {
            const ours = await lines(run);
            assert.deepEqual(JSON.parse(ours[0] ?? "[]"), [/^nameserver (\S+)$/m.exec(conf)?.[1]]);
            assert.equal(ours[1], `${host} A ["${address.trim()}"]`);
            assert.equal(ours[4], 'no-such-host.cluster.local A "ENOTFOUND"');
          },
        );
      },
    },
    {
      name: "names that the filter leaves here are this machine's",
      async run(stage: ClusterStage): Promise<void> {
        const filter = { local: ["*.svc.cluster.local"] };
        const start = () =>
          Promise.resolve(
            underMirrord(stage, ["--one-thread", "app", "localhost"], only({ dns: { filter } })),
          );
        await withSession(stage, start, async (run) => {
          const ours = await lines(run);
          assert.match(ours[0] ?? "", /gaierror/);
          assert.match(ours.find((line) => line.startsWith("localhost ")) ?? "", /127\.0\.0\.1|::1/);
        });
      },
    },
    {
      name: "with names off, all are this machine's, its own too",
      async run(stage: ClusterStage): Promise<void> {
        const config = { feature: { env: false, hostname: false, network: { outgoing: false, dns: false } } };
        const start = () => Promise.resolve(underMirrord(stage, ["--one-thread", "app"], config));
        await withSession(stage, start, async (run) => {
          const ours = await lines(run);
          assert.match(ours[0] ?? "", /gaierror/);
          assert.ok(ours.some((line) => line.startsWith(Deno.hostname())));
        });
      },
    },
  ],
  () => ClusterStage.create({ extra }),
  missingCluster,
);
