// An app of macOS, the layer for macOS and the real session with Darwin's sockets, together on Linux: the app
// runs in the loader of tests/support/macho. Run by tests/layer/darwin_session_test.ts, which puts
// darwin_platform.ts in place.

import assert from "node:assert/strict";
import { buildMacLayer, macLayerPart } from "../../scripts/build_layer.ts";
import { root } from "../../scripts/step.ts";
import { App, appFor } from "./layer_app.ts";
import { OutgoingStage } from "./outgoing_stage.ts";

const layer = root + macLayerPart(Deno.build.arch);
const EHOSTUNREACH = 113;

await buildMacLayer();

Deno.test("an app of macOS connects through the session, and fails with the target's errno", async () => {
  await using stage = await OutgoingStage.create();
  await using app = new App(stage, await appFor("dials_anywhere", layer), { layer });
  const say = async (call: string): Promise<string> => {
    await app.write(call);
    return await app.line();
  };
  assert.equal(await say("connect 10.1.2.99 5432"), "3");
  assert.deepEqual(stage.asked, ["10.1.2.99 5432"]);
  assert.equal(await say("names 3"), "10.1.2.99 5432 from 10.1.2.3 40000");
  const { channel } = await stage.made();
  assert.equal(await say("send 3 hello"), "5");
  assert.equal(new TextDecoder().decode(await channel.read() ?? new Uint8Array()), "hello");
  await channel.write(new TextEncoder().encode("world"));
  assert.equal(await say("recv 3"), "world");
  stage.decide = () => EHOSTUNREACH;
  assert.equal(await say("connect 10.1.2.99 5433"), "EHOSTUNREACH");
});
