// Originals that listen on one address alone: the shared cases that an address could break.

import { registerCases } from "../support/cases.ts";
import { filterCases } from "../support/cases_filter.ts";
import { stealCases } from "../support/cases_steal.ts";
import { ClusterStage, missingCluster } from "../support/cluster_stage.ts";

const cases = [...stealCases.slice(0, 1), ...filterCases.slice(0, 2)];

registerCases(
  cases,
  () => ClusterStage.create({ target: "app-podip" }),
  missingCluster,
  "original on the pod's address: ",
);
registerCases(
  cases,
  () => ClusterStage.create({ target: "app-loopback", inside: true }),
  missingCluster,
  "original on 127.0.0.1: ",
);
