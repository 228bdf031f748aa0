// `mirrord ls` as a user runs it, against a server that answers as the API server does for the role of
// docs/rbac.md: pods may be listed, deployments not. Its certificate is signed by nobody, so that each call
// goes through the tunnel.

import assert from "node:assert/strict";
import { type Finished, runMirrord } from "../support/program.ts";

const pod = {
  metadata: { name: "web-1" },
  spec: { containers: [{ name: "web" }] },
  status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
};

function answer(request: Request): Response {
  const resource = new URL(request.url).pathname.replace(/^.*\//, "");
  if (resource === "pods") return Response.json({ items: [pod] });
  const message =
    `${resource} is forbidden: User "u" cannot list resource "${resource}" in API group "apps" in the namespace "shop"`;
  return Response.json({ kind: "Status", reason: "Forbidden", code: 403, message }, { status: 403 });
}

/** Runs `mirrord ls` with each of `flags` in a folder that holds the kubeconfig. */
async function list(...flags: string[][]): Promise<Finished[]> {
  const folder = await Deno.makeTempDir();
  const files = ["-keyout", `${folder}/key.pem`, "-out", `${folder}/cert.pem`];
  const { success } = await new Deno.Command("openssl", {
    args: ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test", ...files],
    stderr: "null",
  }).output();
  assert.ok(success);
  const [cert, key] = [
    await Deno.readTextFile(`${folder}/cert.pem`),
    await Deno.readTextFile(`${folder}/key.pem`),
  ];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, cert, key, onListen() {} }, answer);
  try {
    const cluster = { server: `https://127.0.0.1:${server.addr.port}`, "insecure-skip-tls-verify": true };
    await Deno.writeTextFile(
      `${folder}/kubeconfig`,
      JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        "current-context": "c",
        clusters: [{ name: "c", cluster }],
        users: [{ name: "u", user: { token: "t" } }],
        contexts: [{ name: "c", context: { cluster: "c", user: "u", namespace: "shop" } }],
      }),
    );
    const runs: Finished[] = [];
    for (const some of flags) {
      const run = await runMirrord(["ls", "--kubeconfig", "kubeconfig", ...some], { cwd: folder });
      runs.push({ ...run, stderr: run.stderr.replace(/https:\S*\d/, "SERVER") });
    }
    return runs;
  } finally {
    await server.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
}

const unchecked = 'mirrord warning: The identity of the API server at "SERVER" is not checked';
const refused = 'you may not "list" the resource "deployments" in the namespace "shop"';

Deno.test("ls lists what the role lets it, and says everything once", async () => {
  const [all, pods, deployments, json] = await list([], ["-t", "pod"], ["-t", "deployment"], ["-o=json"]);
  const unlisted = `${unchecked}\nmirrord warning: The deployments are not listed: ${refused}`;
  assert.deepEqual(all, { code: 0, stdout: "pod/web-1\n", stderr: unlisted });
  assert.deepEqual(pods, { code: 0, stdout: "pod/web-1\n", stderr: unchecked });
  assert.deepEqual(json, { code: 0, stdout: '["pod/web-1"]\n', stderr: unlisted });
  assert.deepEqual([deployments?.code, deployments?.stdout], [77, ""]);
  assert.ok(
    deployments?.stderr.startsWith(`${unchecked}\nmirrord error: Cannot list deployments: ${refused}\n`),
  );
});
