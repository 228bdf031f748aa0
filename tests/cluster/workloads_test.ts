// What a cluster must be able to do for the other tests, shown on the one that
// is up: names, Services, both address families, containers that join a pod.

import { match, ok, strictEqual } from "node:assert";
import { clusterAccess, kubectl } from "./access.ts";
import { until } from "./command.ts";
import { imageName } from "./images.ts";
import { sourceDir } from "./layout.ts";

const access = await clusterAccess();
const reason = access === null ? "no test cluster is up: deno run -A tests/cluster/cluster.ts up" : null;

Deno.test({
  name: `pods reach each other through Services by name${reason === null ? "" : ` (skipped: ${reason})`}`,
  ignore: reason !== null,
  async fn(t) {
    const namespace = `cluster-test-${crypto.randomUUID().slice(0, 8)}`;
    const inside = (...args: string[]) => kubectl([`--namespace=${namespace}`, ...args]);
    const request = (...args: string[]) =>
      inside("exec", "client", "--", "curl", "-sS", "--max-time", "5", ...args);
    await kubectl(["create", "namespace", namespace]);
    try {
      await inside("apply", "-f", sourceDir("workloads.yaml"));
      await inside("wait", "--for=condition=Available", "deployment", "--all", "--timeout=180s");
      await inside("wait", "--for=condition=Ready", "pod", "--all", "--timeout=180s");

      await t.step("app reports the request it saw, over both families", async () => {
        for (const family of ["-4", "-6"]) {
          const url = `app.${namespace}/some/path?q=1`;
          const report = JSON.parse(await request(family, "-H", "X-Test: one", "-d", "hello", url));
          strictEqual(report.by, "original");
          strictEqual(report.method, "POST");
          strictEqual(report.path, "/some/path?q=1");
          strictEqual(report.body_length, 5);
          ok(report.headers.some(([name, value]: [string, string]) => name === "X-Test" && value === "one"));
        }
      });

      await t.step("app frames bodies in every way", async () => {
        for (const framing of ["bytes", "chunked", "eof"]) {
          const size = await request(
            "-o",
            "/dev/null",
            "-w",
            "%{size_download}",
            `app/${framing}/100000`,
          );
          strictEqual(size, "100000");
        }
        const chunked = ["-H", "Transfer-Encoding: chunked", "--data-binary", "@/usr/bin/python3"];
        ok(JSON.parse(await request(...chunked, "app/")).body_length > 100_000);
        match(await request("-I", "app/bytes/7"), /content-length: 7\r/i);
      });

      await t.step("each of the other servers answers by name", async () => {
        strictEqual(JSON.parse(await request("app-podip/")).by, "original");
        strictEqual(JSON.parse(await request("node/")).by, "original");
        strictEqual(await request("web/"), "original nginx\n");
        strictEqual(
          await inside("exec", "deployment/redis", "--", "redis-cli", "-h", "redis", "ping"),
          "PONG\n",
        );
        const psql = [
          "/usr/lib/postgresql/15/bin/psql",
          "-h",
          "postgres",
          "-U",
          "postgres",
          "-Atc",
          "select 6*7",
        ];
        strictEqual(await inside("exec", "deployment/postgres", "--", ...psql), "42\n");
      });

      await t.step("a listener on loopback is reached in the pod only", async () => {
        const inPod = ["exec", "deployment/app-loopback", "--", "curl", "-sS", "http://127.0.0.1/"];
        strictEqual(JSON.parse(await inside(...inPod)).by, "original");
        const refused = await request("app-loopback/").catch((error: Error) => error.message);
        match(refused, /curl: \(7\)/); // "failed to connect", not a name or a timeout
      });

      await t.step("an ephemeral container joins the target's processes", async () => {
        const pod = (await inside("get", "pod", "-l", "app=app", "-o", "name")).trim();
        await inside(
          ...["debug", pod, "--image", imageName("python"), "--target=app", "--container=probe"],
          ...["--profile=general", "--", "sh", "-c", "tr '\\0' '\\n' </proc/1/environ"],
        );
        await until("the probe has printed the environment", async () => {
          const log = await inside("logs", pod, "--container=probe").catch((error: Error) => error.message);
          return log.includes("MIRRORD_TEST_GREETING=from-the-pod") || log;
        }, 30);
      });
    } finally {
      await kubectl(["delete", "namespace", namespace, "--wait=false"]);
    }
  },
});
