// Records of packets, whole and in pieces, and bytes that are none.

import assert from "node:assert/strict";
import { NonsenseError } from "../errors.ts";
import { type PacketRecord, packetRecordBytes, PacketRecords, packPacketRecord } from "./packet_records.ts";

const records: PacketRecord[] = [
  { kind: "toTarget", time: 1_700_000_000_123_456_789n, bytes: new Uint8Array([1, 2, 3]), length: 1500 },
  { kind: "lostByKernel", time: 5n, bytes: new Uint8Array(), length: 7 },
  { kind: "fromTarget", time: 6n, bytes: new Uint8Array(300).fill(9), length: 300 },
];

function packed(): Uint8Array {
  const into = new Uint8Array(records.reduce((sum, one) => sum + packetRecordBytes(one), 0));
  let at = 0;
  for (const record of records) {
    packPacketRecord(record, into, at);
    at += packetRecordBytes(record);
  }
  return into;
}

for (const size of [1, 7, 20, 1000]) {
  Deno.test(`records come out as they went in, in pieces of ${size}`, () => {
    const reader = new PacketRecords();
    const bytes = packed();
    const found: PacketRecord[] = [];
    for (let at = 0; at < bytes.length; at += size) found.push(...reader.take(bytes.subarray(at, at + size)));
    assert.deepEqual(found, records);
  });
}

Deno.test("a record of no kind, or longer than any packet, is nonsense", () => {
  for (const [at, value] of [[16, 4], [2, 0xff]] as const) {
    const bytes = packed();
    bytes[at] = value;
    assert.throws(() => [...new PacketRecords().take(bytes)], NonsenseError);
  }
});
