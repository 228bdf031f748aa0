// The interface of core/launch/platform.ts on Linux.

import { startChild } from "../../net/linux/child.ts";
import type { LaunchPlatform } from "../platform.ts";
import { startGated } from "./gate.ts";
import { isAlive, remainingProcesses } from "./remaining.ts";
import { canBeContinued, inForeground } from "./terminal.ts";

export const linux: LaunchPlatform = {
  startChild,
  startGated,
  remainingProcesses,
  isAlive,
  inForeground,
  canBeContinued,
};
