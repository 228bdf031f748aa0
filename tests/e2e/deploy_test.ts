// config → target → kube → deploy on a real cluster, in a namespace of this file's own: what is found, what
// the agent's container is allowed, which error a user without rights gets, and that nothing but a terminated
// entry remains. Without a cluster they are skipped, and say so.

import assert from "node:assert/strict";
import { clusterAccess, inNetns, kubectl } from "../cluster/access.ts";
import { attempt } from "../cluster/command.ts";
import { agentImage as image, importAgent } from "../support/cluster_stage.ts";
import type { Order, Outcome } from "../support/deploy_probe.ts";

const access = await clusterAccess();
const lacking = access === null ? "no cluster is up" : undefined;
const namespace = `deploy-${crypto.randomUUID().slice(0, 8)}`;
const restricted = `${namespace}-baseline`;
const directory = Deno.makeTempDirSync();

function clusterTest(name: string, lacks: string | undefined, fn: () => Promise<void>): void {
  const suffix = lacks === undefined ? "" : ` (skipped: ${lacks})`;
  Deno.test({ name: name + suffix, ignore: lacks !== undefined, fn });
}

Deno.test.beforeAll(async () => {
  if (access === null) return;
  await importAgent();
  for (const name of [namespace, restricted]) {
    await kubectl(["create", "namespace", name]);
    await kubectl(["apply", "--namespace", name, "-f", "-"], { stdin: workload });
  }
  await kubectl(["label", "namespace", restricted, "pod-security.kubernetes.io/enforce=baseline"]);
  for (const name of [namespace, restricted]) {
    for (const deployed of ["web", "spare"]) {
      await kubectl(["rollout", "status", "--namespace", name, `deployment/${deployed}`, "--timeout=180s"]);
    }
  }
});

Deno.test.afterAll(async () => {
  if (access !== null) await kubectl(["delete", "namespace", namespace, restricted, "--wait=false"]);
  await Deno.remove(directory, { recursive: true });
});

const deployment = (name: string) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            name: "istio-proxy",
            image: "test.local/python:1",
            command: ["sh", "-c", "trap exit TERM; sleep infinity & wait"],
          },
          {
            name: "app",
            image: "test.local/python:1",
            env: [{ name: "MIRRORD_TEST_GREETING", value: "from-the-pod" }],
            readinessProbe: { periodSeconds: 1, tcpSocket: { port: 80 } },
          },
        ],
      },
    },
  },
});

/**
 * "spare" is for the test that leaves a container behind whose image never comes: that slows down its pod.
 */
const workload = JSON.stringify({
  apiVersion: "v1",
  kind: "List",
  items: [deployment("web"), deployment("spare")],
});

