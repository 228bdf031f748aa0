// The shared cases of programs nobody here wrote, in the place of a Python target and, the four that the
// release is judged by, of an nginx one too.

import { registerCases } from "../support/cases.ts";
import { judgedCases, programCases } from "../support/cases_programs.ts";
import { ClusterStage, missingCluster } from "../support/cluster_stage.ts";

registerCases([...programCases, ...judgedCases], () => ClusterStage.create(), missingCluster);
registerCases(judgedCases, () => ClusterStage.create({ target: "web" }), missingCluster, "nginx target: ");
