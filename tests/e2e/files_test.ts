// The pod's files, used by programs that know nothing of it: what a Python and a Node program of this machine
// see is what the same program sees in the pod.

import assert from "node:assert/strict";
import { registerCases } from "../support/cases.ts";
import { ClusterStage, type KubeObject, missingCluster } from "../support/cluster_stage.ts";
import { linesHere, linesInPod, type Script } from "../support/in_pod.ts";
import { SessionRun } from "../support/session_run.ts";

const incoming = { incoming: "off" };
const reading = { feature: { fs: "read", network: incoming } };
const writing = { feature: { fs: "write", network: incoming } };
const bigBytes = 200 * 1024 * 1024;

const mounts = [{ name: "tree", mountPath: "/srv/tree" }, { name: "small", mountPath: "/srv/small" }];
const volumes = [
  { name: "tree", emptyDir: {} },
  { name: "small", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
];

/** The target's pod gets the folders, and a container with Node beside the one with Python. */
function change(object: KubeObject): void {
  if (object.kind !== "Deployment") return;
  const { spec } = object.spec.template;
  spec.volumes = volumes;
  spec.containers.push({ name: "node", image: "test.local/node:1", env: [{ name: "PORT", value: "8081" }] });
  for (const container of spec.containers) container.volumeMounts = mounts;
}

const secrets = `
cd /srv/tree; echo secret >secret; chmod 600 secret; mkdir closed; echo x >closed/x; chmod 700 closed; ln -s loop loop
`;

/** A pod of an ordinary user, with files of root that it must not read. */
const user = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "user", labels: { app: "user" } },
  spec: {
    terminationGracePeriodSeconds: 1,
    volumes,
    initContainers: [
      { name: "root", image: "test.local/python:1", command: ["sh", "-c", secrets], volumeMounts: mounts },
    ],
    containers: [{
      name: "user",
      image: "test.local/python:1",
      command: ["sh", "-c", "trap exit TERM; sleep infinity & wait"],
      securityContext: { runAsUser: 1000, runAsGroup: 1000 },
      volumeMounts: mounts,
    }],
  },
};

const python = ["deployment/app", "--container=app"];
const node = ["deployment/app", "--container=node"];

/** A shell line in the pod. */
async function shell(stage: ClusterStage, line: string): Promise<string> {
  return await stage.kubectl("exec", ...python, "--", "sh", "-c", line);
}

/** The program prints the same lines here and there. */
async function same(
  stage: ClusterStage,
  place: string[],
  script: Script,
  container: string,
): Promise<string[]> {
  const there = await linesInPod(stage, place, script);
  const targetFlags = stage.flags(`deployment/app/container/${container}`);
  const here = await linesHere(stage, script, { targetFlags, config: reading });
  assert.deepEqual(here, there);
  return here;
}

/** The program changes one folder from here and another in the pod: it sees the same, and leaves the same. */
async function changes(stage: ClusterStage, place: string[], file: string, container: string): Promise<void> {
  const folders = [`/srv/tree/${container}-here`, `/srv/tree/${container}-there`];
  await shell(stage, `mkdir ${folders.join(" ")}`);
  const targetFlags = stage.flags(`deployment/app/container/${container}`);
  const script = { file, args: ["change", folders[0] ?? ""] };
  const here = await linesHere(stage, script, { targetFlags, config: writing });
  const there = await linesInPod(stage, place, { file, args: ["change", folders[1] ?? ""] });
  assert.deepEqual(here, there);
  const left = folders.map((folder) =>
    shell(
      stage,
      `cd ${folder}; find . | sort; find . -type f | sort | xargs sha256sum; find . -type f | xargs stat -c '%n %s %a %u'`,
    )
  );
  const [after, wanted] = await Promise.all(left);
  assert.equal(after, wanted);
}

const cases = [
  {
    name: "a Python program reads a tree as in the pod",
    async run(stage: ClusterStage) {
      await shell(stage, "mkdir -p /srv/tree/python");
      await linesInPod(stage, python, { file: "tree.py", args: ["make", "/srv/tree/python"] });
      const seen = await same(stage, python, { file: "tree.py", args: ["read", "/srv/tree/python"] }, "app");
      assert.ok(seen.length > 50, `${seen.length} lines`);
    },
  },
  {
    name: "a Node program reads a tree as in the pod",
    async run(stage: ClusterStage) {
      await shell(stage, "mkdir -p /srv/tree/node");
      await linesInPod(stage, python, { file: "tree.py", args: ["make", "/srv/tree/node"] });
      const seen = await same(stage, node, { file: "tree.cjs", args: ["read", "/srv/tree/node"] }, "node");
      assert.ok(seen.length > 30, `${seen.length} lines`);
    },
  },
  {
    name: "a Python program changes a tree as in the pod",
    run: (stage: ClusterStage) => changes(stage, python, "tree.py", "app"),
  },
  {
    name: "a Node program changes a tree as in the pod",
    run: (stage: ClusterStage) => changes(stage, node, "tree.cjs", "node"),
  },
  {
    name: "1,000 small files are read whole",
    async run(stage: ClusterStage) {
      await shell(
        stage,
        'mkdir /srv/tree/s; cd /srv/tree/s; for n in $(seq 0 999); do echo "file $n" >$n; done',
      );
      await same(stage, python, { file: "tree.py", args: ["small", "/srv/tree/s"] }, "app");
    },
  },
  {
    name: "a file of 200 MiB is read whole",
    async run(stage: ClusterStage) {
      await shell(stage, `head -c ${bigBytes} /dev/urandom >/srv/tree/big`);
      const there = await shell(stage, "sha256sum /srv/tree/big");
      const app = ["/usr/bin/sha256sum", "/srv/tree/big"];
      await using run = new SessionRun(stage, { app, flags: [], config: reading });
      const { code, stdout, stderr } = await run.finished();
      assert.equal(code, 0, stderr);
      assert.equal(stdout, there);
      await shell(stage, "rm /srv/tree/big");
    },
  },
  {
    name: "a folder of 10,000 entries is listed whole",
    async run(stage: ClusterStage) {
      await shell(stage, "mkdir /srv/tree/many; cd /srv/tree/many; touch $(seq 0 9999)");
      const [line] = await same(stage, python, { file: "tree.py", args: ["many", "/srv/tree/many"] }, "app");
      assert.ok(line?.includes("10000"), line);
    },
  },
  {
    name: "what is missing, forbidden or no file is refused as in the pod",
    async run(stage: ClusterStage) {
      const script = { file: "tree.py", args: ["fail", "/srv/tree"] };
      const there = await linesInPod(stage, ["user"], script);
      const here = await linesHere(stage, script, { targetFlags: stage.flags("pod/user"), config: writing });
      assert.deepEqual(here, there);
      assert.ok(here.some((line) => line.includes("EACCES")), here.join("\n"));
    },
  },
  {
    name: "a full disk is reported, and what was written stays",
    async run(stage: ClusterStage) {
      const script = { file: "tree.py", args: ["full", "/srv/small"] };
      const there = await linesInPod(stage, python, script);
      const targetFlags = stage.flags("deployment/app/container/app");
      assert.deepEqual(await linesHere(stage, script, { targetFlags, config: writing }), there);
      assert.match(there[0] ?? "", /ENOSPC/);
    },
  },
];

registerCases(
  cases,
  () => ClusterStage.create({ path: "deployment/app/container/app", change, extra: [user] }),
  missingCluster,
);
