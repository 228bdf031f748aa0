// Kernels before 5.11 count BPF maps as locked memory, of which a container runtime may allow as little as
// 64 KiB. Runs on such a kernel only: tests/kernels boots one.

import assert from "node:assert/strict";
import { countsMapsAsLocked } from "../../agent/sys/locked_memory.ts";
import { deadline } from "../support/deadline.ts";
import { FakeClient } from "../support/fake_client.ts";
import { Netns } from "../support/netns.ts";
import { startOriginal, Talk } from "./talk.ts";

const reason = countsMapsAsLocked()
  ? ""
  : " (skipped: this kernel does not count them; ./dev test kernels has one)";
/** More than the map that is made then has room for. */
const connections = 300;

/** Runs a command with so much locked memory at most, and without the right to raise that. */
function within(netns: Netns, limit: number): string[] {
  const set = "-all,+bpf,+net_admin";
  const limited = ["prlimit", `--memlock=${limit}:${limit}`];
  return netns.inside([...limited, "setpriv", `--bounding-set=${set}`, `--inh-caps=${set}`]);
}

Deno.test({
  name: `where BPF maps count as locked memory, 64 KiB of it are enough to steal${reason}`,
  ignore: reason !== "",
  async fn() {
    await using netns = await Netns.create();
    await using _original = await startOriginal(netns, "greet", 80);
    await using client = await FakeClient.start(netns, { prefix: within(netns, 65536) });
    await client.subscribe(80);
    client.handle((offered) => void offered.refuse());
    const greet = async (): Promise<string> => {
      using peer = await Talk.dial(netns, 80);
      return await deadline(peer.until("\r\n"), "the original greets");
    };
    const said = await Promise.all(Array.from({ length: connections }, greet));
    assert.deepEqual(said, said.map(() => "220 the original\r\n"));
  },
});

Deno.test({
  name: `where BPF maps count as locked memory, a limit that is too low is named${reason}`,
  ignore: reason !== "",
  async fn() {
    await using netns = await Netns.create();
    await assert.rejects(
      FakeClient.start(netns, { prefix: within(netns, 8192) }),
      /^Error: Cannot steal ports: the node's kernel \(5\..*\) counts BPF maps as locked memory, of which the agent may have 8 KiB/,
    );
  },
});
