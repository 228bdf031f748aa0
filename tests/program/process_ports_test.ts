// The shared cases of ports with a process of this machine as the target.

import { missingForProcess, registerCases } from "../support/cases.ts";
import { portCases } from "../support/cases_ports.ts";
import { ProcessStage } from "../support/process_stage.ts";

registerCases(portCases, () => ProcessStage.create(), missingForProcess());
