// What the agent says on a kernel older than stealing needs, and what works there all the same. Debian's
// mirrors have no such kernel any more (tests/kernels boots the oldest that they have), so the agent reads of
// one.

import assert from "node:assert/strict";
import { deadline } from "../support/deadline.ts";
import { FakeClient } from "../support/fake_client.ts";
import { Netns } from "../support/netns.ts";
import { startOriginal, Talk } from "./talk.ts";

const release = "4.19.0-27-amd64";
/** Runs a command with a file of its own in the place of the kernel's release (proc_sys_kernel(5)). */
const script = `mount -t tmpfs old /mnt && echo ${release} >/mnt/osrelease &&
mount --bind /mnt/osrelease /proc/sys/kernel/osrelease && exec "$@"`;
const old = ["unshare", "--mount", "sh", "-c", script, "sh"];

Deno.test("a kernel without sk_lookup is refused by its name", async () => {
  await using netns = await Netns.create();
  await assert.rejects(
    FakeClient.start(netns, { prefix: netns.inside(old) }),
    new Error(`Cannot steal ports: this needs Linux 5.9 or later, the target's node runs ${release}`),
  );
});

Deno.test("on a kernel without sk_lookup ports are mirrored", async () => {
  await using netns = await Netns.create();
  await using _original = await startOriginal(netns, "greet", 80);
  await using client = await FakeClient.start(netns, { mode: "mirror", prefix: netns.inside(old) });
  await client.mirror(80);
  using peer = await Talk.dial(netns, 80);
  await peer.say("hello");
  await peer.until("220 the original\r\n");
  const offered = await client.offered();
  await offered.take();
  const app = new Talk(offered.channel);
  assert.equal(await deadline(app.until("hello"), "what was sent is mirrored"), "hello");
});
