// The shared cases of stealing with a Deployment behind a Service as the target, through the compiled binary.

import { registerCases } from "../support/cases.ts";
import { stealCases } from "../support/cases_steal.ts";
import { ClusterStage, missingCluster } from "../support/cluster_stage.ts";

registerCases(stealCases, () => ClusterStage.create(), missingCluster);
