// Volumes of every kind, mounted where pods have them: programs see here what they see in the pod.

import assert from "node:assert/strict";
import { registerCases } from "../support/cases.ts";
import { ClusterStage, type KubeObject, missingCluster } from "../support/cluster_stage.ts";
import { linesHere, linesInPod } from "../support/in_pod.ts";
import { SessionRun } from "../support/session_run.ts";

const settings = {
  "app.properties": "answer=42\n",
  "settings.js": "module.exports = { answer: 42 };\n",
  "settings.py": "answer = 42\n",
  "run.sh": "echo answer is 42\n",
  "plain.json": '{"answer": 42}\n',
};
const objects = [
  { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "conf" }, data: settings },
  { apiVersion: "v1", kind: "Secret", metadata: { name: "token" }, stringData: { token: "of the pod" } },
];
const labels = { path: "labels", fieldRef: { fieldPath: "metadata.labels" } };
const volumes = [
  { name: "conf", configMap: { name: "conf" } },
  { name: "token", secret: { secretName: "token", defaultMode: 0o440 } },
  {
    name: "all",
    projected: {
      sources: [
        { configMap: { name: "conf", items: [{ key: "settings.js", path: "deep/settings.js" }] } },
        { secret: { name: "token" } },
      ],
    },
  },
  { name: "about", downwardAPI: { items: [labels] } },
  { name: "scratch", emptyDir: {} },
];
const folders = [
  "/etc/app",
  "/etc/config",
  "/opt/app/conf",
  "/usr/local/app",
  "/usr/share/app",
  "/home/app/conf",
  "/tmp/conf",
  "/run/app",
  "/var/run/other",
  "/root/.config/app",
  "/config",
];
const others = {
  token: ["/etc/secrets", "/run/secrets/app", "/home/app/.ssh"],
  all: ["/etc/all", "/opt/all"],
  about: ["/etc/podinfo"],
  scratch: ["/etc/scratch", "/var/cache/app"],
};
const files = ["/etc/app.properties", "/opt/single/app.properties", "/usr/local/lib/deep/settings.js"];
/** Would cover what programs of this machine need. */
const covering = ["/tmp", "/dev/shm"];
const everything = [...folders, ...Object.values(others).flat(), ...files];

function change(object: KubeObject): void {
  if (object.kind !== "Deployment") return;
  const { spec } = object.spec.template;
  spec.volumes = volumes;
  spec.containers.push({ name: "node", image: "test.local/node:1", env: [{ name: "PORT", value: "8081" }] });
  for (const container of spec.containers) {
    container.volumeMounts = [
      ...folders.map((mountPath) => ({ name: "conf", mountPath })),
      ...Object.entries(others).flatMap(([name, paths]) => paths.map((mountPath) => ({ name, mountPath }))),
      ...files.map((mountPath) => ({ name: "conf", mountPath, subPath: mountPath.split("/").at(-1) })),
      ...covering.map((mountPath) => ({ name: "scratch", mountPath })),
    ];
  }
}

const place = (container: string) => ["deployment/app", `--container=${container}`];
const reading = { feature: { fs: "read", network: false } };
const script = { file: "mounts.py", args: everything };

async function same(stage: ClusterStage, container: string, script: { file: string; args: string[] }) {
  const there = await linesInPod(stage, place(container), script);
  const targetFlags = stage.flags(`deployment/app/container/${container}`);
  for (const fs of ["read", "write", "localwithoverrides"]) {
    const config = { feature: { fs, network: false } };
    assert.deepEqual(await linesHere(stage, script, { targetFlags, config }), there, fs);
  }
  return there;
}

const cases = [
  {
    name: "a Python program sees every volume where the pod has it",
    async run(stage: ClusterStage) {
      const lines = await same(stage, "app", script);
      assert.equal(lines.filter((line) => line.includes('settings.py", 42]')).length, folders.length);
      assert.ok(lines.some((line) => line.includes("of the pod")), lines.join("\n"));
    },
  },
  {
    name: "a Node program loads modules out of every volume",
    async run(stage: ClusterStage) {
      const lines = await same(stage, "node", { file: "mounts.cjs", args: folders });
      assert.equal(lines.filter((line) => line.includes(',42,{"answer":42}')).length, folders.length);
    },
  },
  {
    name: "without feature.magic.auto_mount the lists decide, and which rule did is in the debug log",
    async run(stage: ClusterStage) {
      const targetFlags = stage.flags("deployment/app/container/app");
      const app = ["/usr/bin/cat", "/etc/app/app.properties"];
      const env = { MIRRORD_LOG: "debug" };
      const outcome = async (config: unknown) => {
        await using run = new SessionRun(stage, { flags: [], targetFlags, config, app, env });
        return await run.finished();
      };
      const on = await outcome(reading);
      assert.deepEqual([on.code, on.stdout], [0, "answer=42\n"]);
      assert.match(
        on.stderr,
        /File "\/etc\/app\/app\.properties", to read: the target's, by the target's mount "\/etc\/app"/,
      );
      assert.match(on.stderr, /Volumes of the target at "\/tmp", "\/dev\/shm" are not read from the target/);
      const off = await outcome({ feature: { ...reading.feature, magic: { auto_mount: false } } });
      assert.deepEqual([off.code, off.stdout], [1, ""]);
      assert.match(
        off.stderr,
        /File "\/etc\/app\/app\.properties", to read: this machine's, by the built-in list/,
      );
    },
  },
];

registerCases(
  cases,
  () => ClusterStage.create({ path: "deployment/app/container/app", change, extra: objects }),
  missingCluster,
);
