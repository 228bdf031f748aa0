// The shared cases of ends with a process of this machine as the target.

import { missingForProcess, registerCases } from "../support/cases.ts";
import { agentKilled, endCases } from "../support/cases_ends.ts";
import { ProcessStage } from "../support/process_stage.ts";

registerCases([...endCases, agentKilled], () => ProcessStage.create(), missingForProcess());
