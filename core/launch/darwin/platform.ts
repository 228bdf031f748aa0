// The interface of core/launch/platform.ts on Darwin.

import type { LaunchPlatform } from "../platform.ts";
import { startChild, startGated } from "./child.ts";
import { Copies } from "./copies.ts";
import { checkProgram } from "./hookable.ts";
import { inForeground, isAlive, processesWith } from "./remaining.ts";

export const darwin: LaunchPlatform = {
  layer: {
    variable: "DYLD_INSERT_LIBRARIES",
    embedded: "layer_macos.dylib",
    unpacked: "libmirrord_layer.dylib",
    preloadOf: (path) => path,
  },
  checkProgram,
  openPrograms: (options) => new Copies(options),
  startChild,
  startGated,
  processesWith,
  isAlive,
  inForeground,
};
