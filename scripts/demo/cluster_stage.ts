// The demo's stage on the test cluster: a Deployment behind a Service, asked from another pod. Made by
// demo.ts; the cluster must be up (`./dev cluster up`). Disposing it removes the namespace that the demo
// made.

import { releaseImage } from "../../core/config/agent_image.ts";
import { clusterAccess, importImage, inNetns, kubectl } from "../../tests/cluster/access.ts";
import { client, parseAnswer } from "./process_stage.ts";
import { app, type Stage } from "./stage.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const namespace = `mirrord-demo-${Deno.pid}`;

/**
 * The demo's program and the ledger as Deployments behind Services, out of a ConfigMap, and a pod that asks.
 */
function manifests(program: string, ledger: string): unknown {
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
      data: { "app.py": program, "client.py": client, "ledger.py": ledger },
    },
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "motto", namespace },
      data: { "motto.txt": "one pod, many developers\n" },
    },
    ...workload("greeter", 80, {
      volumes: [...volumes, { name: "motto", configMap: { name: "motto" } }],
      container: {
        ...container,
        volumeMounts: [...container.volumeMounts, { name: "motto", mountPath: "/srv/demo" }],
        command: ["python3", "/demo/app.py", "the original"],
        env: [{ name: "DEMO_GREETING", value: "hello from the target" }],
      },
    }),
    ...workload("ledger", 8080, {
      volumes,
      container: { ...container, command: ["python3", "/demo/ledger.py"] },
    }),
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

/** One Deployment of one pod and the Service in front of it. */
function workload(
  name: string,
  port: number,
  { volumes, container }: { volumes: unknown[]; container: Record<string, unknown> },
): unknown[] {
  const labels = { app: name };
  const readinessProbe = { httpGet: { path: "/", port }, periodSeconds: 1 };
  return [
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name, namespace },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            volumes,
            terminationGracePeriodSeconds: 0,
            containers: [{ ...container, name, readinessProbe }],
          },
        },
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, namespace },
      spec: { selector: labels, ports: [{ port }] },
    },
  ];
}

/** Deploys the greeter and waits until it is ready. */
export async function clusterStage(): Promise<Stage> {
  const access = await clusterAccess();
  if (access === null) {
    throw new Error("Cannot show the demo on a cluster: none is up. Run ./dev cluster up first.");
  }
  await importImage(`${root}dist/mirrord-agent.tar`);
  const programs = [app, new URL("./ledger.py", import.meta.url)].map((path) => Deno.readTextFile(path));
  const [program = "", ledger = ""] = await Promise.all(programs);
  await kubectl(["apply", "-f", "-"], { stdin: JSON.stringify(manifests(program, ledger)) });
  for (const name of ["greeter", "ledger"]) {
    await kubectl(["-n", namespace, "rollout", "status", `deployment/${name}`, "--timeout=120s"]);
  }
  await kubectl(["-n", namespace, "wait", "--for=condition=Ready", "pod/client", "--timeout=120s"]);
  return {
    description:
      "deployment/greeter on the test cluster, behind a Service: variable, name, ledger and file are there only.",
    target: [
      ...["--kubeconfig", access.kubeconfig, "-n", namespace, "--target", "deployment/greeter"],
      ...["--agent-image", releaseImage],
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
