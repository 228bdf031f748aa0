// The seal of records: both implementations agree byte by byte, and with WebCrypto's AES-256-GCM, and a
// record that was changed anywhere does not open.

import assert from "node:assert/strict";
import { nativeSeal, portableSeal } from "./seal.ts";
import { recordHeaderBytes, recordTagBytes } from "../../protocol-wasm/mod.ts";

const key = crypto.getRandomValues(new Uint8Array(32));
const native = await nativeSeal();
assert.ok(native !== null, "this processor has no AES instructions");
const seals = { native, portable: await portableSeal() };

function recordOf(seal: keyof typeof seals, text: Uint8Array, number: number): Uint8Array<ArrayBuffer> {
  const record = new Uint8Array(recordHeaderBytes + text.length + recordTagBytes);
  assert.equal(seals[seal].seal(record, text, key, number), record.length);
  return record;
}

for (const length of [1, 15, 16, 17, 64, 1500, 65_536]) {
  Deno.test(`a record of ${length} bytes is the same from both, and WebCrypto's`, async () => {
    const text = new Uint8Array(length).map((_, at) => at * 7);
    const number = 2 ** 31 + length;
    const record = recordOf("native", text, number);
    assert.deepEqual(record, recordOf("portable", text, number));
    const iv = new Uint8Array(12);
    new DataView(iv.buffer).setUint32(0, number, true);
    const webKey = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["decrypt"]);
    const additionalData = record.slice(0, recordHeaderBytes);
    const how = { name: "AES-GCM", iv, additionalData };
    const opened = await crypto.subtle.decrypt(how, webKey, record.slice(recordHeaderBytes));
    assert.deepEqual(new Uint8Array(opened), text);
    for (const seal of Object.values(seals)) {
      const into = new Uint8Array(length);
      assert.ok(seal.open(into, record, key, number));
      assert.deepEqual(into, text);
    }
  });
}

Deno.test("a record with any byte changed, another number or another key does not open, and writes nothing", () => {
  const text = new TextEncoder().encode("to the agent and nobody else");
  const record = recordOf("native", text, 5);
  const other = crypto.getRandomValues(new Uint8Array(32));
  for (const [name, seal] of Object.entries(seals)) {
    const into = new Uint8Array(text.length);
    for (let at = 0; at < record.length; at++) {
      const changed = record.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      assert.equal(seal.open(into, changed, key, 5), false, `${name}: byte ${at}`);
    }
    assert.equal(seal.open(into, record, key, 6), false);
    assert.equal(seal.open(into, record, other, 5), false);
    assert.deepEqual(into, new Uint8Array(text.length), name);
  }
});

Deno.test("a place that is too small is refused before the library is called", () => {
  for (const seal of Object.values(seals)) {
    assert.throws(() => seal.seal(new Uint8Array(83), new Uint8Array(64), key, 0), RangeError);
    assert.throws(() => seal.seal(new Uint8Array(84), new Uint8Array(64), key.subarray(1), 0), RangeError);
    assert.throws(() => seal.open(new Uint8Array(63), new Uint8Array(84), key, 0), RangeError);
    assert.throws(() => seal.open(new Uint8Array(63), new Uint8Array(19), key, 0), RangeError);
  }
});
