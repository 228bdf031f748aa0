// A peer on the layer's socket that is no session, or a broken one: whatever it answers, the app's call ends
// with EIO, at once, and the app lives on.

import assert from "node:assert/strict";
import { encode, layerMessages } from "../../protocol-wasm/mod.ts";
import { builtLayer, Calls } from "../support/layer_app.ts";

const { hello, bind } = layerMessages;
const endFlag = 1;
const errorFlag = 2;

/** A frame as raw numbers; `length` may lie. */
function frame(kind: number, flags: number, id: number, body: number[], length = body.length): Uint8Array {
  const bytes = new Uint8Array(12 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length, true);
  view.setUint16(4, kind, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, id, true);
  bytes.set(body, 12);
  return bytes;
}

const floors = { incoming: true, outgoing: false, dns: false, files: false, interfaces: false };
const welcome = frame(hello.kind, endFlag, 1, [
  ...encode(layerMessages.helloReply, { ...floors, paths: new Uint8Array() }),
]);
const answer = [
  ...encode(layerMessages.bindReply, {
    managed: true,
    suggested: 0,
    fixed: false,
    place: { address: "", port: 0 },
  }),
];
const text = new Array(5000).fill(120);
const longText = [...new Uint8Array(new Uint32Array([13, text.length]).buffer), ...text];

/** What is sent for hello (id 1) and for bind (id 3), and what the app's bind gives. */
const cases: [string, Uint8Array[], string][] = [
  ["nothing", [], "EIO"],
  ["half a header", [welcome.subarray(0, 5)], "EIO"],
  ["hello without its field", [frame(hello.kind, endFlag, 1, [])], "EIO"],
  ["hello with a bool that is none", [frame(hello.kind, endFlag, 1, [7])], "EIO"],
  ["a refusal of hello", [frame(hello.kind, errorFlag, 1, [71, 0, 0, 0, 0, 0, 0, 0])], "EIO"],
  ["another kind", [welcome, frame(hello.kind, endFlag, 3, [1])], "EIO"],
  ["another id", [welcome, frame(bind.kind, endFlag, 5, answer)], "EIO"],
  ["a frame over the limit", [welcome, frame(bind.kind, endFlag, 3, [], 2 ** 31)], "EIO"],
  ["an unknown flag", [welcome, frame(bind.kind, 128, 3, answer)], "EIO"],
  ["half an answer", [welcome, frame(bind.kind, endFlag, 3, answer.slice(0, -1), answer.length)], "EIO"],
  ["a failure without errno", [welcome, frame(bind.kind, errorFlag, 3, [1])], "EIO"],
  ["a failure with an errno that is none", [
    welcome,
    frame(bind.kind, errorFlag, 3, [0, 0, 0, 255, 0, 0, 0, 0]),
  ], "EIO"],
  ["a failure with a long text", [welcome, frame(bind.kind, errorFlag, 3, longText)], "EACCES"],
  ["an answer with more fields", [welcome, frame(bind.kind, endFlag, 3, [...answer, ...text])], "0"],
];

for (const [title, answers, result] of cases) {
  Deno.test(`a session that answers with ${title}`, async () => {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/session.sock`;
    const listener = Deno.listen({ transport: "unix", path });
    const serving = serve(listener, answers);
    try {
      await using app = await Calls.start(null, {
        env: { LD_PRELOAD: builtLayer, MIRRORD_LAYER_SOCKET: path },
      });
      assert.equal(await app.do("socket 4"), "3");
      assert.equal(await app.do("bind 3 127.0.0.1 61234"), result);
      assert.equal(await app.do("socket 4"), "4", "the app lives on");
    } finally {
      listener.close();
      await serving;
      await Deno.remove(folder, { recursive: true });
    }
  });
}

/** Answers each read with the next of `answers`, then closes; one connection. */
async function serve(listener: Deno.Listener, answers: Uint8Array[]): Promise<void> {
  const conn = await listener.accept();
  try {
    const asked = new Uint8Array(4096);
    for (const answer of answers) {
      if (await conn.read(asked) === null) return;
      for (let at = 0; at < answer.length;) at += await conn.write(answer.subarray(at));
    }
    if (answers.at(-1) === welcome) await conn.read(asked);
  } finally {
    conn.close();
  }
}
