// The commands that prepare a session (tests/support/cases_setup.ts) on a pod.

import { registerCases } from "../support/cases.ts";
import { setupCases } from "../support/cases_setup.ts";
import { ClusterStage, missingCluster } from "../support/cluster_stage.ts";

registerCases(setupCases, () => ClusterStage.create(), missingCluster);
