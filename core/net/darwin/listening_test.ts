// Which ports processes have, by lsof's output of both systems, and by lsof itself.

import assert from "node:assert/strict";
import { isKernelsPort, listenerAt, readListing, sockets } from "./listening.ts";

/** As macOS prints it: the device is an address of the kernel's. */
const listing = `p501
f5
tIPv4
d0x8d3bd1a7d7a1b2c3
n127.0.0.1:8080
f6
tIPv6
d0x8d3bd1a7d7a1b2d4
n*:8081
f7
tIPv6
d0x8d3bd1a7d7a1b2e5
n[::1]:8082
p777
f3
tIPv4
d0x8d3bd1a7d7a1b2f6
n*:53
f4
tIPv4
d0x8d3bd1a7d7a1b207
n10.0.0.5:60001->10.0.0.9:53
f5
tIPv4
d0x8d3bd1a7d7a1b208
n*:*
`;

Deno.test("lsof's fields are read", () => {
  const found = readListing(listing).map(({ pid, address, port }) => `${pid} ${address} ${port}`);
  assert.deepEqual(found, [
    "501 127.0.0.1 8080",
    "501 :: 8081",
    "501 ::1 8082",
    "777 0.0.0.0 53",
    "777 10.0.0.5 60001",
  ]);
  assert.deepEqual(readListing(""), []);
});

Deno.test("this process's own listener is listed", () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  assert.ok(sockets("tcp").some((one) => one.port === port && one.address === "127.0.0.1"));
  assert.equal(listenerAt(port, [Deno.pid]), Deno.pid);
  assert.equal(listenerAt(port, [1]), null);
  assert.deepEqual(sockets("waiting"), []);
  assert.ok(isKernelsPort(49152) && !isKernelsPort(8080));
});
