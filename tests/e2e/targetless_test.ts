// Without a target: the cluster's network and names by an agent in a pod of its own, under the role of
// docs/rbac.md for it. What a program finds is compared with what the same program finds in a pod. However a
// session ends, its Job and its pod are gone from the namespace.

import assert from "node:assert/strict";
import { until } from "../cluster/command.ts";
import { registerCases } from "../support/cases.ts";
import { ClusterStage, type KubeObject, missingCluster, withoutImage } from "../support/cluster_stage.ts";
import { type Rule, rulesWithout, targetlessRules, withUser } from "../support/kube_users.ts";
import { SessionRun } from "../support/session_run.ts";
import { assertClean } from "../support/postcondition.ts";

/**
 * Names of several forms, a Service by its short name, and the cluster's name server asked by UDP; printed as
 * JSON.
 */
const questions = `
import json, socket, struct, sys, urllib.request
server, namespace = sys.argv[1:3]
def names(name):
    try: return sorted({info[4][0] for info in socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM)})
    except socket.gaierror as error: return error.errno
long = "app." + namespace + ".svc.cluster.local"
question = struct.pack(">6H", 7, 0x100, 1, 0, 0, 0)
question += b"".join(bytes([len(part)]) + part.encode() for part in long.split(".")) + b"\\0\\0\\1\\0\\1"
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
    udp.settimeout(10)
    udp.sendto(question, (server, 53))
    answer, peer = udp.recvfrom(512)
body = urllib.request.urlopen("http://app/bytes/300000").read()
print(json.dumps([names("app"), names("app." + namespace), names(long), names("kubernetes.default"), names("no-such-name"),
    socket.inet_ntoa(answer[-4:]), peer, len(body), sum(body)]))
`;

interface Options {
  config?: Record<string, unknown>;
  app?: string[];
  kubeconfig: string;
  target?: string[];
}

function start(stage: ClusterStage, { config = {}, app, kubeconfig, target = [] }: Options): SessionRun {
  const where = ["--kubeconfig", kubeconfig, "--target-namespace", stage.namespace, ...target];
  return new SessionRun(stage, {
    targetFlags: where,
    flags: [],
    prefix: [...withoutImage],
    config: { ...config, agent: { communication_timeout: 3, ttl: 1, ...config["agent"] ?? {} } },
    ...(app === undefined ? {} : { app }),
  });
}

/** Does `work` as a user of the documented role, or of `rules`. */
const asUser = <Result>(
  stage: ClusterStage,
  work: (kubeconfig: string) => Promise<Result>,
  rules: Rule[] = targetlessRules,
) => withUser(stage, rules, work);

const selector = ["--selector", "app.kubernetes.io/name=mirrord-agent"];

async function agents(stage: ClusterStage, kind: "jobs" | "pods"): Promise<KubeObject[]> {
  return JSON.parse(await stage.kubectl("get", kind, ...selector, "-o", "json")).items;
}

/** Waits until nothing of any session is in the namespace. */
async function namespaceClean(stage: ClusterStage, within = 40): Promise<void> {
  await until("the namespace has no agent", async () => {
    const left = (await stage.kubectl("get", "jobs,pods", ...selector, "-o", "name")).trim();
    return left === "" || left;
  }, within);
}

/** Nor is anything on this machine. */
async function gone(stage: ClusterStage, run: SessionRun): Promise<void> {
  await assertClean(run, await stage.identity(), { ask: null });
  await namespaceClean(stage);
}

/** An app that says on standard error that it runs, and waits. */
const waiting = ["sh", "-c", "echo the app runs >&2; sleep 600 & wait"];

