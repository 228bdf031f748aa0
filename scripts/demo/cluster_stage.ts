// The demo's stage on the test cluster: a Deployment behind a Service, asked from another pod. Made by demo.ts; the
// cluster must be up (`./dev cluster up`). Disposing it removes the namespace that the demo made.

import { clusterAccess, importImage, inNetns, kubectl } from "../../tests/cluster/access.ts";
import { app, type Stage } from "./demo.ts";
import { client, parseAnswer } from "./process_stage.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const namespace = `mirrord-demo-${Deno.pid}`;

/** A Python pod that runs the demo's program out of a ConfigMap, its Service, and a pod that asks. */
function manifests(program: string): unknown {
  const labels = { app: "greeter" };
  const volumes = [{ name: "program", configMap: { name: "program" } }];
  const container = {
    image: "test.local/python:1",
    imagePullPolicy: "IfNotPresent",
    volumeMounts: [{ name: "program", mountPath: "/demo" }],
  };
  const items = [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "program", namespace },
      data: { "app.py": program, "client.py": client },
    },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "greeter", namespace },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            volumes,
            terminationGracePeriodSeconds: 0,
            containers: [{
              ...container,
              name: "greeter",
              command: ["python3", "/demo/app.py", "the original"],
              env: [{ name: "DEMO_GREETING", value: "hello from the pod" }],
              readinessProbe: { httpGet: { path: "/", port: 80 }, periodSeconds: 1 },
            }],
          },
        },
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "greeter", namespace },
      spec: { selector: labels, ports: [{ port: 80 }] },
    },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "client", namespace },
      spec: {
        volumes,
        terminationGracePeriodSeconds: 0,
        containers: [{
          ...container,
          name: "client",
          command: ["python3", "-c", "import signal; signal.pause()"],
        }],
      },
    },
  ];
  return { apiVersion: "v1", kind: "List", items };
}

/** Deploys the greeter and waits until it is ready. */
export async function clusterStage(): Promise<Stage> {
  const access = await clusterAccess();
  if (access === null) {
    throw new Error("Cannot show the demo on a cluster: none is up. Run ./dev cluster up first.");
  }
  await importImage(`${root}dist/mirrord-agent.tar`);
  await kubectl(["apply", "-f", "-"], { stdin: JSON.stringify(manifests(await Deno.readTextFile(app))) });
  await kubectl(["-n", namespace, "rollout", "status", "deployment/greeter", "--timeout=120s"]);
  await kubectl(["-n", namespace, "wait", "--for=condition=Ready", "pod/client", "--timeout=120s"]);
  return {
    description:
      "deployment/greeter on the test cluster, behind the Service greeter, with DEMO_GREETING set in the pod only.",
    argv: [
      "exec",
      "--kubeconfig",
      access.kubeconfig,
      "-n",
      namespace,
      "--target",
      "deployment/greeter",
      "--steal",
      "--",
      "python3",
      app,
      "your machine",
    ],
    cliPrefix: await inNetns([]),
    ask: async () =>
      parseAnswer(
        await kubectl(["-n", namespace, "exec", "client", "--", "python3", "/demo/client.py", "greeter"]),
      ),
    async [Symbol.asyncDispose]() {
      await kubectl(["delete", "namespace", namespace, "--wait=true"]);
    },
  };
}
