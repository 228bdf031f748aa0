// The interface of core/net/platform.ts on Darwin: which file implements which part. It is made of the
// runtime's own calls and the system's programs lsof and ps, so that all of it runs, and is tested, on Linux
// too.

import type { Platform } from "../platform.ts";

export const darwin: Platform = {
  network: () => import("./network.ts"),
  noDelay: () => import("./no_delay.ts"),
  files: () => import("./os_calls.ts"),
  processes: () => import("./processes.ts"),
  seal: () => import("./seal.ts"),
};
