// A configuration of files for tests: upstream's mode "read" and no rules, but for what a test gives.

import type { FilesConfig } from "../../core/config/config.ts";

export function filesConfig(given: Partial<FilesConfig> = {}): FilesConfig {
  return {
    mode: "read",
    readWrite: [],
    readOnly: [],
    local: [],
    notFound: [],
    mapping: [],
    readAhead: 0,
    cache: "off",
    autoMount: true,
    ...given,
  };
}
