// `mirrord complete contexts|namespaces|services`: what the completion scripts offer for --context,
// --namespace and the words of `up`, one name a line. It logs nothing, waits only a moment, and trusts a
// folder's configuration no more than `mirrord ls`.

import { KubeError } from "../core/base/errors.ts";
import { environment } from "../core/base/variables.ts";
import { KubeClient } from "../core/kube/client.ts";
import { listContexts } from "../core/kube/kubeconfig.ts";
import { isObjectName } from "../core/kube/names.ts";
import type { CompleteCommand } from "./commands.ts";
import { clusterFlags, configOf } from "./config_flags.ts";
import { printLine } from "./ui.ts";

/** So long TAB may take. */
const limitMs = 2000;

/** Prints the names; none where they cannot be had. */
export async function complete(command: CompleteCommand): Promise<number> {
  if (command.what === "services") {
    const { upNames } = await import("../core/config/up.ts");
    const file = typeof command.configFile === "string" ? command.configFile : "mirrord-up.yaml";
    for (const name of ["init", ...await upNames(file)]) printLine(name);
    return 0;
  }
  const config = await configOf(command, clusterFlags(command), { targetLater: true });
  const options = { ...config.kube, namespace: config.target.namespace, env: environment };
  const contexts = await listContexts(options);
  if (command.what === "contexts") {
    for (const { name } of contexts) printLine(name);
    return 0;
  }
  using kube = await KubeClient.open(options);
  // Without the right to list them, those that the kubeconfig names are better than nothing.
  const names = await kube.listNamespaces(AbortSignal.timeout(limitMs)).catch((error) => {
    const isLate = error instanceof DOMException && error.name === "TimeoutError";
    if (!(error instanceof KubeError) && !isLate) throw error;
    return [...new Set([kube.namespace, ...contexts.flatMap(({ namespace }) => namespace ?? [])])].sort();
  });
  for (const name of names.filter(isObjectName)) printLine(name);
  return 0;
}
