// What programs get when they dial into the target's network, shown where only the target can be meant: on
// its own loopback, where nobody of this machine listens. One list for pods and processes.

import assert from "node:assert/strict";
import type { Case } from "./cases.ts";
import { javaApp } from "./packages.ts";
import { withSession } from "./postcondition.ts";
import { type RunOptions, SessionRun } from "./session_run.ts";
import type { Stage } from "./stage.ts";

const apps = decodeURIComponent(new URL("../apps/", import.meta.url).pathname);
/** The target's server, and a port that is free there. */
const port = "80";
const nobody = "4319";
const config = { feature: { network: { incoming: "off" } } };

/** What the app prints on standard output; the session leaves nothing behind. */
export async function outputOf(stage: Stage, app: string[], options: RunOptions = {}): Promise<string> {
  let printed = "";
  await withSession(
    stage,
    () => Promise.resolve(new SessionRun(stage, { app, flags: [], config, ...options })),
    async (run) => {
      const { code, stdout, stderr } = await run.finished();
      assert.equal(code, 0, stderr);
      printed = stdout;
    },
  );
  return printed;
}

async function dials(stage: Stage, app: string[], host: string): Promise<Record<string, unknown>> {
  return JSON.parse(await outputOf(stage, [...app, host, port, nobody])) as Record<string, unknown>;
}

export const outgoingCases: Case[] = ["127.0.0.1", "::1"].flatMap((host) => [
  {
    name: `curl reaches ${host} of the target`,
    async run(stage) {
      const place = host.includes(":") ? `[${host}]` : host;
      const curl = ["/usr/bin/curl", "--silent", "--show-error", "--noproxy", "*"];
      const said = await outputOf(stage, [...curl, `http://${place}:${port}/`]);
      assert.equal((JSON.parse(said) as { by: string }).by, "original");
    },
  },
  {
    name: `Python dials ${host} of the target, by every way it has`,
    async run(stage) {
      assert.deepEqual(await dials(stage, ["/usr/bin/python3", `${apps}dial.py`], host), {
        urllib: "original",
        blocking: [host, host],
        refused: "ECONNREFUSED",
        select: ["EINPROGRESS", 1, "0"],
        selectRefused: ["EINPROGRESS", 1, "ECONNREFUSED"],
        asyncio: true,
        asyncioRefused: "ECONNREFUSED",
        many: 50,
        own: "mine",
      });
    },
  },
  {
    name: `Node dials ${host} of the target, by every way it has`,
    async run(stage) {
      assert.deepEqual(await dials(stage, ["/usr/bin/node", `${apps}dial.mjs`], host), {
        fetch: "original",
        big: 3_000_000,
        connect: [host, host],
        refused: "ECONNREFUSED",
        fetchRefused: "ECONNREFUSED",
        many: 50,
      });
    },
  },
  {
    name: `Java dials ${host} of the target, by every way it has`,
    async run(stage) {
      assert.deepEqual(await dials(stage, await javaApp("Dial"), host), {
        httpClient: true,
        socket: "connected",
        refused: "ConnectException",
        channel: "connected",
        channelRefused: "ConnectException",
      });
    },
  },
]);

outgoingCases.push(
  {
    name: "a filter of remote rules leaves other destinations to this machine",
    async run(stage) {
      const network = { incoming: "off", outgoing: { filter: { remote: ["10.255.255.0/24"] } } };
      const app = ["/usr/bin/curl", "--silent", "--output", "/dev/null", "--write-out", "%{errormsg}"];
      const script = [...app, `http://127.0.0.1:${nobody}/`].map((word) => `'${word}'`).join(" ");
      const said = await outputOf(stage, ["/bin/sh", "-c", `${script}; exit 0`], {
        config: { feature: { network } },
      });
      assert.match(said, /Failed to connect/);
    },
  },
  {
    name: "without outgoing, connections are this machine's own",
    async run(stage) {
      const network = { incoming: "off", outgoing: false };
      const app = ["/bin/sh", "-c", `/usr/bin/curl --silent http://127.0.0.1:${nobody}/; echo $?`];
      assert.equal(await outputOf(stage, app, { config: { feature: { network } } }), "7\n");
    },
  },
);
