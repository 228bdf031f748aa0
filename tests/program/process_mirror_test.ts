// The shared cases of mirroring with a process of this machine as the target, through the compiled binary.

import { missingForProcess, registerCases } from "../support/cases.ts";
import { mirrorCases } from "../support/cases_mirror.ts";
import { ProcessStage } from "../support/process_stage.ts";

registerCases(mirrorCases, () => ProcessStage.create(), missingForProcess());
