// `mirrord doctor`: looks at everything that a session needs, in the order in which `exec` would need it,
// and says what to do about what is missing. It changes nothing; with --link it starts an agent, as a
// session would.

import { release } from "node:os";
import { DeployError, exitCodes, MirrordError } from "../core/base/errors.ts";
import { environment } from "../core/base/variables.ts";
import { mirrordVersion } from "../core/base/version.ts";
import type { Config } from "../core/config/config.ts";
import { sentImage } from "../core/config/agent_image.ts";
import { deployAgent } from "../core/deploy/deploy.ts";
import { needsOf } from "../core/deploy/needs.ts";
import { capabilitiesFor } from "../core/deploy/rights.ts";
import { KubeClient } from "../core/kube/client.ts";
import { ClusterFacts } from "../core/kube/cluster_facts.ts";
import { NoClusterError } from "../core/kube/kubeconfig.ts";
import { lackingRights, lacks, type Right } from "../core/kube/rights.ts";
import { interruptible } from "../core/launch/interrupts.ts";
import { tryLayer } from "../core/launch/try_layer.ts";
import { parseTargetPath, type TargetPath } from "../core/target/path.ts";
import { resolveTarget, type Target } from "../core/target/resolve.ts";
import { allRights } from "../core/target/rights.ts";
import type { DoctorCommand } from "./commands.ts";
import { clusterFlags, configOf } from "./config_flags.ts";
import { type Finding, Report } from "./doctor_report.ts";

/** Stealing needs sk_lookup. */
const oldestKernel = [5, 9] as const;
/** Questions by which the link's latency is measured. */
const pings = 100;

/** What the checks share. */
interface Visit {
  command: DoctorCommand;
  config: Config;
  path: TargetPath;
  report: Report;
  signal: AbortSignal;
}

/** Prints a row for each thing; the exit code is that of the first that failed. */
export async function doctor(command: DoctorCommand): Promise<number> {
  using interrupt = interruptible();
  const report = new Report(command.output === "json");
  const platform = `${Deno.build.os} ${Deno.build.arch}`;
  report.add({
    check: "mirrord",
    state: "ok",
    said: `${mirrordVersion} on ${platform}, kernel ${release()}`,
  });
  await report.check("library", tryLayer, (program) => `it is loaded into ${program}`);
  const read = await report.check(
    "configuration",
    () => readConfig(command),
    ({ config }) =>
      config.file === undefined ? "no file, so the defaults count" : `"${config.file}" can be used`,
  );
  if (read !== null) {
    const visit: Visit = { command, ...read, report, signal: interrupt.signal };
    await (visit.path.kind === "process" ? visitProcess(visit) : visitCluster(visit));
  }
  return report.end();
}

async function readConfig(command: DoctorCommand): Promise<{ config: Config; path: TargetPath }> {
  const { target, steal, agentImage } = command;
  const flags = { ...clusterFlags(command), target, steal, agentImage };
  const config = await configOf(command, flags, { targetLater: target === undefined });
  return { config, path: parseTargetPath(config.target.path ?? "targetless") };
}

async function visitProcess(visit: Visit): Promise<void> {
  const { config, report, signal } = visit;
  const target = await report.check("target", () => resolveTarget(config, { signal }), ({ label }) => label);
  if (target === null) return;
  if (Deno.uid() === 0) report.add({ check: "rights", state: "ok", said: "mirrord runs as root" });
  else {
    report.add({
      check: "rights",
      state: "warning",
      said: "mirrord does not run as root: where the agent must, it is started by sudo",
    });
  }
  await report.check("kernel", () => Promise.resolve(release()), (kernel) => kernelFinding(kernel, config));
  await visitLink(target, visit);
}

async function visitCluster(visit: Visit): Promise<void> {
  const { config, path, report, signal } = visit;
  const options = { ...config.kube, namespace: config.target.namespace, env: environment };
  using stack = new DisposableStack();
  const kube = await report.check(
    "kubeconfig",
    () => openCluster(options, path.kind === "targetless"),
    (opened) =>
      opened === "none"
        ? {
          state: "skipped",
          said: "there is none: only process targets, and sessions without one, are possible",
        }
        : `context "${opened.contextName}" at ${opened.server}, namespace "${opened.namespace}"`,
  );
  if (kube === null || kube === "none") return;
  stack.use(kube);
  const facts = stack.use(await ClusterFacts.open(options));
  const began = performance.now();
  const version = await report.check(
    "API server",
    () => facts.version(signal),
    (said) => `Kubernetes ${said}, answered after ${(performance.now() - began).toFixed(0)} ms`,
  );
  if (version === null) return;
  await report.check(
    "Pod Security",
    () => facts.podSecurity(kube.namespace, signal),
    (level) => securityFinding(level, visit),
  );
  await visitRights(kube, visit);
  const image = config.agent.image === sentImage
    ? "none: it is sent into a container of the target's own image"
    : `${config.agent.image}; whether the nodes can pull it shows when an agent starts (--link)`;
  report.add({ check: "agent's image", state: "ok", said: image });
  if (path.kind === "targetless" && config.agent.pod === null) {
    report.skip("target", "none is named: --target deployment/NAME");
    return report.skip("link", "there is no target");
  }
  const target = await report.check("target", () => resolveTarget(config, { signal }), ({ label }) => label);
  if (target === null) return;
  if (target.kind === "pod") {
    await report.check(
      "node's kernel",
      () => facts.kernelOf(target.node, signal),
      (kernel) =>
        kernel === null
          ? { state: "skipped", said: 'you may not "get" nodes; the agent says its kernel (--link)' }
          : kernelFinding(kernel, config),
    );
  }
  await visitLink(target, visit);
}

