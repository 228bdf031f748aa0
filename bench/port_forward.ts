// The peer of the benches on a cluster: `kubectl port-forward`. Called by cluster.ts and outgoing.ts; what it
// returns ends it.

import { kubectlCommand } from "../tests/cluster/access.ts";
import type { ClusterStage } from "../tests/support/cluster_stage.ts";
import { TextLineStream } from "../tests/support/text_lines.ts";

/** `kubectl port-forward` from `ports` ("LOCAL:REMOTE") to `to` ("pod/NAME", "service/NAME"), ready. */
export async function portForward(stage: ClusterStage, to: string, ports: string): Promise<AsyncDisposable> {
  const forward = ["-n", stage.namespace, "port-forward", to, ports];
  const [program = "", ...args] = await kubectlCommand(forward);
  const child = new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "null" }).spawn();
  const lines = child.stdout.pipeThrough(new TextLineStream()).getReader();
  for (;;) {
    const { value, done } = await lines.read();
    if (done) throw new Error("Cannot measure: kubectl port-forward ended");
    if (value.startsWith("Forwarding from 127.0.0.1")) break;
  }
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await lines.cancel();
      await child.status;
    },
  };
}
