// Agent and sessions on Linux 5.10 of Debian bullseye, x86_64.

import { registerMachine } from "./machine_tests.ts";

await registerMachine(
  {
    name: "5.10 on x86_64",
    architecture: "amd64",
    release: "bullseye",
    metapackage: "linux-image-cloud-amd64",
  },
  "5.10",
);
