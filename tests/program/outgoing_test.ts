// The shared cases of outgoing with a process of this machine as the target, through the compiled binary.

import { missingForProcess, registerCases } from "../support/cases.ts";
import { outgoingCases } from "../support/cases_outgoing.ts";
import { ProcessStage } from "../support/process_stage.ts";

registerCases(outgoingCases, () => ProcessStage.create(), missingForProcess());
