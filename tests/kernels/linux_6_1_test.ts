// Agent and sessions on Linux 6.1 of Debian bookworm, x86_64.

import { registerMachine } from "./machine_tests.ts";

await registerMachine(
  {
    name: "6.1 on x86_64",
    architecture: "amd64",
    release: "bookworm",
    metapackage: "linux-image-cloud-amd64",
  },
  "6.1",
);
