// Rows of docs/reliability.md in which the link between the developer's machine and the cluster carries
// nothing, and says so to nobody.

import { run as runCommand } from "../cluster/command.ts";
import { inNetnsArgv, laptopNetns } from "../cluster/layout.ts";
import { registerCases } from "../support/cases.ts";
import { ClusterStage, missingNode } from "../support/cluster_stage.ts";
import { row } from "./row.ts";
import { forLong, forShort, type Standing, standing } from "./still_rows.ts";

/** Nothing passes between the developer's machine and the cluster, and neither side is notified. */
async function blackHole(): Promise<Standing> {
  const rules = [["INPUT", "-i", "eth0"], ["OUTPUT", "-o", "eth0"]];
  const change = async (verb: string) => {
    for (const rule of rules) {
      await runCommand(inNetnsArgv(laptopNetns, ["iptables", "-w", verb, ...rule, "-j", "DROP"]));
    }
  };
  await change("-I");
  return standing(() => change("-D"));
}

registerCases(
  [row("6", forLong(blackHole, 40)), row("7", forShort(blackHole, 4))],
  () => ClusterStage.create(),
  missingNode,
);
