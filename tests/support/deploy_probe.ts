// Walks config → target → agent inside the network from which a test cluster is reached, and prints what
// happened as one line of JSON. tests/e2e/deploy_test.ts starts it with an `Order`; it is no test itself.

import { MirrordError } from "../../core/base/errors.ts";
import { setLogSink } from "../../core/base/log.ts";
import { loadConfig } from "../../core/config/load.ts";
import { deployAgent } from "../../core/deploy/deploy.ts";
import { KubeClient } from "../../core/kube/client.ts";
import { listTargets } from "../../core/target/list.ts";
import { resolveTarget } from "../../core/target/resolve.ts";

/** What to do; `forward`: send an HTTP request to that port of the target by a port-forward of our own. */
export interface Order {
  kubeconfig: string;
  namespace: string;
  target?: string;
  image?: string;
  steal?: boolean;
  startupTimeout?: string;
  step: "list" | "resolve" | "deploy" | "forward";
  port?: number;
}

/** What happened. */
export interface Outcome {
  error?: { name: string; message: string; help: string | undefined; exitCode: number };
  targets?: string[];
  label?: string;
  container?: string;
  kernel?: string;
  variables?: Record<string, string>;
  reply?: string;
  log: string[];
}

const lines: string[] = [];

async function walk(order: Order): Promise<Omit<Outcome, "log">> {
  const { kubeconfig, namespace } = order;
  if (order.step === "list") {
    using kube = await KubeClient.open({ kubeconfig, namespace, env: Deno.env });
    const { targets } = await listTargets(kube);
    return { targets: targets.map(({ path, available }) => `${path} ${available}`) };
  }
  const config = await loadConfig({
    flags: {
      kubeconfig,
      namespace,
      target: order.target,
      agentImage: order.image,
      steal: order.steal,
      agentStartupTimeout: order.startupTimeout,
    },
    env: new Map(),
    directory: "/nonexistent",
  });
  const target = await resolveTarget(config);
  if (target.kind === "targetless") throw new TypeError("the order names no target");
  if (order.step === "resolve") {
    const { label } = target;
    target[Symbol.dispose]();
    return { label, ...(target.kind === "pod" ? { container: target.container } : {}) };
  }
  if (order.step === "forward") {
    if (target.kind !== "pod") throw new TypeError("only a pod's port can be forwarded");
    return { reply: await get(target.kube, target.pod, order.port ?? 80) };
  }
  await using deployed = await deployAgent(target, config, { steal: order.steal === true, env: true });
  await using agent = await deployed.connect();
  const frames = await agent.link.request("env", { include: "", exclude: "" });
  const pairs = frames.map(({ body }) => new TextDecoder().decode(body)).join("").split("\0").filter(Boolean);
  const variables = Object.fromEntries(pairs.map((pair) => {
    const at = pair.indexOf("=");
    return [pair.slice(0, at), pair.slice(at + 1)];
  }));
  return { label: target.label, kernel: agent.kernel, variables };
}

/** The reply to a request that asks the server to close: it ends with the stream. */
async function get(kube: KubeClient, pod: string, port: number): Promise<string> {
  const stream = await kube.portForward(pod, port);
  await stream.write(new TextEncoder().encode("GET / HTTP/1.0\r\n\r\n"));
  const into = new Uint8Array(4096);
  let reply = "";
  for (let count = await stream.read(into); count !== null; count = await stream.read(into)) {
    reply += new TextDecoder().decode(into.subarray(0, count));
  }
  stream.close();
  return reply;
}

async function main(): Promise<Outcome> {
  setLogSink((level, text) => lines.push(`${level}: ${text}`));
  try {
    return { ...await walk(JSON.parse(Deno.args[0] ?? "{}")), log: lines };
  } catch (error) {
    if (!(error instanceof MirrordError)) {
      const message = error instanceof Error ? error.message : String(error);
      return { error: { name: "bug", message, help: undefined, exitCode: -1 }, log: lines };
    }
    const { name, message, help, exitCode } = error;
    return { error: { name, message, help, exitCode }, log: lines };
  }
}

if (import.meta.main) Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(await main()) + "\n"));
