// `mirrord ls`: the targets of a namespace on standard output. For people one a line, ready to be given to
// `exec --target`; for programs JSON, in the shapes that the original's editor extensions read.

import { log } from "../core/base/log.ts";
import { ConfigError, TargetError } from "../core/base/errors.ts";
import { KubeClient } from "../core/kube/client.ts";
import { type ListedTarget, listTargets } from "../core/target/list.ts";
import type { LsCommand } from "./args.ts";
import { clusterFlags, configOf } from "./config_flags.ts";
import { printLine } from "./ui.ts";

/** Kinds that can be asked for; those of the original that are none here have no targets. */
const kinds = ["pod", "deployment"];
const otherKinds = ["rollout", "statefulset", "cronjob", "job", "service", "replicaset"];

/** Prints the targets; those that are not ready are marked (rich JSON) or counted on standard error. */
export async function ls(command: LsCommand): Promise<number> {
  const types = typesOf(command);
  // A file that steals may have no target yet: that is what is looked for.
  const config = await configOf(command, { ...clusterFlags(command), steal: false });
  using kube = await KubeClient.open({ ...config.kube, namespace: config.target.namespace, env: Deno.env });
  const rich = isOn("MIRRORD_LS_RICH_OUTPUT");
  const targets = (await listTargets(kube)).filter(({ path }) =>
    types === null || types.some((type) => path.startsWith(`${type}/`))
  );
  const available = targets.filter((target) => target.available);
  if (rich) {
    const namespaces = await kube.listNamespaces().catch(() => [kube.namespace]);
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
    explain(targets, available, kube.namespace);
  }
  return 0;
}

function explain(targets: readonly ListedTarget[], available: readonly ListedTarget[], namespace: string) {
  const others = targets.length - available.length;
  if (others > 0) log.info(`Not ready, and so not listed: ${others}`);
  if (targets.length === 0) log.info(`The namespace "${namespace}" has no targets`);
}

/** The kinds asked for by flag, else by MIRRORD_LS_TARGET_TYPES (a JSON list); null: all. */
function typesOf({ targetType }: LsCommand): string[] | null {
  const variable = Deno.env.get("MIRRORD_LS_TARGET_TYPES");
  const asked = targetType ?? (variable ? readTypes(variable) : null);
  if (asked === null) return null;
  for (const type of asked) {
    if (kinds.includes(type)) continue;
    if (!otherKinds.includes(type)) {
      throw new ConfigError(`Cannot list "${type}": there is no such kind of target`, {
        help: `Known are ${kinds.join(" and ")}.`,
      });
    }
    log.warning(`Targets of the kind "${type}" are not supported yet, so none is listed`);
  }
  return asked;
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

function isOn(variable: string): boolean {
  return /^(true|1)$/i.test(Deno.env.get(variable) ?? "");
}
