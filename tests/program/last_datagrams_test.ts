// Datagrams of sockets that are closed at once, and of programs that end at once: all that the same program
// sends inside the target arrive, those of one socket in their order.

import assert from "node:assert/strict";
import { attempt } from "../cluster/command.ts";
import { missingForProcess, registerCases } from "../support/cases.ts";
import { assertClean } from "../support/postcondition.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { SessionRun } from "../support/session_run.ts";
import { Sink } from "../support/sink.ts";

const apps = decodeURIComponent(new URL("../apps/", import.meta.url).pathname);
const sender = ["/usr/bin/python3", `${apps}last_datagrams.py`];
const config = { feature: { network: { incoming: "off" }, fs: "local" } };
const port = "5514";

const node = `
const [host, port] = process.argv.slice(1);
const socket = require("node:dgram").createSocket(host.includes(":") ? "udp6" : "udp4");
let left = 100;
for (let n = 0; n < 100; n++) socket.send("datagram " + n, Number(port), host, () => --left === 0 && process.exit(0));
`;

/** What is run, how many datagrams that is, and whether one socket sends them all. */
interface Sender {
  app: (host: string) => string[];
  count: number;
  ordered: boolean;
}

const senders: Record<string, Sender> = {
  "200 connected sockets": {
    app: (host) => [...sender, host, port, "200", "connect"],
    count: 200,
    ordered: false,
  },
  "200 unconnected sockets": {
    app: (host) => [...sender, host, port, "200", "sendto"],
    count: 200,
    ordered: false,
  },
  "one socket": { app: (host) => [...sender, host, port, "200", "one"], count: 200, ordered: true },
  "a program that is killed": {
    app: (host) => [...sender, host, port, "200", "kill"],
    count: 200,
    ordered: true,
  },
  "20 programs": {
    app: (host) => [
      "/bin/bash",
      "-c",
      `for n in $(/usr/bin/seq 0 19); do ( /bin/echo -n "datagram $n" >/dev/udp/${host}/${port} ); done`,
    ],
    count: 20,
    ordered: false,
  },
  "a burst of large ones": {
    app: (host) => [
      "/usr/bin/python3",
      "-c",
      "import socket, sys\n" +
      "family = socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET\n" +
      "sender = socket.socket(family, socket.SOCK_DGRAM)\n" +
      "for n in range(50): sender.sendto(b'%d ' % n + b'x' * 60000, (sys.argv[1], int(sys.argv[2])))",
      host,
      port,
    ],
    count: 50,
    ordered: true,
  },
  Node: { app: (host) => ["/usr/bin/node", "-e", node, host, port], count: 100, ordered: true },
};

const cases = Object.entries(senders).flatMap(([name, { app, count, ordered }]) =>
  ["127.0.0.1", "::1"].map((host) => ({
    name: `all datagrams of ${name} to ${host} arrive`,
    run: async (stage: ProcessStage) => {
      assert.ok(stage.netns !== null);
      const there = stage.netns.inside([]);
      await using sink = await Sink.start(there, "datagrams", host, port);
      const end = () => attempt([...there, "/bin/bash", "-c", `/bin/echo -n end >/dev/udp/${host}/${port}`]);
      const inside = await attempt([...there, ...app(host)]);
      const expected = await sink.datagrams(end);
      assert.equal(expected.length, count);
      const identity = await stage.identity();
      await using run = new SessionRun(stage, { app: app(host), flags: [], config });
      const { code, stderr } = await run.finished();
      assert.equal(code, inside.code, stderr);
      const got = await sink.datagrams(end);
      if (ordered) assert.deepEqual(got, expected);
      else assert.deepEqual(got.toSorted(), expected.toSorted());
      await sink[Symbol.asyncDispose]();
      await assertClean(run, identity);
    },
  }))
);

registerCases(cases, () => ProcessStage.create(), missingForProcess());
