// Packets as bytes, and the segments in them.

import assert from "node:assert/strict";
import { readAddresses, readSegment } from "./segment.ts";

const tcp = [0x30, 0x39, 0, 80, 0, 0, 1, 0, 0, 0, 0, 0, 0x60, 0x18, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1];
const payload = [...new TextEncoder().encode("hello")];

function ipv4(
  body: number[],
  options: number[] = [],
  length = 20 + options.length + body.length,
): Uint8Array<ArrayBuffer> {
  const header = [0x40 | (5 + options.length / 4), 0, length >> 8, length & 255, 0, 0, 0x40, 0, 64, 6, 0, 0];
  return Uint8Array.from([...header, 10, 0, 0, 1, 10, 0, 0, 2, ...options, ...body]);
}

function ipv6(body: number[], next: number): Uint8Array<ArrayBuffer> {
  const address = (last: number) => [0xfd, ...new Array<number>(14).fill(0), last];
  return Uint8Array.from([
    0x60,
    0,
    0,
    0,
    body.length >> 8,
    body.length & 255,
    next,
    64,
    ...address(1),
    ...address(2),
    ...body,
  ]);
}

Deno.test("a segment of IPv4, with options and with what the device added behind it", () => {
  for (const options of [[], [1, 1, 1, 1, 1, 1, 1, 0]]) {
    const packet = Uint8Array.from([...ipv4([...tcp, ...payload], options), 0, 0, 0, 0]);
    const segment = readSegment(packet);
    assert.deepEqual(segment && { ...segment, key: "", payload: new TextDecoder().decode(segment.payload) }, {
      key: "",
      sourcePort: 12345,
      destinationPort: 80,
      sequence: 256,
      acknowledged: 0,
      syn: false,
      ack: true,
      fin: false,
      rst: false,
      payload: "hello",
    });
    assert.deepEqual(readAddresses(packet), { source: "10.0.0.1", destination: "10.0.0.2" });
  }
});

Deno.test("a segment of IPv6, behind extension headers too", () => {
  const hopByHop = [60, 0, 1, 4, 0, 0, 0, 0];
  const destination = [6, 1, ...new Array<number>(14).fill(0)];
  for (
    const packet of [
      ipv6([...tcp, ...payload], 6),
      ipv6([...hopByHop, ...destination, ...tcp, ...payload], 0),
    ]
  ) {
    const segment = readSegment(packet);
    assert.equal(segment && new TextDecoder().decode(segment.payload), "hello");
    assert.deepEqual(readAddresses(packet), { source: "fd00::1", destination: "fd00::2" });
  }
});

Deno.test("a packet longer than its length can say has all of its bytes", () => {
  const segment = readSegment(ipv4([...tcp, ...payload], [], 0));
  assert.equal(segment?.payload.length, 5);
});

Deno.test("connections of different ends have different keys", () => {
  const other = [...tcp];
  other[1] = 0x3a;
  const keys = [ipv4(tcp), ipv4(other), ipv6(tcp, 6), ipv6(other, 6)].map((packet) =>
    readSegment(packet)?.key
  );
  assert.equal(new Set(keys).size, 4);
  assert.equal(readSegment(ipv4([...tcp, ...payload]))?.key, keys[0]);
});

Deno.test("what is cut short is no segment", () => {
  const whole = ipv4([...tcp, ...payload]);
  for (let length = 0; length < 44; length++) {
    assert.equal(readSegment(whole.slice(0, length)), null, `${length} bytes`);
  }
  assert.equal(readSegment(whole.slice(0, 46))?.payload.length, 2);
  const six = ipv6([...tcp, ...payload], 6);
  for (let length = 0; length < 64; length++) {
    assert.equal(readSegment(six.slice(0, length)), null, `${length} bytes`);
  }
  assert.equal(readSegment(ipv6(tcp, 17)), null);
});
