// The shared cases of programs nobody here wrote, in the place of a process of this machine.

import { missingForProcess, registerCases } from "../support/cases.ts";
import { judgedCases, programCases } from "../support/cases_programs.ts";
import { ProcessStage } from "../support/process_stage.ts";

registerCases([...programCases, ...judgedCases], () => ProcessStage.create(), missingForProcess());
