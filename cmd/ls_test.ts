// `mirrord ls` and `mirrord complete` against a server that answers as the API server does: other
// namespaces, and users who may not look there.

import assert from "node:assert/strict";
import { forbidden, type Ran, runAgainst } from "../tests/support/stub_api.ts";

const status = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
const pods = ["shop", "shop", "back", "kube-system"].map((namespace, at) => ({
  metadata: { name: `pod-${at}`, namespace },
  spec: { containers: [{ name: "c", ports: [{ containerPort: 8000 + at }] }] },
  status,
}));

/** Runs mirrord for a user of the namespace "empty" who may ask for paths that `may` matches. */
async function run(may: RegExp, ...lines: string[][]): Promise<Ran[]> {
  const answer = (request: Request): Response => {
    const { pathname } = new URL(request.url);
    const [, resource = ""] = /([a-z]+)$/.exec(pathname) ?? [];
    if (!may.test(pathname)) {
      const isOne = pathname.includes("/namespaces/");
      return forbidden(resource, isOne ? 'in the namespace "empty"' : "at the cluster scope");
    }
    if (pathname === "/api/v1/namespaces/empty") return Response.json({});
    if (pathname === "/api/v1/namespaces") {
      return Response.json({ items: ["shop", "empty"].map((name) => ({ metadata: { name } })) });
    }
    return Response.json({ items: pathname === "/api/v1/pods" ? pods : [] });
  };
  return await runAgainst(answer, { namespace: "empty", lines });
}

Deno.test("an empty namespace names others that have targets, where the user may look", async () => {
  const none = 'mirrord The namespace "empty" has no deployment and no pod';
  const [all] = await run(/./, ["ls"]);
  assert.deepEqual(all, {
    code: 0,
    stdout: "",
    stderr: `${none}. There are some in shop (2), back (1): use --namespace NAME, or --all-namespaces\n`,
  });
  const [own] = await run(/namespaces/, ["ls"]);
  assert.deepEqual(own, { code: 0, stdout: "", stderr: `${none}\n` });
});

Deno.test("--all-namespaces lists every namespace, or names the missing right", async () => {
  const everywhere = ["ls", "-A"];
  const [plain, names, wide, both] = await run(
    /./,
    everywhere,
    [...everywhere, "-o", "name"],
    [...everywhere, "-o=wide"],
    [...everywhere, "-n", "shop"],
  );
  assert.equal(
    plain?.stdout,
    "NAMESPACE    TARGET\nback         pod/pod-2\nkube-system  pod/pod-3\nshop         pod/pod-0\nshop         pod/pod-1\n",
  );
  assert.equal(names?.stdout, "back pod/pod-2\nkube-system pod/pod-3\nshop pod/pod-0\nshop pod/pod-1\n");
  assert.match(wide?.stdout ?? "", /^back +pod\/pod-2 +0\/1 +8002 +c +-$/m);
  assert.equal(both?.code, 2);
  assert.match(both?.stderr ?? "", /Cannot use "--all-namespaces": the namespace "shop" is given as well/);
  const [refused] = await run(/namespaces/, everywhere);
  assert.equal(refused?.code, 77);
  assert.match(refused?.stderr ?? "", /you may not "list" the resource "\w+" in all namespaces/);
});

Deno.test("completions get contexts from the kubeconfig, and namespaces from the cluster or the kubeconfig", async () => {
  const [contexts, namespaces] = await run(/./, ["complete", "contexts"], ["complete", "namespaces"]);
  assert.deepEqual(contexts, { code: 0, stdout: "here\nthere\n", stderr: "" });
  assert.deepEqual(namespaces, { code: 0, stdout: "empty\nshop\n", stderr: "" });
  const [known] = await run(/none/, ["complete", "namespaces"]);
  assert.equal(known?.stdout, "empty\nfar\n");
});
