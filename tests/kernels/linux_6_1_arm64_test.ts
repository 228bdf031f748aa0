// Agent and sessions on Linux 6.1 of Debian bookworm, aarch64.

import { registerMachine } from "./machine_tests.ts";

await registerMachine(
  {
    name: "6.1 on aarch64",
    architecture: "arm64",
    release: "bookworm",
    metapackage: "linux-image-cloud-arm64",
  },
  "6.1",
);
