// Socket addresses as bytes and back, in the forms the kernel uses. Pure: no socket is made.

import assert from "node:assert/strict";
import { addressBytes } from "./address.ts";
import { decodeSockaddr, encodeSockaddr, sockaddrSize } from "./linux/sockaddr.ts";

const endpoints = [
  { address: "127.0.0.1", port: 80 },
  { address: "255.1.2.3", port: 65535 },
  { address: "::1", port: 1 },
  { address: "fd00::1:0:2", port: 8080 },
  { address: "fe80::1", port: 443, scope: 3 },
];

for (const endpoint of endpoints) {
  Deno.test(`${endpoint.address} survives a socket address`, () => {
    const buffer = new Uint8Array(sockaddrSize);
    buffer.set(encodeSockaddr(endpoint));
    assert.deepEqual(decodeSockaddr(buffer), endpoint);
  });
}

Deno.test("an IPv4-mapped address is read as IPv4", () => {
  const buffer = encodeSockaddr({ address: "::1", port: 7 });
  buffer.set([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 9], 8);
  assert.deepEqual(decodeSockaddr(buffer), { address: "10.0.0.9", port: 7 });
});

Deno.test("what is no IP address is refused", () => {
  for (const text of ["", "localhost", "1.2.3", "1.2.3.4.5", "::g", "fe80::1%eth0"]) {
    assert.throws(() => addressBytes(text), TypeError);
  }
});
