// What is reported of a container that does not start: the news of the pod's events, from a server that
// answers as the API does.

import assert from "node:assert/strict";
import { kubeClient } from "../../tests/support/kube_client.ts";
import { type ContainerEvent, followEvents } from "./events.ts";

const name = "mirrord-agent-x";

function event(reason: string, message: string, second: number, container = name) {
  return {
    reason,
    message,
    lastTimestamp: `2026-01-01T00:00:0${second}Z`,
    metadata: {},
    involvedObject: { fieldPath: `spec.ephemeralContainers{${container}}` },
  };
}

/** Follows a server that gives one list after the other, until `count` events were reported or it refused. */
async function told(answers: (object[] | number)[], count: number): Promise<ContainerEvent[]> {
  const controller = new AbortController();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const url = new URL(request.url);
    assert.equal(url.pathname, "/api/v1/namespaces/shop/events");
    assert.equal(url.searchParams.get("fieldSelector"), "involvedObject.uid=u1");
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    return Array.isArray(answer)
      ? Response.json({ items: answer, metadata: {} })
      : Response.json({ message: "no" }, { status: answer ?? 500 });
  });
  using kube = kubeClient(`http://127.0.0.1:${server.addr.port}`);
  const seen: ContainerEvent[] = [];
  try {
    await followEvents(
      { kube, uid: "u1" },
      [`spec.ephemeralContainers{${name}}`],
      controller.signal,
      (one) => {
        seen.push(one);
        if (seen.length === count) controller.abort();
      },
    );
  } finally {
    await server.shutdown();
  }
  return seen;
}

Deno.test("the newest event about the container is reported, once, and a failed pull as what it is", async () => {
  const pulling = event("Pulling", "Pulling image", 2);
  const other = event("Pulled", "another's", 9, "other");
  const failed = event("Failed", "Failed to pull image: refused", 3);
  const again = event("BackOff", "Back-off pulling image", 4);
  assert.deepEqual(
    await told([[other], [pulling, other], [pulling, other], [pulling, failed, again]], 2),
    [
      { text: "Pulling image", reason: "Pulling", noImage: false },
      { text: "Failed to pull image: refused", reason: "Failed", noImage: true },
    ],
  );
});

Deno.test("without the right to list events nothing is reported, and the start goes on", async () => {
  assert.deepEqual(await told([403], 1), []);
});
