// The shared cases of ports with a Deployment as the target.

import { registerCases } from "../support/cases.ts";
import { portCases } from "../support/cases_ports.ts";
import { ClusterStage, missingCluster } from "../support/cluster_stage.ts";

registerCases(portCases, () => ClusterStage.create(), missingCluster);
