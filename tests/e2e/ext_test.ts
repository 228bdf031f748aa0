// The shared cases of sessions for editors with a Deployment as the target, through the compiled binary.

import { registerCases } from "../support/cases.ts";
import { extCases } from "../support/cases_ext.ts";
import { ClusterStage, missingCluster } from "../support/cluster_stage.ts";

registerCases(extCases, () => ClusterStage.create(), missingCluster);
