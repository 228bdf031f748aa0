// What wears a session's processes out: forks from many threads, and programs that start without their
// standard descriptors.

import assert from "node:assert/strict";
import { registerCases } from "../support/cases.ts";
import { run as runProgram } from "../cluster/command.ts";
import { ClusterStage, type KubeObject, missingCluster } from "../support/cluster_stage.ts";
import { inFolder } from "../support/programs.ts";
import { SessionRun } from "../support/session_run.ts";

const apps = decodeURIComponent(new URL("../apps", import.meta.url).pathname);
const config = { feature: { fs: "read", network: { incoming: "off" } } };
const filePath = "/srv/pod/file.txt";
const loadSeconds = 30;

const files = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "pod" },
  data: { "file.txt": "of the pod\n" },
};

function change(object: KubeObject): void {
  if (object.kind !== "Deployment" || object.metadata.name !== "app") return;
  const { spec } = object.spec.template;
  spec.volumes = [{ name: "pod", configMap: { name: "pod" } }];
  spec.containers[0].volumeMounts = [{ name: "pod", mountPath: "/srv/pod" }];
}

/** Starts closed.py with the descriptors of `closed` closed. */
function closing(closed: number[], ...args: string[]): string[] {
  const redirections = closed.map((fd) => fd === 0 ? "<&-" : `${fd}>&-`).join(" ");
  return ["sh", "-c", `exec /usr/bin/python3 ${apps}/closed.py "$@" ${redirections}`, "sh", ...args];
}

const cases = [
  {
    name: "threads that fork under load neither hang nor fail",
    run: (stage: ClusterStage) =>
      inFolder(async (folder) => {
        const program = `${folder}/fork_load`;
        await runProgram(["gcc", "-std=gnu11", "-O1", "-pthread", "-o", program, `${apps}/fork_load.c`]);
        const app = [program, String(loadSeconds), "web", "80", filePath];
        await using run = new SessionRun(stage, { app, flags: [], config, cwd: folder });
        const { code, stdout, stderr } = await run.finished((loadSeconds + 60) * 1000);
        assert.equal(code, 0, `${stdout}\n${stderr}`);
        assert.match(stdout, /^forks \d+ rounds \d+ failures 0\n$/);
      }),
  },
  ...[[0], [1], [2], [0, 1], [0, 1, 2]].map((closed) => ({
    name: `a program that starts with ${
      closed.join(", ")
    } closed gets the same descriptors as without mirrord`,
    run: (stage: ClusterStage) =>
      inFolder(async (folder) => {
        await Deno.chmod(folder, 0o777);
        const [here = "", plain = ""] = [`${folder}/here`, `${folder}/plain`];
        await runProgram(closing(closed, plain, "/dev/null"));
        const { numbers } = JSON.parse(await Deno.readTextFile(plain));
        const app = closing(closed, here, filePath, "web", "80");
        await using run = new SessionRun(stage, { app, flags: [], config });
        const { code, stderr } = await run.finished();
        assert.equal(code, 0, stderr);
        const found = JSON.parse(await Deno.readTextFile(here));
        assert.deepEqual(found, { numbers, answer: "original nginx\n", content: "of the pod\n" });
      }),
  })),
  {
    name: "mirrord itself starts without standard descriptors",
    run: (stage: ClusterStage) =>
      inFolder(async (folder) => {
        const line = `exec "$@" <&- >&- 2>&-`;
        const app = closing([], `${folder}/out`, filePath, "web", "80");
        await using run = new SessionRun(stage, { app, flags: [], config, prefix: ["sh", "-c", line, "sh"] });
        assert.equal((await run.finished()).code, 0);
        const found = JSON.parse(await Deno.readTextFile(`${folder}/out`));
        assert.equal(found.content, "of the pod\n");
      }),
  },
];

registerCases(cases, () => ClusterStage.create({ others: ["web"], change, extra: [files] }), missingCluster);
