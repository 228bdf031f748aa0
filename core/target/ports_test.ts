// Which ports a pod declares.

import assert from "node:assert/strict";
import type { V1Pod } from "../kube/client.ts";
import { declaredPorts } from "./ports.ts";

Deno.test("the TCP ports of all containers are declared, sidecars that start first too, init containers not", () => {
  const spec = {
    containers: [
      { name: "app", ports: [{ containerPort: 80 }, { containerPort: 53, protocol: "UDP" }] },
      { name: "proxy", ports: [{ containerPort: 15001, protocol: "TCP" }, { containerPort: 80 }] },
      { name: "bare" },
    ],
    initContainers: [
      { name: "beside", restartPolicy: "Always", ports: [{ containerPort: 9000 }] },
      { name: "before", ports: [{ containerPort: 9001 }] },
    ],
  };
  assert.deepEqual(declaredPorts({ spec } as V1Pod), [80, 15001, 9000]);
  assert.deepEqual(declaredPorts({}), []);
});
