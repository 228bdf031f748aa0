// The shared cases of silences with a Deployment as the target.

import { registerCases } from "../support/cases.ts";
import { agentSilent, silenceCases } from "../support/cases_silence.ts";
import { ClusterStage, missingCluster, missingNode } from "../support/cluster_stage.ts";

if (missingNode === null) {
  registerCases([...silenceCases, agentSilent], () => ClusterStage.create(), missingCluster);
} else {
  registerCases(silenceCases, () => ClusterStage.create(), missingCluster);
  registerCases([agentSilent], () => ClusterStage.create(), missingNode);
}
