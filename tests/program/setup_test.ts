// The commands that prepare a session (tests/support/cases_setup.ts) on a process of this machine.

import { missingForProcess, registerCases } from "../support/cases.ts";
import { setupCases } from "../support/cases_setup.ts";
import { ProcessStage } from "../support/process_stage.ts";

registerCases(setupCases, () => ProcessStage.create(), missingForProcess());
