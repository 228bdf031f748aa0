// The shared cases of stealing with a process of this machine as the target, through the compiled binary.

import { missingForProcess, registerCases } from "../support/cases.ts";
import { stealCases } from "../support/cases_steal.ts";
import { ProcessStage } from "../support/process_stage.ts";

registerCases(stealCases, () => ProcessStage.create(), missingForProcess());
