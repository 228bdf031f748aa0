// Outgoing with a pod as the target, through the compiled binary: the shared cases, and what only a cluster
// has, its DNS, as programs ask it that bring a resolver of their own.

import assert from "node:assert/strict";
import { registerCases } from "../support/cases.ts";
import { outgoingCases, outputOf } from "../support/cases_outgoing.ts";
import { ClusterStage, missingCluster } from "../support/cluster_stage.ts";

/** Asks by c-ares (unconnected UDP, both families) and by one connected UDP socket; prints both answers. */
const ownResolver = `
const [server, name] = process.argv.slice(1);
const dgram = require("node:dgram"), dns = require("node:dns");
const query = Buffer.concat([Buffer.from([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
  ...name.split(".").map((part) => Buffer.from([part.length, ...Buffer.from(part)])), Buffer.from([0, 0, 1, 0, 1])]);
const resolver = new dns.promises.Resolver();
resolver.setServers([server]);
const socket = dgram.createSocket("udp4");
const raw = new Promise((resolve) => socket.on("message", (answer, from) =>
  resolve([[...answer.subarray(-4)].join("."), from.address, from.port])));
socket.connect(53, server, () => socket.send(query));
Promise.all([resolver.resolve4(name), resolver.resolve4("nothing." + name).catch(({ code }) => code), raw])
  .then((all) => { socket.close(); process.stdout.write(JSON.stringify(all)); });
`;

const clusterCases = [
  {
    name: "programs with a resolver of their own ask the pod's name server by UDP",
    async run(stage: ClusterStage) {
      const resolv = await stage.kubectl("exec", "deployment/app", "--", "cat", "/etc/resolv.conf");
      const server = /^nameserver (\d\S+)/m.exec(resolv)?.[1];
      assert.ok(server !== undefined, resolv);
      const name = `app.${stage.namespace}.svc.cluster.local`;
      const address = (await stage.kubectl("get", "service", "app", "-o", "jsonpath={.spec.clusterIP}"))
        .trim();
      const said = await outputOf(stage, ["/usr/bin/node", "-e", ownResolver, server, name]);
      assert.deepEqual(JSON.parse(said), [[address], "ENOTFOUND", [address, server, 53]]);
    },
  },
];

registerCases([...clusterCases, ...outgoingCases], () => ClusterStage.create(), missingCluster);
