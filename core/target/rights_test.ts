// The rights of a session, asked for while its target is looked for: what a server says is lacking is refused
// before anything is created; a server that says nothing is no obstacle; a role that is about one pod is
// enough.

import assert from "node:assert/strict";
import { KubeError } from "../base/errors.ts";
import type { KubeClient } from "../kube/client.ts";
import { kubeClient } from "../../tests/support/kube_client.ts";
import { askJobRights, askPodRights } from "./rights.ts";

interface Review {
  spec: { resourceAttributes: Record<string, string> };
}

/** A server that answers reviews; `asked` are their attributes. */
async function withReviews(
  answer: (attributes: Record<string, string>) => Response,
  use: (kube: KubeClient, asked: Record<string, string>[]) => Promise<void>,
): Promise<void> {
  const asked: Record<string, string>[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    assert.equal(new URL(request.url).pathname, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews");
    const { spec }: Review = await request.json();
    asked.push(spec.resourceAttributes);
    return answer(spec.resourceAttributes);
  });
  using kube = kubeClient(`http://127.0.0.1:${server.addr.port}`);
  try {
    await use(kube, asked);
  } finally {
    await server.shutdown();
  }
}

const allowed = (yes: boolean, more: object = {}) => Response.json({ status: { allowed: yes, ...more } });
const known = { known: () => "web-1", signal: undefined };

Deno.test("every missing right is named, with the rules to ask for", async () => {
  const lacking = ({ subresource }: Record<string, string>) => allowed(subresource === undefined);
  await withReviews(lacking, async (kube, asked) => {
    await assert.rejects(askPodRights(kube, "web-1", known)(), (error) => {
      assert.ok(error instanceof KubeError);
      assert.equal(error.exitCode, 77);
      assert.equal(
        error.message,
        'Cannot add an ephemeral container to the pod: you may not "patch" the resource "pods/ephemeralcontainers" in the namespace "shop"',
      );
      assert.match(error.help ?? "", /resources: \["pods\/ephemeralcontainers"\], verbs: \["patch"\]/);
      assert.match(error.help ?? "", /resources: \["pods\/portforward"\], verbs: \["get"\]/);
      return true;
    });
    assert.ok(asked.every(({ namespace, name }) => namespace === "shop" && name === "web-1"));
    assert.ok(
      asked.some(({ verb, resource, subresource }) =>
        `${verb} ${resource} ${subresource}` === "get pods undefined"
      ),
    );
  });
});

Deno.test("a role about one pod alone is asked for that pod", async () => {
  await withReviews(({ name }) => allowed(name === "web-1"), async (kube, asked) => {
    const check = askPodRights(kube, "", known);
    await check();
    assert.deepEqual([...new Set(asked.map(({ name }) => name))], [undefined, "web-1"]);
  });
});

Deno.test("a server that does not answer, or does not know, is no obstacle", async () => {
  const answers = [
    () => Response.json({ message: "forbidden", reason: "Forbidden" }, { status: 403 }),
    () => Response.json({ message: "not found" }, { status: 404 }),
    () => new Response("<html>"),
    () => allowed(false, { evaluationError: "the webhook is gone" }),
    () => Response.json({}),
  ];
  for (const answer of answers) {
    await withReviews(answer, async (kube) => {
      await askPodRights(kube, "web-1", known)();
      await askJobRights(kube, undefined)();
    });
  }
});

Deno.test("without a target the rights are those to the agent's Job", async () => {
  await withReviews(({ resource }) => allowed(resource !== "jobs"), async (kube) => {
    await assert.rejects(
      askJobRights(kube, undefined)(),
      /Cannot create a Job: you may not "create" the resource "jobs"/,
    );
  });
});