async function openCluster(
  options: Parameters<typeof KubeClient.open>[0],
  isOptional: boolean,
): Promise<KubeClient | "none"> {
  try {
    return await KubeClient.open(options);
  } catch (error) {
    if (error instanceof NoClusterError && isOptional) return "none";
    throw error;
  }
}

/** Throws where the level refuses the agent. */
function securityFinding(level: string | null, { config, path }: Visit): Finding {
  if (level === null) {
    return { state: "skipped", said: "you may not read the namespace, so its level is unknown" };
  }
  if (level === "" || level === "privileged") return "no level refuses the agent";
  const needs = path.kind === "targetless" ? null : needsOf(config, { kind: "pod" });
  const capabilities = needs === null ? [] : capabilitiesFor(needs);
  if (capabilities.length === 0) return `the level "${level}" admits this agent, which needs no capability`;
  throw new DeployError(
    `Cannot start the agent: the namespace's Pod Security level "${level}" refuses ${
      capabilities.join(", ")
    }`,
    {
      help:
        "Use a namespace without that level, or ask its administrator. Outgoing connections alone need no " +
        "capability (docs/rbac.md).",
      exitCode: exitCodes.permission,
    },
  );
}

async function visitRights(kube: KubeClient, { config, path, report, signal }: Visit): Promise<void> {
  // Most sessions are on a deployment: so is one whose target is not named yet.
  const isWithout = path.kind === "targetless" && config.agent.pod !== null;
  const kind = path.kind === "pod" ? path.kind : isWithout ? "none" : "deployment";
  const { needed, optional } = allRights(kind, config.agent.image === sentImage);
  const name = path.kind === "pod" ? path.name : "";
  const lacking = new Set(await lackingRights(kube, [...needed, ...optional], name, signal));
  for (const right of needed) {
    await report.check(`right: ${textOf(right)}`, () => {
      if (lacking.has(right)) throw lacks([right], kube.namespace);
      return Promise.resolve();
    }, () => `to ${right.action}`);
  }
  for (const right of optional) {
    const state = lacking.has(right) ? "warning" : "ok";
    const said = lacking.has(right) ? `you do not have it, to ${right.action}` : `to ${right.action}`;
    report.add({ check: `right: ${textOf(right)}`, state, said });
  }
}

function textOf({ verb, resource }: Right): string {
  return `${verb} ${resource}`;
}

/** Throws for a kernel on which nothing can be stolen. */
function kernelFinding(kernel: string, { incoming }: Config): Finding {
  const [, major = 0, minor = 0] = (/^(\d+)\.(\d+)/.exec(kernel) ?? []).map(Number);
  const [most, least] = oldestKernel;
  if (major > most || (major === most && minor >= least)) return kernel;
  const state = `${kernel} is older than ${oldestKernel.join(".")}, which stealing needs`;
  if (incoming.mode !== "steal") return { state: "warning", said: state };
  throw new DeployError(`Cannot steal: the kernel ${state}`, {
    help: "Mirror instead, or use another node.",
  });
}

async function visitLink(target: Target, { command, config, report, signal }: Visit): Promise<void> {
  using _target = target;
  if (command.link !== true) return report.skip("link", "not tried: --link starts an agent and measures it");
  const needs = needsOf(config, target);
  if (target.kind === "targetless" || needs === null) {
    return report.skip("link", "nothing is asked of the target");
  }
  await report.check("link", async () => {
    const began = performance.now();
    await using stack = new AsyncDisposableStack();
    const deployed = stack.use(await deployAgent(target, config, { ...needs, signal }));
    const agent = stack.use(await deployed.connect());
    const started = performance.now() - began;
    const times: number[] = [];
    for (let count = 0; count < pings; count++) {
      signal.throwIfAborted();
      const asked = performance.now();
      await agent.link.request("unsent", {}).catch((cause) => {
        throw new MirrordError("Cannot measure the link: the agent is gone", {
          cause,
          exitCode: exitCodes.linkLost,
        });
      });
      times.push(performance.now() - asked);
    }
    return { started, times, kernel: agent.kernel };
  }, ({ started, times, kernel }) => {
    const average = times.reduce((sum, time) => sum + time, 0) / times.length;
    const [least, mean, most] = [Math.min(...times), average, Math.max(...times)].map((ms) => ms.toFixed(1));
    return `the agent started in ${(started / 1000).toFixed(1)} s on kernel ${kernel}; ` +
      `${pings} questions: min ${least} ms, average ${mean} ms, max ${most} ms`;
  });
}
