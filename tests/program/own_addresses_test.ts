// A listener has an address: what an app binds, what its sockets are called and who answers when it asks
// itself is what the same program gets inside the target without mirrord. A generated table: family × bound
// address × port 0 or not × TCP or UDP, asked by loopback, by the pod's address and by its host name;
// mirrored and stolen; stolen ones from inside the target and from another host, too. Where the app's socket
// does not take a question a sidecar of the target does, on the same port.

import assert from "node:assert/strict";
import { missingForProcess } from "../support/cases.ts";
import {
  answersOf,
  askedByOthers,
  configFile,
  endOf,
  Pod,
  python,
  type Row,
  script,
} from "../support/address_pod.ts";
import { App } from "../support/layer_app.ts";
import { binary } from "../support/program.ts";

const pairs = decodeURIComponent(new URL("../apps/address_pairs.py", import.meta.url).pathname);
for (const mode of ["mirror", "steal"]) {
  Deno.test({
    name: `what an app binds, and who answers it, is what it is inside the target: ${mode}`,
    ignore: missingForProcess() !== null,
    async fn() {
      await using pod = await Pod.create();
      // Of a mirrored port the original answers, or nobody.
      const rows: Row[] = pod.rows().map((row) =>
        mode === "steal" && row.protocol === "tcp" ? { ...row, wait: true } : row
      );
      const argv = [python, script, JSON.stringify(rows)];
      const others = (row: Row, port: number) => askedByOthers(pod, row, port);
      await using without = new App(null, pod.inside(argv));
      const right = await answersOf(without, rows, others);
      // With port 0, too, so that others ask such a listener; without that nobody but the app itself reaches
      // it.
      using config = configFile({ feature: { network: { incoming: { mode, dynamic_ports: true } } } });
      const flags = ["--target", `process/${pod.pid}`, "--config-file", config.path];
      await using app = new App(null, [binary, "exec", ...flags, "--", ...argv]);
      assert.deepEqual(await answersOf(app, rows, others), right);
      await endOf(app);
    },
  });
}

for (const who of ["one process", "fork"]) {
  Deno.test({
    name: `two sockets of the app on one port get in each other's way as inside the target: ${who}`,
    ignore: missingForProcess() !== null,
    async fn() {
      await using pod = await Pod.create();
      const argv = [python, pairs, pod.netns.ipv4, pod.netns.ipv6, who];
      const output = async (command: string[]): Promise<string[]> => {
        const [program = "", ...args] = command;
        const { success, stdout, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
        assert.ok(success, new TextDecoder().decode(stderr));
        return new TextDecoder().decode(stdout).split("\n");
      };
      const right = await output(pod.inside(argv));
      assert.deepEqual(
        await output([binary, "exec", "--target", `process/${pod.pid}`, "--", ...argv]),
        right,
      );
    },
  });
}
