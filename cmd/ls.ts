// `mirrord ls`: the targets of a namespace on standard output. For people one a line, ready to be given to
// `exec --target`; for programs JSON, in the shapes that upstream's editor extensions read.

import { log } from "../core/base/log.ts";
import { ConfigError, TargetError } from "../core/base/errors.ts";
import { environment, variable } from "../core/base/variables.ts";
import { KubeClient } from "../core/kube/client.ts";
import { isObjectName } from "../core/kube/names.ts";
import {
  type ListedKind,
  listedKinds,
  type ListedTarget,
  type Listing,
  listTargets,
} from "../core/target/list.ts";
import type { LsCommand } from "./commands.ts";
import { clusterFlags, configOf } from "./config_flags.ts";
import { printLine } from "./ui.ts";

/** Kinds of upstream that do not exist here have no targets. */
const otherKinds = ["rollout", "statefulset", "cronjob", "job", "service", "replicaset"];

/** Prints the targets; those that are not ready are marked (rich JSON) or counted on standard error. */
export async function ls(command: LsCommand): Promise<number> {
  const kinds = kindsOf(command);
  const config = await configOf(command, clusterFlags(command), { targetLater: true });
  using kube = await KubeClient.open({
    ...config.kube,
    namespace: config.target.namespace,
    env: environment,
  });
  const rich = isOn("MIRRORD_LS_RICH_OUTPUT");
  const { targets, refused } = await listTargets(kube, kinds);
  warnOf(refused);
  const available = targets.filter((target) => target.available);
  if (rich) {
    const namespaces = (await kube.listNamespaces().catch(() => [kube.namespace])).filter(isObjectName);
    printLine(JSON.stringify({ targets, current_namespace: kube.namespace, namespaces }));
  } else if (command.output === "json" || Deno.env.get("MIRRORD_PROGRESS_MODE") === "json") {
    printLine(JSON.stringify(available.map(({ path }) => path)));
  } else {
    for (const { path } of available) printLine(path);
    if (targets.length === 0 && !await kube.namespaceExists()) {
      throw new TargetError(`Cannot list targets: there is no namespace "${kube.namespace}"`, {
        help: `Name another with --namespace; the context is "${kube.contextName}".`,
      });
    }
    explain(targets, available, kinds.filter((kind) => !refused.some((one) => one.kind === kind)), kube);
  }
  return 0;
}

function warnOf(refused: Listing["refused"]): void {
  for (const { kind, error } of refused) {
    log.warning(`The ${kind}s are not listed: ${error.message.replace(/^Cannot [^:]*: /, "")}`);
  }
}

function explain(
  targets: readonly ListedTarget[],
  available: readonly ListedTarget[],
  kinds: readonly ListedKind[],
  { namespace }: KubeClient,
): void {
  const others = targets.length - available.length;
  if (others > 0) log.info(`Not ready, and so not listed: ${others}`);
  if (targets.length === 0 && kinds.length > 0) {
    log.info(`The namespace "${namespace}" has no ${kinds.join(" and no ")}`);
  }
}

/**
 * The kinds given by flag, otherwise by MIRRORD_LS_TARGET_TYPES (a JSON list); all kinds when neither is
 * given.
 */
function kindsOf({ targetType }: LsCommand): ListedKind[] {
  const given = variable("MIRRORD_LS_TARGET_TYPES");
  const asked = targetType ?? (given ? readTypes(given) : null);
  if (asked === null) return [...listedKinds];
  for (const type of asked) {
    if (listedKinds.some((kind) => kind === type)) continue;
    if (!otherKinds.includes(type)) {
      throw new ConfigError(`Cannot list "${type}": there is no such kind of target`, {
        help: `Known are ${listedKinds.join(" and ")}.`,
      });
    }
    log.warning(`Targets of the kind "${type}" are not supported yet, so none is listed`);
  }
  return listedKinds.filter((kind) => asked.includes(kind));
}

function readTypes(text: string): string[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (Array.isArray(value)) return value.map(String);
  throw new ConfigError(`Cannot use "MIRRORD_LS_TARGET_TYPES": "${text}" is not a list in JSON`);
}

function isOn(name: string): boolean {
  return /^(true|1)$/i.test(Deno.env.get(name) ?? "");
}
