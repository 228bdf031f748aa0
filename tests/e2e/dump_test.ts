// `mirrord dump` on a Deployment behind a Service, through the compiled binary.

import { registerCases } from "../support/cases.ts";
import { dumpCases } from "../support/cases_dump.ts";
import { ClusterStage, missingCluster } from "../support/cluster_stage.ts";

registerCases(dumpCases, () => ClusterStage.create({ sends: true }), missingCluster);
