// Which sets of addresses the servers of a port get, and which of them an app gets in their place.

import assert from "node:assert/strict";
import { reachBits } from "../../protocol-wasm/mod.ts";
import { serversReach, standsIn } from "./fit.ts";

const bound = (address: string, only6 = false) => ({ address, only6 });

Deno.test("a wildcard of each family is one server, other addresses are servers of their own", () => {
  assert.deepEqual(serversReach([]), []);
  assert.deepEqual(serversReach([bound("0.0.0.0"), bound("::", true)]), [reachBits.all]);
  assert.deepEqual(serversReach([bound("10.0.0.1"), bound("127.0.0.1")]), [
    reachBits.other4,
    reachBits.loopback4,
  ]);
  assert.deepEqual(serversReach([bound("127.0.0.1"), bound("::", true)]), [
    reachBits.loopback6 | reachBits.other6,
    reachBits.loopback4,
  ]);
});

Deno.test("an app is in the place of the servers beside which it could not be, on loopback also of those on all addresses", () => {
  const { loopback4, other4, loopback6, other6, all } = reachBits;
  const others = other4 | other6;
  const onLoopback = (servers: number[]) => standsIn(servers, { covered: loopback4, standIn: others });
  assert.equal(onLoopback([]), loopback4);
  assert.equal(onLoopback([all]), loopback4 | others);
  assert.equal(onLoopback([loopback4 | other4]), loopback4 | other4);
  assert.equal(onLoopback([loopback6 | other6]), loopback4 | other6); // a pod of an IPv6 cluster
  assert.equal(onLoopback([other4]), loopback4); // a sidecar at the pod's own address
  assert.equal(onLoopback([loopback4]), loopback4);
  const onIpv4 = (servers: number[]) =>
    standsIn(servers, { covered: loopback4 | other4, standIn: loopback6 | other6 });
  assert.equal(onIpv4([all]), all);
  assert.equal(onIpv4([loopback6 | other6]), loopback4 | other4);
});