const sees = {
  name:
    "a program finds the names and reaches the Services that a pod does, with its own files and variables",
  run: (stage: ClusterStage) =>
    asUser(stage, async (kubeconfig) => {
      const resolv = await stage.kubectl("exec", "client", "--", "cat", "/etc/resolv.conf");
      const server = /^nameserver (\d\S+)/m.exec(resolv)?.[1] ?? "";
      const argv = ["python3", "-c", questions, server, stage.namespace];
      const inside = await stage.kubectl("exec", "client", "--", ...argv);
      const own = `${inside}no variables of Kubernetes\nno /etc/test-image\n`;
      const script =
        '"$@"; case "$(env)" in *KUBERNETES_*) ;; *) echo no variables of Kubernetes;; esac; cat /etc/test-image 2>&- || echo no /etc/test-image';
      for (const target of [[], ["--target", "targetless"]]) {
        await using run = start(stage, { kubeconfig, target, app: ["sh", "-c", script, "sh", ...argv] });
        const { code, stdout, stderr } = await run.finished();
        assert.equal(code, 0, stderr);
        assert.equal(stdout, own);
        assert.match(stderr, /No target: the app has the network and names of the namespace "mirrord-e2e-/);
        await gone(stage, run);
      }
    }),
};

const admitted = {
  name:
    "two sessions at once run in a namespace of the level restricted, with what the configuration says of the pod",
  run: (stage: ClusterStage) =>
    asUser(stage, async (kubeconfig) => {
      await stage.label("pod-security.kubernetes.io/enforce=restricted");
      const agent = {
        labels: { team: "shop" },
        annotations: { note: "mine" },
        node_selector: { "kubernetes.io/os": "linux" },
        tolerations: [{ operator: "Exists" }],
        service_account: "default",
        resources: { limits: { memory: "256Mi" } },
      };
      await using first = start(stage, { kubeconfig, config: { agent }, app: waiting });
      await using second = start(stage, { kubeconfig, app: waiting });
      await Promise.all([first, second].map((run) => run.until(/the app runs/)));
      await stage.label("pod-security.kubernetes.io/enforce-");
      const [pods, jobs] = await Promise.all([agents(stage, "pods"), agents(stage, "jobs")]);
      assert.equal(pods.length, 2);
      for (const { spec } of jobs) assert.equal(spec.activeDeadlineSeconds, undefined);
      const { metadata, spec } = pods.find(({ metadata }) => metadata.labels?.["team"] === "shop") ??
        pods[0] ??
        { metadata: { name: "" } };
      assert.equal(metadata.labels?.["team"], "shop");
      assert.equal(spec.automountServiceAccountToken, false);
      assert.equal(spec.containers[0].resources.limits.memory, "256Mi");
      assert.deepEqual(spec.tolerations[0], { operator: "Exists" });
      for (const run of [first, second]) {
        run.kill("SIGTERM");
        assert.equal((await run.finished()).code, 143);
      }
      await gone(stage, first);
    }),
};

/** SIGKILL for mirrord alone, and for it with all that could clean up after it. */
const killed = ["mirrord", "all of the session"].map((name) => ({
  name: `a kill -9 of ${name} leaves nothing in the namespace`,
  run: (stage: ClusterStage) =>
    asUser(stage, async (kubeconfig) => {
      await using run = start(stage, { kubeconfig, app: waiting });
      await run.until(/the app runs/);
      if (name === "mirrord") {
        Deno.kill(run.pid, "SIGKILL");
        Deno.kill(-run.pid, "SIGTERM"); // the app, not what waits to remove the session's directory
        await gone(stage, run);
      } else {
        Deno.kill(-run.pid, "SIGKILL");
        await namespaceClean(stage);
      }
    }),
}));

/** No node is like that: the pod waits for one. */
const nowhere = { node_selector: { "mirrord.dev/none": "none" }, startup_timeout: 5 };

const interrupted = {
  name: "an interrupt during the start removes the pod that does not run yet",
  run: (stage: ClusterStage) =>
    asUser(stage, async (kubeconfig) => {
      await using run = start(stage, { kubeconfig, config: { agent: { ...nowhere, startup_timeout: 60 } } });
      await run.until(/nodes are available/);
      run.interrupt();
      assert.equal((await run.finished()).code, 130);
      await gone(stage, run);
    }),
};

const killedEarly = {
  name: "a kill -9 during the start leaves nothing, though the agent never runs",
  run: (stage: ClusterStage) =>
    asUser(stage, async (kubeconfig) => {
      await using run = start(stage, { kubeconfig, config: { agent: nowhere } });
      await run.until(/Starting the agent/);
      await until("its pod is there", async () => (await agents(stage, "pods")).length === 1 || "none");
      Deno.kill(-run.pid, "SIGKILL");
      await namespaceClean(stage, 60);
    }),
};

async function refused(stage: ClusterStage, options: Options, code: number, said: RegExp[]): Promise<void> {
  await using run = start(stage, { app: ["sh", "-c", "echo started"], ...options });
  const finished = await run.finished();
  assert.equal(finished.code, code, finished.stderr);
  assert.equal(finished.stdout, "");
  for (const pattern of said) assert.match(finished.stderr, pattern);
  const errors = finished.stderr.split("\n").filter((line) => line.startsWith("mirrord error: "));
  assert.equal(errors.length, 1, finished.stderr);
  await gone(stage, run);
}

const rights: [resource: string, verb: string | undefined, named: string][] = [
  ["jobs", "create", "create"],
  ["jobs", "patch", "patch"],
  ["pods", "list", "list"],
  ["pods", "get", "get"],
  ["pods/log", "get", "get"],
  ["pods/portforward", undefined, "(get|create)"],
];
const lacking = rights.map(([resource, verb, named]) => ({
  name: `without the right to ${verb ?? "open"} ${resource} a targetless session ends with 77 and names it`,
  run: (stage: ClusterStage) =>
    asUser(
      stage,
      (kubeconfig) =>
        refused(stage, { kubeconfig }, 77, [new RegExp(`may not "${named}" the resource "${resource}"`)]),
      rulesWithout(resource, verb, targetlessRules),
    ),
}));

const mayNotRemove = {
  name: "without the right to delete jobs the session works, warns, and its Job goes by itself",
  run: (stage: ClusterStage) =>
    asUser(stage, async (kubeconfig) => {
      await using run = start(stage, { kubeconfig, app: ["sh", "-c", "echo worked"] });
      const { code, stdout, stderr } = await run.finished();
      assert.equal(code, 0, stderr);
      assert.equal(stdout, "worked\n");
      assert.match(
        stderr,
        /is removed by Kubernetes 1 s after its end: .*may not "delete" the resource "jobs"/,
      );
      await gone(stage, run);
    }, rulesWithout("jobs", "delete", targetlessRules)),
};

const quota = {
  name:
    "a quota that refuses the pod is named; a user without the right to list events learns how to find it",
  run: (stage: ClusterStage) =>
    asUser(stage, async (kubeconfig) => {
      const hard = { "count/pods": "2" };
      await stage.apply([{
        apiVersion: "v1",
        kind: "ResourceQuota",
        metadata: { name: "few" },
        spec: { hard },
      }]);
      await until("the quota counts", async () => {
        const said = await stage.kubectl("get", "resourcequota", "few", "-o", "jsonpath={.status.used}");
        return said.includes('"2"') || said;
      });
      await refused(stage, { kubeconfig }, 77, [
        /the namespace "mirrord-e2e-\w+" refuses its pod: exceeded quota: few/,
        /agent\.resources/,
      ]);
      await asUser(
        stage,
        (other) =>
          refused(stage, { kubeconfig: other }, 69, [
            /made no pod for the Job ".*" in 15 s/,
            /kubectl get events/,
          ]),
        rulesWithout("events", "list", targetlessRules),
      );
      await stage.kubectl("delete", "resourcequota", "few");
    }),
};

const misconfigured: [name: string, agent: Record<string, unknown>, code: number, said: RegExp[]][] = [
  ["an image that cannot be pulled", { image: "127.0.0.1:1/none:1" }, 69, [
    /the node "[^"]+" cannot get the image "127\.0\.0\.1:1\/none:1"/,
    /agent\.image/,
  ]],
  ["a service account that is not there", { service_account: "nobody" }, 77, [/"nobody" not found/]],
  ["a label that cannot be one", { labels: { "a b": "c" } }, 69, [/Cannot create a Job: .*a b/]],
  ["a pod that no node takes", { ...nowhere, startup_timeout: 3 }, 69, [
    /took longer than 3 s; last step: Starting an agent in the namespace .*nodes are available/,
  ]],
];
const mistakes = misconfigured.map(([name, agent, code, said]) => ({
  name: `${name} is one clear error`,
  run: (stage: ClusterStage) =>
    asUser(stage, (kubeconfig) => refused(stage, { kubeconfig, config: { agent } }, code, said)),
}));

registerCases(
  [sees, admitted, ...killed, interrupted, killedEarly, ...lacking, mayNotRemove, quota, ...mistakes],
  () => ClusterStage.create(),
  missingCluster,
);
