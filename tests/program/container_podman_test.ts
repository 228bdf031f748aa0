// `mirrord container` with Debian's podman.

import { registerContainerTests } from "../support/cases_container.ts";

registerContainerTests("podman");
