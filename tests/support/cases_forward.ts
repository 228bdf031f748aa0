// `mirrord port-forward` through the compiled binary, with real clients and servers. One list for pods and
// processes.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Case } from "./cases.ts";
import { ask, untilBy } from "./client.ts";
import { deadline } from "./deadline.ts";
import { ForwardRun, LocalServer } from "./forward_run.ts";
import { assertTargetClean } from "./postcondition.ts";

/** A port of the target where nobody listens. */
const nobody = 4319;
/** tests/cluster/apps/app.py's bytes. */
const pattern = (length: number) => Uint8Array.from({ length }, (_, index) => index % 251);

export const forwardCases: Case[] = [
  {
    name: "clients here reach the target's own loopback, by either family, several at once",
    async run(stage) {
      const identity = await stage.identity();
      const flags = ["-L", "0:localhost:80", "-L", "[::1]:0:127.0.0.1:80"];
      await using run = await ForwardRun.ready(stage, flags);
      const [first, second] = run.ports;
      const asked = [1, 2, 3, 4].flatMap(() => [run.asks(first), run.asks(second, "/", "[::1]")]);
      assert.deepEqual(await Promise.all(asked), asked.map(() => [0, "original"]));
      const length = 3_000_000;
      const sum = ["sh", "-c", `curl -s --noproxy '*' http://127.0.0.1:${first}/eof/${length} | sha256sum`];
      const { stdout } = await run.client(sum);
      assert.equal(stdout.split(" ")[0], createHash("sha256").update(pattern(length)).digest("hex"));
      run.kill("SIGINT");
      assert.equal((await run.finished()).code, 0);
      assert.notEqual((await run.asks(first))[0], 0);
      await assertTargetClean(stage, identity);
    },
  },
  {
    name: "what the target refuses is a reset here and one line",
    async run(stage) {
      const flags = ["-L", `0:127.0.0.1:${nobody}`, "-L", "0:no-such-name.invalid:80"];
      await using run = await ForwardRun.ready(stage, flags);
      // curl(1): the reset came while it connected, before it sent, or before it received.
      const isReset = async (port?: number) => assert.ok([7, 55, 56].includes((await run.asks(port))[0]));
      await isReset(run.ports[0]);
      await isReset(run.ports[0]);
      await run.until(/warning: Cannot forward .* to 127\.0\.0\.1:4319: the connection is refused$/);
      await isReset(run.ports[1]);
      await run.until(
        /:80: the target('s name servers do not answer| knows no such name) \(no-such-name\.invalid\)$/,
      );
      run.kill("SIGTERM");
      const { code, stderr } = await run.finished();
      assert.equal(code, 0);
      assert.equal(stderr.split("\n").filter((line) => line.includes("is refused")).length, 1, stderr);
    },
  },
  {
    name: "a port of the target leads here, to the target where nobody listens here, and back at the end",
    async run(stage) {
      const identity = await stage.identity();
      const server = await LocalServer.start(stage);
      await using run = await ForwardRun.ready(stage, ["-R", `80:${server.port}`]);
      assert.equal((await ask(stage)).by, "local");
      const sent = await ask(stage, { method: "POST", size: 300_000 });
      assert.deepEqual([sent.by, sent.body_sha256], ["local", sent.sent_sha256]);
      await server[Symbol.asyncDispose]();
      assert.equal((await ask(stage)).by, "original");
      await run.until(/warning: Cannot forward port 80 of the target to .*refused; the target answers$/);
      run.kill("SIGINT");
      assert.equal((await run.finished()).code, 0);
      await assertTargetClean(stage, identity);
    },
  },
  {
    name: "when the agent is killed connections are reset, and another agent serves the same ports",
    async run(stage) {
      const identity = await stage.identity();
      await using server = await LocalServer.start(stage);
      const flags = ["-L", "0:localhost:80", "-R", `80:${server.port}`];
      await using run = await ForwardRun.ready(stage, flags);
      const endless = run.client([
        ..."curl --silent --noproxy * --limit-rate 5M --output /dev/null".split(" "),
        `http://127.0.0.1:${run.ports[0]}/bytes/1000000000`,
      ]);
      await untilBy(stage, "local");
      for (const pid of await stage.agents()) Deno.kill(pid, "SIGKILL");
      const cut = await deadline(endless, "the download ends with the agent");
      assert.ok([18, 56].includes(cut.code), `curl ended with ${cut.code}`);
      await run.until(/warning: The agent is gone \(.*\)\. .*The next agent is started in 1 s$/);
      await run.until(/Forwarding again, after /);
      await untilBy(stage, "local");
      assert.equal((await run.asks(run.ports[0]))[0], 0);
      run.kill("SIGINT");
      assert.equal((await run.finished()).code, 0);
      await assertTargetClean(stage, identity);
    },
  },
];
