// Agent and sessions on Linux 6.12 of Debian trixie, x86_64.

import { registerMachine } from "./machine_tests.ts";

await registerMachine(
  {
    name: "6.12 on x86_64",
    architecture: "amd64",
    release: "trixie",
    metapackage: "linux-image-cloud-amd64",
  },
  "6.12",
);
