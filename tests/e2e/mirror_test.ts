// The shared cases of mirroring with a Deployment behind a Service as the target, through the compiled
// binary.

import { registerCases } from "../support/cases.ts";
import { mirrorCases } from "../support/cases_mirror.ts";
import { ClusterStage, missingCluster } from "../support/cluster_stage.ts";

registerCases(mirrorCases, () => ClusterStage.create(), missingCluster);
