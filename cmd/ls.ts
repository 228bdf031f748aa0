// `mirrord ls`: the targets of a namespace, or of all, on standard output. For people one a line, ready to
// be given to `exec --target`; for programs JSON, in the shapes that upstream's editor extensions read. How
// a list looks is in listing.ts.

import { log } from "../core/base/log.ts";
import { ConfigError, exitCodes, KubeError, MirrordError, TargetError } from "../core/base/errors.ts";
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
import { writeList } from "./listing.ts";
import { printLine } from "./ui.ts";

/** Kinds of upstream that do not exist here have no targets. */
const otherKinds = ["rollout", "statefulset", "cronjob", "job", "service", "replicaset"];

/** So many other namespaces are named. */
const shownNamespaces = 5;

/** Prints the targets; those that are not ready are marked (rich JSON) or counted on standard error. */
export async function ls(command: LsCommand): Promise<number> {
  const kinds = kindsOf(command);
  const everywhere = command.allNamespaces === true;
  const named = command.targetNamespace ?? command.namespace;
  if (everywhere && named !== undefined) {
    throw new MirrordError(`Cannot use "--all-namespaces": the namespace "${named}" is given as well`, {
      help: "Give one of the two.",
      exitCode: exitCodes.usage,
    });
  }
  const config = await configOf(command, clusterFlags(command), { targetLater: true });
  using kube = await KubeClient.open({
    ...config.kube,
    namespace: config.target.namespace,
    env: environment,
  });
  const rich = isOn("MIRRORD_LS_RICH_OUTPUT");
  const { targets, refused } = await listTargets(kube, kinds, { everywhere });
  warnOf(refused);
  const available = targets.filter((target) => target.available);
  if (rich) {
    const namespaces = (await kube.listNamespaces().catch(() => [kube.namespace])).filter(isObjectName);
    const entries = targets.map(({ path, available }) => ({ path, available }));
    printLine(JSON.stringify({ targets: entries, current_namespace: kube.namespace, namespaces }));
    return 0;
  }
  const isJson = Deno.env.get("MIRRORD_PROGRESS_MODE") === "json";
  const format = command.output ?? (isJson ? "json" : "plain");
  const text = await writeList(format === "wide" ? targets : available, { format, everywhere });
  if (text !== "") printLine(text);
  if (format === "json" || format === "yaml") return 0;
  if (targets.length === 0 && !everywhere && !await kube.namespaceExists()) {
    throw new TargetError(`Cannot list targets: there is no namespace "${kube.namespace}"`, {
      help: `Name another with --namespace; the context is "${kube.contextName}".`,
    });
  }
  const others = format === "wide" ? 0 : targets.length - available.length;
  if (others > 0) log.info(`Not ready, and so not listed: ${others}`);
  const seen = kinds.filter((kind) => !refused.some((one) => one.kind === kind));
  if (targets.length === 0 && seen.length > 0) await explain(kube, seen, everywhere);
  return 0;
}

function warnOf(refused: Listing["refused"]): void {
  for (const { kind, error } of refused) {
    log.warning(`The ${kind}s are not listed: ${error.message.replace(/^Cannot [^:]*: /, "")}`);
  }
}

/** Nothing was found: says so, and where there is something. */
async function explain(kube: KubeClient, kinds: readonly ListedKind[], everywhere: boolean): Promise<void> {
  const none = `no ${kinds.join(" and no ")}`;
  if (everywhere) return log.info(`The cluster has ${none}`);
  const others = await otherNamespaces(kube, kinds);
  log.info(
    `The namespace "${kube.namespace}" has ${none}` +
      (others === "" ? "" : `. There are some in ${others}: use --namespace NAME, or --all-namespaces`),
  );
}

/** "shop (4), web (1) and 3 more"; "" where there is nothing, or the user may not look. */
async function otherNamespaces(kube: KubeClient, kinds: readonly ListedKind[]): Promise<string> {
  let found: ListedTarget[];
  try {
    found = (await listTargets(kube, kinds, { everywhere: true })).targets;
  } catch (error) {
    if (error instanceof KubeError) return "";
    throw error;
  }
  const counts = new Map<string, number>();
  for (const { namespace } of found) {
    if (!namespace.startsWith("kube-")) counts.set(namespace, (counts.get(namespace) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  const shown = sorted.slice(0, shownNamespaces).map(([name, count]) => `${name} (${count})`).join(", ");
  const rest = sorted.length - shownNamespaces;
  return rest > 0 ? `${shown} and ${rest} more` : shown;
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
