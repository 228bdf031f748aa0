// The case list of stealing, for every stage: who answers, with which variables, and whom the app sees as its
// client. Registered by tests/e2e/steal_test.ts and tests/program/process_steal_test.ts.

import assert from "node:assert/strict";
import { ask, many, untilBy } from "./client.ts";
import type { Case } from "./cases.ts";
import { withSession } from "./postcondition.ts";
import { localApp, SessionRun } from "./session_run.ts";
import type { Stage } from "./stage.ts";

/** Families in which the stage's target has an address. */
export function families(stage: Stage): ("ipv4" | "ipv6")[] {
  return (["ipv4", "ipv6"] as const).filter((family) => stage.hosts[family] !== "");
}

const oneAtATime = ["python3", localApp[1]?.replace("local.py", "one_at_a_time.py") ?? ""];

export const stealCases: Case[] = [
  {
    name: "the local app answers the target's clients and sees their addresses",
    run: (stage) =>
      withSession(stage, () => SessionRun.listening(stage), async () => {
        for (const family of families(stage)) {
          const report = await ask(stage, { family, path: "/where?env=GREETING" });
          assert.equal(report.by, "local");
          assert.equal(report.peer, stage.clients[family]);
          assert.equal(report.own_port, 80);
          assert.ok(report.env["GREETING"]?.startsWith("from-the-"), JSON.stringify(report.env));
        }
        const counts = await many(stage, { count: 200, connections: 4 });
        assert.deepEqual([counts.by, counts.failures], [{ local: 200 }, []]);
        assert.deepEqual(counts.peers, [stage.clients.ipv4]);
      }),
  },
  {
    // A question of its accept must not wait for connections that wait for its accept.
    name: "an app whose backlog is full serves its clients one after the other",
    run: (stage) =>
      withSession(stage, () => SessionRun.listening(stage, { app: oneAtATime }), async () => {
        const counts = await many(stage, { count: 60, connections: 12 });
        assert.deepEqual([counts.by, counts.failures], [{ local: 60 }, []]);
      }),
  },
  {
    name: "requests after the end are answered by the original without a failure",
    run: async (stage) => {
      await withSession(stage, () => SessionRun.listening(stage), async () => {});
      const counts = await many(stage, { count: 500, connections: 4, each: 5 });
      assert.deepEqual([counts.by, counts.failures], [{ original: 500 }, []]);
    },
  },
  {
    name: "without --steal the app has the variables and the original has the traffic",
    run: (stage) =>
      withSession(
        stage,
        () => SessionRun.listening(stage, { flags: [], env: { PORT: "0" } }),
        async (run) => {
          assert.equal((await ask(stage)).by, "original");
          const environ = await Deno.readTextFile(`/proc/${await run.appPid()}/environ`);
          assert.ok(environ.split("\0").some((pair) => pair.startsWith("GREETING=from-the-")));
        },
      ),
  },
  {
    name: "excluded variables stay at the target, others are overridden and unset",
    run: (stage) => {
      const env = { exclude: "SECRET_*", override: { EXTRA: "of the config" }, unset: "greeting" };
      const config = { feature: { env, network: { incoming: "steal" } } };
      const names = ["GREETING", "SECRET_TOKEN", "EXTRA", "HOME"];
      const path = `/?${names.map((name) => `env=${name}`).join("&")}`;
      return withSession(stage, () => SessionRun.listening(stage, { flags: [], config }), async () => {
        const report = await ask(stage, { path });
        assert.deepEqual(report.env, {
          GREETING: null,
          SECRET_TOKEN: null,
          EXTRA: "of the config",
          HOME: Deno.env.get("HOME"),
        });
      });
    },
  },
  {
    name: "only included variables come, and none with feature.env off",
    run: async (stage) => {
      const path = "/?env=GREETING&env=SECRET_TOKEN";
      const flags = ["--steal", "-s", "GREET*"];
      await withSession(stage, () => SessionRun.listening(stage, { flags }), async () => {
        const { env } = await ask(stage, { path });
        assert.ok(env["GREETING"]?.startsWith("from-the-"));
        assert.equal(env["SECRET_TOKEN"], null);
      });
      const config = { feature: { env: false, network: { incoming: "steal" } } };
      await withSession(stage, () => SessionRun.listening(stage, { flags: [], config }), async () => {
        assert.deepEqual((await ask(stage, { path })).env, { GREETING: null, SECRET_TOKEN: null });
      });
    },
  },
  {
    name: "a mapped port goes to the app's own, other ports stay the original's",
    run: (stage) => {
      const incoming = { mode: "steal", ports: [80], port_mapping: [[8099, 80]] };
      const config = { feature: { network: { incoming } } };
      const env = { PORT: "8099", LOCAL_PORTS: "8098" };
      return withSession(stage, () => SessionRun.listening(stage, { flags: [], config, env }), async () => {
        const report = await ask(stage);
        assert.equal(report.by, "local");
        assert.equal(report.own_port, 80);
        await assert.rejects(ask(stage, { host: stage.addresses.ipv4, port: 8098 }), /refused/i);
      });
    },
  },
  {
    name: "several ports are stolen at once, others are left alone",
    run: (stage) => {
      const config = { feature: { network: { incoming: { mode: "steal", ignore_ports: [8096] } } } };
      const env = { LOCAL_PORTS: "8097 8096" };
      return withSession(stage, () => SessionRun.listening(stage, { flags: [], config, env }), async () => {
        const host = stage.addresses.ipv4;
        for (const port of [80, 8097]) {
          const report = await ask(stage, { host, port });
          assert.deepEqual([report.by, report.own_port], ["local", port]);
        }
        await assert.rejects(ask(stage, { host, port: 8096 }), /refused/i);
      });
    },
  },
  {
    name: "a port is stolen from listen to close, though the session goes on",
    run: (stage) => {
      const script = [
        "import socket, sys",
        "for turn in range(2):",
        "    s = socket.create_server(('', 80))",
        "    print('turn', turn, file=sys.stderr, flush=True)",
        "    while True:",
        "        c, _ = s.accept()",
        "        if c.recv(4096): break  # else a probe that only connects",
        "    s.close()",
        "    c.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\nConnection: close\\r\\n\\r\\nturn')",
        "    c.close()",
        "    print('closed', turn, file=sys.stderr, flush=True)",
        "    sys.stdin.readline()",
      ].join("\n");
      const start = async () => {
        const run = new SessionRun(stage, { app: ["python3", "-c", script], stdin: "piped" });
        await run.until(/^turn 0$/);
        return run;
      };
      return withSession(stage, start, async (run) => {
        for (const turn of [0, 1]) {
          await run.until(new RegExp(`^turn ${turn}$`));
          assert.equal((await ask(stage)).by, "turn");
          await run.until(new RegExp(`^closed ${turn}$`));
          await untilBy(stage, "original");
          await run.type("\n");
        }
      });
    },
  },
  {
    name: "two sessions in a row, and the app's exit code is mirrord's",
    run: async (stage) => {
      const script = "import socket; socket.create_server(('', 80)); raise SystemExit(11)";
      for (let turn = 0; turn < 2; turn++) {
        const start = () => Promise.resolve(new SessionRun(stage, { app: ["python3", "-c", script] }));
        await withSession(stage, start, async (run) => assert.equal((await run.finished()).code, 11));
      }
      await withSession(
        stage,
        () => SessionRun.listening(stage, { app: localApp }),
        async () => assert.equal((await ask(stage)).by, "local"),
      );
    },
  },
];
