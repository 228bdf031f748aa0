// `mirrord up` on the cluster: two services at once, one whose target is found by its name; each gets its own
// requests alone, and after Ctrl-C both targets answer as before.

import assert from "node:assert/strict";
import { until } from "../cluster/command.ts";
import { ask } from "../support/client.ts";
import { ClusterStage, missingCluster } from "../support/cluster_stage.ts";
import { allRules } from "../support/kube_users.ts";
import { assertTargetClean } from "../support/postcondition.ts";
import { Mirrord } from "../support/program.ts";
import { localApp } from "../support/session_run.ts";

/** What a program reads below its working directory is this machine's. */
const directory = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** The program that stands in for nginx listens there. */
const local = 8081;

Deno.test({
  name: "mirrord up serves two deployments at once" +
    (missingCluster === null ? "" : ` (skipped: ${missingCluster})`),
  ignore: missingCluster !== null,
  async fn() {
    await using stage = await ClusterStage.create({ others: ["web"], rules: allRules });
    const { namespace } = stage;
    const identity = await stage.identity();
    const services = {
      app: { target: { namespace }, run: { command: localApp, directory } },
      nginx: {
        target: { path: "deployment/web", namespace },
        http_filter: { path_filter: "^/mine" },
        config_patch: { feature: { network: { incoming: { port_mapping: [[local, 80]] } } } },
        env: { override: { PORT: local, ANSWER_AS: "nginx here" } },
        run: { command: localApp, directory },
      },
    };
    const folder = await Deno.makeTempDir({ prefix: "mirrord-up-" });
    await Deno.writeTextFile(`${folder}/mirrord-up.yaml`, JSON.stringify({ services }));
    {
      await using up = new Mirrord(["up", "-k", "ana"], {
        cwd: folder,
        env: { KUBECONFIG: stage.kubeconfig, XDG_RUNTIME_DIR: folder },
        prefix: ["setsid", ...stage.prefix],
      });
      await up.until(/^app {3}\| listening /, 60_000);
      await up.until(/^nginx \| listening /, 60_000);
      assert.match(up.said().join("\n"), /^mirrord app: the target is deployment\/app in "/m);

      const headers = { Baggage: "other=1,mirrord-session=ana" };
      assert.equal((await ask(stage)).by, "original");
      assert.equal((await ask(stage, { headers })).by, "local");
      const host = (await stage.kubectl("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}")).trim();
      const web = { host };
      assert.equal((await ask(stage, { ...web, path: "/mine" })).by, "nginx here");
      assert.notEqual((await ask(stage, { ...web, headers })).by, "nginx here");

      Deno.kill(-up.pid, "SIGINT");
      assert.equal((await up.finished()).code, 130);
      await until("nginx answers", async () => {
        const { by } = await ask(stage, { ...web, path: "/mine" });
        return by !== "nginx here" || by;
      });
    }
    await assertTargetClean(stage, identity);
    // "mirrord" is where sessions are found (docs/sessions.md).
    const left = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name !== "mirrord");
    assert.deepEqual(left, ["mirrord-up.yaml"]);
    await Deno.remove(folder, { recursive: true });
  },
});
