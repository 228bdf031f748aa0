// Which peers may be the kubelet, on the networks that clusters have.

import assert from "node:assert/strict";
import { readIpv4, readIpv6 } from "../sys/routes.ts";
import { Nodes } from "./nodes.ts";

const heading = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
/** A pod on a bridge, 10.244.0.0/24 behind 10.244.0.1. */
const bridge = `${heading}eth0\t00000000\t0100F40A\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t0000F40A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
`;
/** A pod of a routed network: everything by 169.254.1.1, which alone is on its link. */
const routed = `${heading}eth0\t00000000\t0101FEA9\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t0101FEA9\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0
`;
const bridgeIpv6 = `fd000000000000000000000000000000 40 00000000000000000000000000000000 00 \
00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 \
fd000000000000000000000000000001 00000400 00000001 00000000 00000003     eth0
00000000000000000000000000000001 80 00000000000000000000000000000000 00 \
00000000000000000000000000000000 00000100 00000001 00000000 80200001       lo
`;

function arrival(address: string, openingHops: number | null, local = "10.244.0.9") {
  const port = 40000;
  return { peerAddress: { address, port }, localAddress: { address: local, port: 80 }, openingHops };
}

Deno.test("gateways and what is on the link are read from the kernel's tables", () => {
  assert.deepEqual(readIpv4(bridge).gateways, ["10.244.0.1"]);
  assert.deepEqual(readIpv4(bridge).direct.map(({ length }) => length), [24]);
  assert.deepEqual(readIpv6(bridgeIpv6).gateways, ["fd00::1"]);
  assert.deepEqual(readIpv6(bridgeIpv6).direct.map(({ length }) => length), [64]);
  assert.deepEqual(readIpv4(""), { gateways: [], direct: [] });
});

Deno.test("on a bridge the node is its gateway, with all hops; clients that it stands for have fewer", () => {
  const nodes = new Nodes(readIpv4(bridge));
  assert.equal(nodes.origin(arrival("10.244.0.1", 63)), "node"); // not known yet what the node's own have
  assert.equal(nodes.origin(arrival("10.244.0.1", 64)), "node");
  assert.equal(nodes.origin(arrival("10.244.0.1", 63)), "other");
  assert.equal(nodes.origin(arrival("10.244.0.1", 127)), "other");
  assert.equal(nodes.origin(arrival("10.244.0.7", 64)), "other");
  assert.equal(nodes.origin(arrival("10.244.0.9", 64)), "other");
  assert.equal(nodes.origin(arrival("127.0.0.1", 64)), "other");
});

Deno.test("on a routed network a client that comes with all hops is the node, by whatever address", () => {
  const nodes = new Nodes(readIpv4(routed));
  assert.equal(nodes.origin(arrival("192.168.1.20", 64)), "node");
  assert.equal(nodes.origin(arrival("10.244.0.7", 63)), "other");
  nodes.learn(["192.168.1.20"]);
  assert.equal(nodes.origin(arrival("192.168.1.20", 63)), "node");
});

Deno.test("where the node's own packets lose hops too, its addresses alone decide", () => {
  const nodes = new Nodes({ gateways: ["10.0.0.65"], direct: [] });
  nodes.learn(["192.168.1.20"]);
  for (let i = 0; i < 3; i++) {
    assert.equal(nodes.origin(arrival("10.0.0.65", 63)), "node");
    assert.equal(nodes.origin(arrival("192.168.1.20", 61)), "node");
    assert.equal(nodes.origin(arrival("10.0.0.12", 63)), "other");
  }
});

Deno.test("what the kernel keeps no hops of is judged by its address", () => {
  const nodes = new Nodes(readIpv6(bridgeIpv6));
  assert.equal(nodes.origin(arrival("fd00::1", null, "fd00::9")), "node");
  assert.equal(nodes.origin(arrival("fd00::7", null, "fd00::9")), "other");
});
