// `mirrord ls`: the targets of a namespace, one a line on standard output, ready to be given to `exec --target`.

import { log } from "../core/base/log.ts";
import { loadConfig } from "../core/config/load.ts";
import { KubeClient } from "../core/kube/client.ts";
import { listTargets } from "../core/target/list.ts";
import type { LsCommand } from "./args.ts";
import { printLine } from "./ui.ts";

/** Prints the targets that run and are ready; those that are not are counted on standard error. */
export async function ls(command: LsCommand): Promise<number> {
  const config = await loadConfig({
    file: command.configFile === true ? undefined : command.configFile,
    flags: {
      namespace: command.targetNamespace ?? command.namespace,
      kubeconfig: command.kubeconfig,
      context: command.context,
      steal: false, // a file that steals may have no target yet: that is what is looked for
    },
    env: Deno.env,
  });
  using kube = await KubeClient.open({ ...config.kube, namespace: config.target.namespace, env: Deno.env });
  const targets = await listTargets(kube);
  const available = targets.filter((target) => target.available);
  for (const { path } of available) printLine(path);
  const others = targets.length - available.length;
  if (others > 0) log.info(`Not ready, and so not listed: ${others}`);
  if (targets.length === 0) log.info(`The namespace "${kube.namespace}" has no targets`);
  return 0;
}