async function probe(order: Partial<Order> & Pick<Order, "step">): Promise<Outcome> {
  const full: Order = {
    kubeconfig: access?.kubeconfig ?? "",
    namespace,
    target: "deployment/web",
    image,
    ...order,
  };
  const root = new URL("../../", import.meta.url).pathname;
  const argv = await inNetns([
    Deno.execPath(),
    "run",
    "-A",
    "--no-check",
    "--quiet",
    "--config",
    `${root}deno.json`,
    `${root}tests/support/deploy_probe.ts`,
    JSON.stringify(full),
  ]);
  const { stdout, stderr, code } = await attempt(argv, { env: { HOME: Deno.env.get("HOME") ?? "/" } });
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

interface PodJson {
  metadata: { name: string };
  spec: { ephemeralContainers?: { name: string; securityContext: unknown }[] };
  status: {
    containerStatuses: { name: string; containerID: string; restartCount: number }[];
    ephemeralContainerStatuses?: { state: { terminated?: { exitCode: number } } }[];
  };
}

async function pod(): Promise<PodJson> {
  const list = JSON.parse(
    await kubectl(["get", "pods", "--namespace", namespace, "-l", "app=web", "-o", "json"]),
  );
  return list.items[0];
}

/** The one ephemeral container that `after` has and `before` has not; their order in a pod means nothing. */
function newContainer(before: PodJson, after: PodJson): { name: string; securityContext: unknown } {
  const known = new Set(before.spec.ephemeralContainers?.map(({ name }) => name));
  const added = after.spec.ephemeralContainers?.filter(({ name }) => !known.has(name)) ?? [];
  const [container] = added;
  assert.ok(container !== undefined && added.length === 1, `${added.length} containers were added`);
  return container;
}

/** The kubeconfig with its cluster or user changed by `edit`. */
async function editedKubeconfig(
  name: string,
  edit: (cluster: Record<string, unknown>, user: Record<string, unknown>) => void,
): Promise<string> {
  const config = JSON.parse(
    await kubectl(["config", "view", "--raw", "--minify", "--flatten", "-o", "json"]),
  );
  edit(config.clusters[0].cluster, config.users[0].user);
  await Deno.writeTextFile(`${directory}/${name}`, JSON.stringify(config), { mode: 0o600 });
  return `${directory}/${name}`;
}

clusterTest("a deployment's pod and its app container are found", lacking, async () => {
  const { label, container } = await probe({ step: "resolve" });
  assert.equal(container, "app");
  assert.match(label ?? "", new RegExp(`^pod/web-.*/container/app in the namespace "${namespace}"$`));
  const { targets } = await probe({ step: "list" });
  const { metadata } = await pod();
  assert.deepEqual(targets?.filter((line) => !line.startsWith("pod/spare-")), [
    "deployment/spare true",
    "deployment/web true",
    `pod/${metadata.name}/container/app true`,
    `pod/${metadata.name}/container/istio-proxy true`,
  ]);
});

clusterTest("a target that does not exist is answered with what does", lacking, async () => {
  const cases = [
    ["deployment/wbe", /there is no such deployment in the namespace/, /Did you mean "web"\?/],
    ["pod/web", /there is no such pod/, /Did you mean "web-/],
    ["deployment/web/container/ap", /its pod has no container "ap"/, /app/],
  ] as const;
  for (const [target, message, help] of cases) {
    const { error } = await probe({ step: "resolve", target });
    assert.equal(error?.name, "TargetError");
    assert.match(error?.message ?? "", message);
    assert.match(error?.help ?? "", help);
  }
});

clusterTest("a port-forward carries a reply to its end, and a closed port says so", lacking, async () => {
  const { reply } = await probe({ step: "forward", port: 80 });
  assert.match(reply ?? "", /^HTTP\/1\.[01] 200 [^]*"by": "original"[^]*\}\s*$/);
  const { error } = await probe({ step: "forward", port: 9 });
  assert.match(error?.message ?? "", /connection refused/);
});

clusterTest("the server's certificate is checked", lacking, async () => {
  const unsigned = await editedKubeconfig(
    "unsigned",
    (cluster) => delete cluster["certificate-authority-data"],
  );
  const untrusted = await probe({ step: "resolve", kubeconfig: unsigned });
  assert.match(untrusted.error?.message ?? "", /not signed by the authority in the kubeconfig/);
  assert.equal(untrusted.error?.exitCode, 69);
  const other = await editedKubeconfig("other", (cluster) => cluster["tls-server-name"] = "other.test");
  const mistaken = await probe({ step: "resolve", kubeconfig: other });
  assert.match(mistaken.error?.message ?? "", /shows a certificate for another name/);
  assert.equal(mistaken.error?.exitCode, 69);
});

clusterTest(
  "a server is reached by the name in its certificate, or unchecked, when asked",
  lacking,
  async () => {
    const named = await editedKubeconfig("named", (cluster) => cluster["tls-server-name"] = "kubernetes");
    const skipped = await editedKubeconfig("skipped", (cluster) => {
      delete cluster["certificate-authority-data"];
      cluster["insecure-skip-tls-verify"] = true;
    });
    for (const [kubeconfig, warned] of [[named, false], [skipped, true]] as const) {
      const { error, variables, log } = await probe({ step: "deploy", kubeconfig });
      assert.equal(error, undefined, JSON.stringify(error));
      assert.equal(variables?.["MIRRORD_TEST_GREETING"], "from-the-pod");
      const warnings = (lines: string[]) =>
        lines.filter((line) => /warning: The identity of the API server/.test(line)).length;
      assert.equal(warnings(log), warned ? 1 : 0);
      // Two lists at once share one tunnel.
      const listed = await probe({ step: "list", kubeconfig });
      assert.equal(listed.error, undefined, JSON.stringify(listed.error));
      assert.equal(warnings(listed.log), warned ? 1 : 0);
    }
  },
);

clusterTest("a token that is not accepted is called a login problem", lacking, async () => {
  const kubeconfig = await editedKubeconfig("bad-token", (_cluster, user) => {
    for (const key of Object.keys(user)) delete user[key];
    user["token"] = "nonsense";
  });
  const { error } = await probe({ step: "resolve", kubeconfig });
  assert.match(error?.message ?? "", /does not accept the login/);
  assert.equal(error?.exitCode, 77);
});

clusterTest("a namespace that forbids the capabilities says so before anything runs", lacking, async () => {
  const { error } = await probe({ step: "deploy", namespace: restricted, steal: true });
  assert.match(error?.message ?? "", /PodSecurity level "baseline:latest".*"BPF", "NET_ADMIN", "SYS_PTRACE"/);
  assert.equal(error?.exitCode, 77);
});

clusterTest(
  "the agent proves itself, gives the environment and leaves nothing but its entry",
  lacking,
  async () => {
    const before = await pod();
    const { error, kernel, variables } = await probe({ step: "deploy", steal: true });
    assert.equal(error, undefined, JSON.stringify(error));
    assert.match(kernel ?? "", /^\d+\.\d+/);
    assert.equal(variables?.["MIRRORD_TEST_GREETING"], "from-the-pod");
    const added = newContainer(before, await pod());
    const status = `.status.ephemeralContainerStatuses[?(@.name=="${added.name}")]`;
    await kubectl([
      "wait",
      "--namespace",
      namespace,
      `pod/${before.metadata.name}`,
      `--for=jsonpath={${status}.state.terminated.exitCode}=0`,
      "--timeout=10s",
    ]);
    const after = await pod();
    assert.deepEqual(
      after.status.containerStatuses.map((
        { name, containerID, restartCount },
      ) => [name, containerID, restartCount]),
      before.status.containerStatuses.map((
        { name, containerID, restartCount },
      ) => [name, containerID, restartCount]),
    );
  },
);

clusterTest("without --steal the agent gets no right over the network", lacking, async () => {
  const before = await pod();
  assert.equal((await probe({ step: "deploy" })).error, undefined);
  assert.deepEqual(newContainer(before, await pod()).securityContext, {
    allowPrivilegeEscalation: false,
    capabilities: { add: ["SYS_PTRACE", "SETUID"], drop: ["ALL"] },
    privileged: false,
    readOnlyRootFilesystem: true,
    runAsGroup: 0,
    runAsNonRoot: false,
    runAsUser: 0,
    seccompProfile: { type: "RuntimeDefault" },
  });
});

// Last, for the node tries that image again and again.
clusterTest("an image that cannot be had fails with the image and what to do", lacking, async () => {
  const { error } = await probe({
    step: "deploy",
    image: "test.local/no-such-agent:1",
    startupTimeout: "50",
  });
  assert.equal(error?.name, "DeployError");
  assert.match(error?.message ?? "", /cannot get the image "test.local\/no-such-agent:1" \(ErrImagePull/);
  assert.match(error?.help ?? "", /--agent-image/);
});
