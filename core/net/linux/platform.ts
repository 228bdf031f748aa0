// The interface of core/net/platform.ts on Linux: which file implements which part.

import type { Platform } from "../platform.ts";

export const linux: Platform = {
  network: () => import("./network.ts"),
  noDelay: () => import("./no_delay.ts"),
  files: () => import("./os_calls.ts"),
  processes: () => import("./processes.ts"),
  seal: () => import("./seal.ts"),
};
