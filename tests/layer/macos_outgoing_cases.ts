// Cases of macos_test.ts for the calls that connect, send and receive: with the hook they reach the fake
// session, without it this machine's loopback, where nobody listens.

import assert from "node:assert/strict";
import { App, appFor } from "../support/layer_app.ts";
import { FakeDials } from "../support/fake_dials.ts";
import type { HookCase } from "./hook_case.ts";

const EHOSTUNREACH = 113;

type Said = (call: string) => Promise<string>;

async function withApp(layer: string, body: (say: Said, session: FakeDials) => Promise<void>): Promise<void> {
  await using session = await FakeDials.start();
  await using app = new App(session, await appFor("dials_anywhere", layer), { layer });
  await body(async (call) => {
    await app.write(call);
    return await app.line();
  }, session);
}

/** A connection to the target; `call` moves bytes over it, and is the first to do so. */
const moves = (...steps: [call: string, answer: string][]): HookCase => (layer) =>
  withApp(layer, async (say) => {
    assert.equal(await say("connect 127.0.0.1 9"), "3");
    for (const [call, answer] of steps) assert.equal(await say(call), answer);
  });

export const connects: HookCase = (layer: string): Promise<void> =>
  withApp(layer, async (say, session) => {
    assert.equal(await say("connect 127.0.0.1 9"), "3");
    assert.equal(await say("names 3"), "127.0.0.1 9 from 10.1.2.3 40000");
    assert.deepEqual(session.heard, ["connect 127.0.0.1 9", "outcome", "dialled"]);
    session.decide = () => EHOSTUNREACH;
    assert.equal(await say("connect 127.0.0.1 9"), "EHOSTUNREACH");
    session.decide = () => 0;
    assert.equal(await say("connect 127.0.0.1 10 now"), "4");
    assert.equal(await say("error 4"), "0");
    assert.equal(await say("connect ::ffff:127.0.0.1 9"), "5");
    assert.equal(await say("names 5"), "::ffff:127.0.0.1 9 from ::ffff:10.1.2.3 40000");
    assert.equal(await say("send 5 hello"), "5");
    assert.equal(await say("recv 5"), "hello");
  });

export const macOutgoingCases: Record<string, HookCase> = {
  connect: connects,
  connectx: (layer) =>
    withApp(layer, async (say, session) => {
      assert.equal(await say("connectx 127.0.0.1 9 first"), "3");
      assert.deepEqual(session.heard, ["connect 127.0.0.1 9", "outcome", "dialled"]);
      assert.equal(await say("recv 3"), "first");
    }),
  sendto: (layer) =>
    withApp(layer, async (say, session) => {
      assert.equal(await say("udp"), "3");
      assert.equal(await say("sendto 3 127.0.0.1 9 question"), "8");
      assert.deepEqual(session.heard, ["udp 127.0.0.1 9"]);
    }),
  recvfrom: (layer) =>
    withApp(layer, async (say) => {
      assert.equal(await say("udp"), "3");
      assert.equal(await say("sendto 3 127.0.0.1 9 question"), "8");
      assert.equal(await say("recvfrom 3"), "question from 127.0.0.1 9");
    }),
};

/** Bytes over a connection, which the kernel carries: these calls are hooked for what a failure is called. */
export const carried: HookCase = moves(["sendmsg 3 one", "3"], ["recvmsg 3", "one"], ["send 3 two", "3"], [
  "recv 3",
  "two",
]);
