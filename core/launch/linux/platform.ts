// The interface of core/launch/platform.ts on Linux.

import { startChild } from "../../net/linux/child.ts";
import type { LaunchPlatform } from "../platform.ts";
import { startGated } from "./gate.ts";
import { checkProgram } from "./hookable.ts";
import { layer } from "./layer.ts";
import { isAlive, processesWith } from "./remaining.ts";
import { canBeContinued, inForeground } from "./terminal.ts";

export const linux: LaunchPlatform = {
  layer,
  checkProgram,
  // The dynamic linker loads the layer into every program that it may get into.
  openPrograms: () => ({ prepare: (path) => Promise.resolve({ path, words: [] }) }),
  startChild,
  startGated,
  processesWith,
  isAlive,
  inForeground,
  canBeContinued,
};
