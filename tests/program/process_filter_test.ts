// The shared cases of HTTP filters with a process of this machine as the target.

import { missingForProcess, registerCases } from "../support/cases.ts";
import { filterCases } from "../support/cases_filter.ts";
import { ProcessStage } from "../support/process_stage.ts";

registerCases(filterCases, () => ProcessStage.create(), missingForProcess());
