// What `mirrord doctor` says of a cluster: all is there, or rights, level, node and target are lacking.

import assert from "node:assert/strict";
import { forbidden, notFound, type Ran, runAgainst } from "../tests/support/stub_api.ts";

const pod = {
  metadata: { name: "web", uid: "u" },
  spec: { nodeName: "node", containers: [{ name: "c", image: "web:1" }] },
  status: {
    phase: "Running",
    conditions: [{ type: "Ready", status: "True" }],
    containerStatuses: [{ name: "c", containerID: "containerd://1", state: { running: {} } }],
  },
};

interface Cluster {
  /** "patch pods/ephemeralcontainers". */
  lacking?: string[];
  level?: string;
  kernel?: string;
}

/** Runs doctor with `flags` on a pod of such a cluster. */
async function doctor({ lacking = [], level, kernel = "6.1.0" }: Cluster, ...flags: string[]): Promise<Ran> {
  const answer = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    if (pathname === "/version") return Response.json({ gitVersion: "v1.34.1" });
    if (pathname.endsWith("/selfsubjectaccessreviews")) {
      const { verb, resource, subresource } = (await request.json()).spec.resourceAttributes;
      const right = `${verb} ${resource}${subresource === undefined ? "" : `/${subresource}`}`;
      return Response.json({ status: { allowed: !lacking.includes(right) } });
    }
    if (pathname === "/api/v1/namespaces/shop") {
      const labels = level === undefined ? {} : { "pod-security.kubernetes.io/enforce": level };
      return Response.json({ metadata: { labels } });
    }
    if (pathname === "/api/v1/nodes/node") {
      return lacking.includes("get nodes") ? forbidden("nodes", "at the cluster scope") : Response.json({
        status: { nodeInfo: { kernelVersion: kernel } },
      });
    }
    if (pathname.endsWith("/pods/web")) return Response.json(pod);
    return pathname.endsWith("/pods") ? Response.json({ items: [pod] }) : notFound(pathname);
  };
  const lines = [["doctor", "--target", "pod/web", ...flags]];
  const [ran] = await runAgainst(answer, { namespace: "shop", lines });
  assert.ok(ran !== undefined);
  return ran;
}

/** The rows by their check's name: "state said". */
function rows({ stdout }: Ran): Map<string, string> {
  const found = stdout.split("\n").map((line) => /^(ok|warning|failed|skipped) +(.{34}) (.*)$/.exec(line));
  return new Map(
    found.flatMap((match) => match === null ? [] : [[match[2]?.trim() ?? "", `${match[1]} ${match[3]}`]]),
  );
}

Deno.test("doctor finds nothing where nothing is missing, and starts nothing", async () => {
  const ran = await doctor({}, "--steal");
  assert.equal(ran.code, 0, ran.stdout + ran.stderr);
  const found = rows(ran);
  assert.match(found.get("library") ?? "", /^ok it is loaded into \/.*true$/);
  assert.match(found.get("API server") ?? "", /^ok Kubernetes v1\.34\.1, answered after \d+ ms$/);
  assert.equal(found.get("right: get pods/log"), "ok to read the log of the agent's container");
  assert.equal(found.get("target"), 'ok pod/web/container/c in the namespace "shop"');
  assert.equal(found.get("node's kernel"), "ok 6.1.0");
  assert.equal(found.get("link"), "skipped not tried: --link starts an agent and measures it");
  assert.match(ran.stdout, /\nNothing that a session needs is missing\n$/);
});

Deno.test("doctor names each missing right, and what an optional one is for", async () => {
  const ran = await doctor({ lacking: ["patch pods/ephemeralcontainers", "watch pods", "get nodes"] });
  assert.equal(ran.code, 77);
  const found = rows(ran);
  assert.match(
    ran.stdout,
    /^failed +right: patch pods\/ephemeralcontainers .*you may not "patch".*\n +help: .*verbs: \["patch"\]/m,
  );
  assert.equal(
    found.get("right: watch pods"),
    "warning you do not have it, to see changes of a pod without polling",
  );
  assert.match(found.get("node's kernel") ?? "", /^skipped you may not "get" nodes/);
  assert.match(ran.stdout, /\n1 failed, 1 warning\n$/);
});

Deno.test("doctor says when the namespace or the node cannot have what is asked", async () => {
  const restricted = await doctor({ level: "restricted" }, "--steal");
  assert.equal(restricted.code, 77);
  assert.match(
    rows(restricted).get("Pod Security") ?? "",
    /^failed .* level "restricted" refuses BPF, NET_ADMIN/,
  );
  const old = await doctor({ kernel: "5.4.0-100-generic" }, "--steal");
  assert.match(
    rows(old).get("node's kernel") ?? "",
    /^failed Cannot steal: the kernel 5\.4\.0-100-generic is older/,
  );
  assert.equal(old.code, 69);
  const mirror = await doctor({ kernel: "5.4.0" });
  assert.match(rows(mirror).get("node's kernel") ?? "", /^warning 5\.4\.0 is older than 5\.9/);
  assert.equal(mirror.code, 0);
});

Deno.test("doctor's JSON has the same rows", async () => {
  const ran = await doctor({ lacking: ["get pods/log"] }, "-o", "json");
  assert.equal(ran.code, 77);
  const { ok, checks } = JSON.parse(ran.stdout);
  assert.equal(ok, false);
  const failed = checks.filter(({ state }: { state: string }) => state === "failed");
  assert.deepEqual(failed.map(({ check }: { check: string }) => check), ["right: get pods/log"]);
  assert.match(failed[0].help, /^Ask for a role with this rule/);
});

Deno.test("without a target doctor asks for the rights to a deployment, for targetless to a Job", async () => {
  const answer = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    if (pathname === "/version") return Response.json({ gitVersion: "v1.34.1" });
    if (!pathname.endsWith("/selfsubjectaccessreviews")) return Response.json({ metadata: {} });
    const { resource } = (await request.json()).spec.resourceAttributes;
    return Response.json({ status: { allowed: resource !== "jobs" } });
  };
  const lines = [["doctor"], ["doctor", "-t", "targetless"]];
  const [none, job] = await runAgainst(answer, { namespace: "shop", lines });
  assert.equal(none?.code, 0, none?.stdout);
  assert.match(none?.stdout ?? "", /^ok +right: patch pods\/ephemeralcontainers /m);
  assert.match(none?.stdout ?? "", /^skipped +target +none is named: --target deployment\/NAME$/m);
  assert.equal(job?.code, 77, job?.stdout);
  assert.match(job?.stdout ?? "", /^failed +right: create jobs /m);
});
