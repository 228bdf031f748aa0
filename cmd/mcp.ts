// `mirrord mcp`: a server of the Model Context Protocol on standard input and output, for coding agents. It
// lives as long as its client, and ends what the client started. The library is loaded here alone.

import { resolve } from "node:path";
import { stdin } from "node:process";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { log } from "../core/base/log.ts";
import { environment } from "../core/base/variables.ts";
import { kubeconfigNames } from "../core/kube/kubeconfig.ts";
import type { McpCommand } from "./commands.ts";
import { Permission } from "./mcp/permission.ts";
import { Tools } from "./mcp/tools.ts";

const ending: Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** Serves one client until it leaves. */
export async function mcp(command: McpCommand): Promise<number> {
  const over = Promise.withResolvers<void>();
  for (const signal of ending) Deno.addSignalListener(signal, () => over.resolve());
  for (const event of ["end", "close"]) stdin.on(event, () => over.resolve());
  const { names, isList } = kubeconfigNames({ env: environment });
  // Programs may run in another folder.
  if (isList) Deno.env.set("KUBECONFIG", names.map((name) => resolve(name)).join(":"));
  const permission = await Permission.of(command);
  await using tools = new Tools(permission);
  await tools.server.connect(new StdioServerTransport());
  const targets = permission.targets.join(", ");
  log.info(`Agents may run programs as ${targets === "" ? "no target" : targets}`);
  await over.promise;
  return 0;
}
