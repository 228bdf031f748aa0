// `mirrord container` with Docker, by a daemon of the test's own.

import { registerContainerTests } from "../support/cases_container.ts";

registerContainerTests("docker");
