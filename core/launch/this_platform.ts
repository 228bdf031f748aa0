// The platform that this process runs on, for launching an app. Called by its neighbours here.

import { chosen } from "../net/this_platform.ts";
import type { LaunchPlatform } from "./platform.ts";

export const launchPlatform: LaunchPlatform = await chosen({
  linux: async () => (await import("./linux/platform.ts")).linux,
  darwin: async () => (await import("./darwin/platform.ts")).darwin,
})();
