// The shared cases of silences with a process of this machine as the target.

import { missingForProcess, registerCases } from "../support/cases.ts";
import { agentSilent, silenceCases } from "../support/cases_silence.ts";
import { ProcessStage } from "../support/process_stage.ts";

registerCases([...silenceCases, agentSilent], () => ProcessStage.create(), missingForProcess());
