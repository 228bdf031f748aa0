// One case for each call of LAYER_OUTGOING_HOOKS: what an app sees of it that it would not see without that
// hook. Run by hooks_test.ts, with the layer and with one that lacks the hook. All addresses are of loopback,
// where nobody listens.

import assert from "node:assert/strict";
import type { Calls } from "../support/layer_app.ts";
import { OutgoingStage } from "../support/outgoing_stage.ts";

type OutgoingCase = (layer: string) => Promise<void>;

const EHOSTUNREACH = 113;

async function withApp(
  layer: string,
  body: (app: Calls, stage: OutgoingStage) => Promise<void>,
): Promise<void> {
  await using stage = await OutgoingStage.create();
  await using app = await stage.app({ layer });
  await body(app, stage);
}

const connects = (call: string): OutgoingCase => (layer) =>
  withApp(layer, async (app, stage) => {
    assert.equal(await app.do("socket 4"), "3");
    assert.equal(await app.do(`${call} 3 127.0.0.1 9`), "0");
    assert.deepEqual(stage.asked, ["127.0.0.1 9"]);
  });

const sends = (call: string): OutgoingCase => (layer) =>
  withApp(layer, async (app, stage) => {
    assert.equal(await app.do("socket udp4"), "3");
    assert.equal(await app.do(`${call} 3 127.0.0.1 9 question`), "8");
    assert.equal(await app.do("recv 3"), "8 question");
    assert.deepEqual(stage.asked, ["udp 127.0.0.1 9"]);
  });

const receives = (call: string): OutgoingCase => (layer) =>
  withApp(layer, async (app) => {
    assert.equal(await app.do("socket udp4"), "3");
    assert.equal(await app.do("sendto 3 127.0.0.1 9 question"), "8");
    assert.equal(await app.do(`${call} 3`), "8 question 127.0.0.1 9");
  });

/** `call` is the first to tell that a connect failed. */
const tells = (call: string): OutgoingCase => (layer) =>
  withApp(layer, async (app, stage) => {
    stage.decide = () => EHOSTUNREACH;
    assert.equal(await app.do("socket 4now"), "3");
    assert.equal(await app.do("connect 3 127.0.0.1 9"), "EINPROGRESS");
    assert.match(await app.do("poll 3 20000"), /err hup/);
    assert.equal(await app.do(`meet 3 ${call}`), "EHOSTUNREACH");
  });

export const outgoingHookCases: Record<string, OutgoingCase> = {
  connect: connects("connect"),
  __connect: connects("__connect"),
  getsockopt: (layer) =>
    withApp(layer, async (app, stage) => {
      stage.decide = () => EHOSTUNREACH;
      assert.equal(await app.do("socket 4now"), "3");
      assert.equal(await app.do("connect 3 127.0.0.1 9"), "EINPROGRESS");
      assert.match(await app.do("poll 3 20000"), /out/);
      assert.equal(await app.do("error 3"), "EHOSTUNREACH");
    }),
  send: tells("send"),
  recv: tells("recv"),
  __recv_chk: tells("__recv_chk"),
  sendto: sends("sendto"),
  sendmsg: sends("sendmsg"),
  sendmmsg: sends("sendmmsg"),
  recvfrom: receives("recvfrom"),
  __recvfrom_chk: receives("__recvfrom_chk"),
  recvmsg: receives("recvmsg"),
  recvmmsg: receives("recvmmsg"),
};
