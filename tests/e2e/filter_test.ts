// The shared cases of HTTP filters with a Deployment as the target.

import { registerCases } from "../support/cases.ts";
import { filterCases } from "../support/cases_filter.ts";
import { ClusterStage, missingCluster } from "../support/cluster_stage.ts";

registerCases(filterCases, () => ClusterStage.create(), missingCluster);
