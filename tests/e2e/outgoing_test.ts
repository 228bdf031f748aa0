// The shared cases of outgoing with a pod as the target, through the compiled binary.

import { registerCases } from "../support/cases.ts";
import { outgoingCases } from "../support/cases_outgoing.ts";
import { ClusterStage, missingCluster } from "../support/cluster_stage.ts";

registerCases(outgoingCases, () => ClusterStage.create(), missingCluster);
