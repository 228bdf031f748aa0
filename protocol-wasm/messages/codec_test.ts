// Bodies of messages as bytes and back, and IP addresses as text.

import assert from "node:assert/strict";
import { agentMessages } from "./agent_messages.ts";
import { type Body, decode, encode, tableHash } from "./codec.ts";
import { LinkError } from "../errors.ts";
import { formatIp, parseIp } from "../addresses/ip_address.ts";
import { layerMessages } from "./layer_messages.ts";

const everyField = {
  kind: 1,
  since: 1,
  fields: {
    a: "u8",
    b: "u16",
    c: "u32",
    d: "u64",
    e: "bool",
    f: "str",
    g: "bytes",
    h: "address",
  },
} as const;

const body: Body<typeof everyField> = {
  a: 0xa1,
  b: 0xb1b2,
  c: 0xc1c2c3c4,
  d: 0xd1d2d3d4d5d6d7d8n,
  e: true,
  f: "grüß",
  g: Uint8Array.of(0, 255),
  h: { address: "10.0.0.1", port: 0x1f90 },
};
const bytes = "a1" + "b2b1" + "c4c3c2c1" + "d8d7d6d5d4d3d2d1" + "01" + "060000006772c3bcc39f" +
  "0200000000ff" +
  "040a000001000000000000000000000000901f";

Deno.test("every field type is packed little-endian without padding, and read back", () => {
  assert.equal(encode(everyField, body).toHex(), bytes);
  assert.deepEqual(decode(everyField, Uint8Array.fromHex(bytes)), body);
});

Deno.test("a body cut anywhere is malformed, one with more bytes than fields is not", () => {
  const whole = Uint8Array.fromHex(bytes);
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => decode(everyField, whole.subarray(0, length)), LinkError, `${length} bytes`);
  }
  assert.deepEqual(decode(everyField, Uint8Array.of(...whole, 1, 2, 3)), body);
});

Deno.test("a body that is not what its fields say is malformed", () => {
  const one = (type: "bool" | "str" | "bytes" | "address") => ({ kind: 1, since: 1, fields: { x: type } });
  assert.throws(() => decode(one("bool"), Uint8Array.of(2)), LinkError);
  assert.throws(() => decode(one("str"), Uint8Array.of(1, 0, 0, 0, 0xff)), LinkError);
  assert.throws(() => decode(one("bytes"), Uint8Array.of(255, 255, 255, 255, 0)), LinkError);
  assert.throws(() => decode(one("address"), new Uint8Array(19).fill(5)), LinkError);
});

Deno.test("a decoded body does not change with the bytes it came from", () => {
  const source = Uint8Array.fromHex(bytes);
  const { g } = decode(everyField, source);
  source.fill(9);
  assert.deepEqual(g, Uint8Array.of(0, 255));
});

Deno.test("a value that does not fit its field is refused", () => {
  for (const a of [-1, 256, 1.5, NaN]) assert.throws(() => encode(everyField, { ...body, a }), RangeError);
  assert.throws(() => encode(everyField, { ...body, h: { address: "fe80::1%eth0", port: 1 } }), RangeError);
  assert.throws(() => encode(everyField, { ...body, h: { address: "10.0.0.1", port: 65536 } }), RangeError);
  assert.throws(() => encode(everyField, { ...body, g: new Uint8Array(1 << 20) }), LinkError);
});

Deno.test("IPv6 text is the canonical one of RFC 5952, and IPv4-mapped addresses become IPv4", () => {
  const canonical: Record<string, string> = {
    "2001:0db8::0001": "2001:db8::1",
    "2001:db8:0:0:0:0:2:1": "2001:db8::2:1",
    "2001:db8:0:1:1:1:1:1": "2001:db8:0:1:1:1:1:1",
    "2001:0:0:1:0:0:0:1": "2001:0:0:1::1",
    "2001:db8:0:0:1:0:0:1": "2001:db8::1:0:0:1",
    "2001:DB8::A": "2001:db8::a",
    "0:0:0:0:0:0:0:0": "::",
    "::1": "::1",
    "fe80::": "fe80::",
    "1:2:3:4:5:6:7::": "1:2:3:4:5:6:7:0",
    "::ffff:10.1.2.3": "10.1.2.3",
    "::ffff:a01:203": "10.1.2.3",
    "64:ff9b::10.1.2.3": "64:ff9b::a01:203",
    "255.255.255.255": "255.255.255.255",
    "": "",
  };
  for (const [text, expected] of Object.entries(canonical)) {
    const ip = parseIp(text);
    assert.ok(ip !== null, text);
    assert.equal(formatIp(ip.family, ip.bytes), expected, text);
  }
});

Deno.test("what is no IP address is refused", () => {
  const wrong = [
    "1.2.3",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.4.5",
    "::1::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "12345::",
  ];
  wrong.push(
    "1:2:3:4:5:6:7::8",
    ":1:2:3:4:5:6:7",
    "g::",
    "localhost",
    "1.2.3.4::",
    ":",
    ":::",
    "fe80::1%1",
    " ::1",
  );
  for (const text of wrong) assert.equal(parseIp(text), null, text);
});

Deno.test("a table's hash differs when a name, a kind or a type differs", () => {
  const hashes = new Set([
    tableHash(agentMessages),
    tableHash(layerMessages),
    tableHash({ ...layerMessages, hello: { ...layerMessages.hello, kind: 2 } }),
    tableHash({ ...layerMessages, hello: { kind: 1, since: 1, fields: { tables: "u64" } } }),
    tableHash({ ...layerMessages, extra: { kind: 99, since: 1, fields: {} } }),
  ]);
  assert.equal(hashes.size, 5);
  assert.equal(tableHash(layerMessages), tableHash(structuredClone(layerMessages)));
});
