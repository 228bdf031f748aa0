// Who reaches a listener of the app through the target: a generated table of family × bound address × what
// names its port × port 0 or not, asked from inside the target and from another host. A listener on loopback
// is for programs inside, unless the target listens on that port, or the configuration names it (what a pod
// declares: tests/attack/network_debugger_cluster_test.ts). What cannot be reached through the target is
// refused, as it would be without mirrord.

import assert from "node:assert/strict";
import {
  answersOf,
  askedByOthers,
  configFile,
  described,
  endOf,
  Pod,
  python,
  type Row,
  script,
} from "../support/address_pod.ts";
import { missingForProcess } from "../support/cases.ts";
import { App } from "../support/layer_app.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { binary } from "../support/program.ts";
import { SessionRun } from "../support/session_run.ts";

/** What names the port of a row. mapped: "incoming.port_mapping" leads it from another port of the target. */
type Naming = "nothing" | "target" | "mapped" | "port 0";

interface Case {
  row: Row;
  naming: Naming;
  /** The target's port. */
  port: number;
}

/** The target's own process needs something to do. */
const resident: Row = {
  protocol: "tcp",
  family: 4,
  bind: "127.0.0.1",
  port: 7299,
  ask: [],
  name: "resident",
  hold: true,
};

/** The rows of both families: every address of the pod × every naming. */
function casesOf(pod: Pod, first: number): Case[] {
  const cases: Case[] = [];
  for (const family of [4, 6] as const) {
    const { any, loopback, own } = pod.addresses(family);
    for (const bind of [any, loopback, own]) {
      for (const naming of ["nothing", "target", "mapped", "port 0"] as const) {
        const asked = naming === "port 0" ? 0 : first + cases.length;
        const row: Row = { protocol: "tcp", family, bind, port: asked, ask: [], name: "app", wait: true };
        // The app itself reaches its listeners wherever they are bound.
        row.ask = bind === any ? [loopback, own] : [bind];
        cases.push({ row, naming, port: naming === "mapped" ? asked + 1000 : asked });
      }
    }
  }
  return cases;
}

/** Who must answer at `host` of the target; null: nobody. */
function right({ row, naming }: Case, where: "inside" | "outside", host: string, pod: Pod): string | null {
  const { any, loopback } = pod.addresses(row.family);
  const original = naming === "target" ? "original" : null;
  if (naming === "port 0") return null;
  if (row.bind === any || row.bind === host) return "app";
  // An address on which it does not listen: of loopback's listeners, when they are open.
  if (row.bind !== loopback) return original;
  const isOpen = naming === "mapped" || naming === "target";
  assert.ok(where === "inside" || host !== loopback);
  return isOpen ? "app" : null;
}

Deno.test({
  name: "who reaches a listener: family × bound address × what names its port × who asks",
  ignore: missingForProcess() !== null,
  async fn() {
    await using pod = await Pod.create({ sidecars: [resident] });
    const cases = casesOf(pod, 7300);
    const originals = cases.filter(({ naming }) => naming === "target").map(({ row }): Row => ({
      ...row,
      bind: pod.addresses(row.family).any,
      ask: [],
      name: "original",
      hold: true,
    }));
    await using originalsApp = new App(null, pod.inside([python, script, JSON.stringify(originals)]));
    for (const _ of originals) await originalsApp.line();
    const mapping = cases.filter(({ naming }) => naming === "mapped").map((
      { row, port },
    ) => [row.port, port]);
    using config = configFile({
      feature: { network: { incoming: { mode: "steal", port_mapping: mapping } } },
    });
    const rows = cases.map(({ row }) => row);
    await using app = new App(null, [
      ...[binary, "exec", "--target", `process/${pod.pid}`, "--config-file", config.path, "--"],
      ...[python, script, JSON.stringify(rows)],
    ]);
    const left = [...cases];
    const answers = await answersOf(app, rows, (row, port) => {
      const { naming, port: remote } = left.shift() ?? assert.fail("more answers than rows");
      return askedByOthers(pod, row, naming === "port 0" ? port : remote);
    });
    const got: Record<string, string | null> = {};
    const wanted: Record<string, string | null> = {};
    for (const one of cases) {
      const { loopback, own } = pod.addresses(one.row.family);
      const answer = answers[described(one.row)] as Record<string, unknown>;
      for (const [where, host] of [["inside", loopback], ["inside", own], ["outside", own]] as const) {
        const name = `${described(one.row)}, named by ${one.naming}, ${where} asks ${host}`;
        got[name] = whoAnswered(answer[`${where}: ${host}`]);
        wanted[name] = right(one, where, host, pod);
      }
      for (const host of one.row.ask) {
        const name = `${described(one.row)}, named by ${one.naming}, the app asks ${host}`;
        got[name] = whoAnswered(answer[host]);
        wanted[name] = "app";
      }
    }
    assert.deepEqual(got, wanted);
    await endOf(app);
  },
});

/** The name of the program that answered; null: the connection was refused. */
function whoAnswered(answer: unknown): string | null {
  if (answer === "ECONNREFUSED") return null;
  return (answer as { answer?: { by?: string } }).answer?.by ?? JSON.stringify(answer);
}

Deno.test({
  name:
    "listeners print one line each: who reaches them; those with port 0 one for all; what comes again none",
  ignore: missingForProcess() !== null,
  async fn() {
    await using stage = await ProcessStage.create();
    const script = [
      "import signal, socket, sys",
      "def listen(address, port):",
      "    one = socket.socket(); one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)",
      "    one.bind((address, port)); one.listen(); return one",
      "kept = [listen('127.0.0.1', 80), listen('0.0.0.0', 8091), listen('127.0.0.1', 8092)]",
      "for _ in range(50): listen('127.0.0.1', 0).close()",
      "for _ in range(3):",
      "    again = listen('0.0.0.0', 8093); again.close()",
      "listen('0.0.0.0', 8094)",
      "print('all', file=sys.stderr, flush=True)",
      "signal.pause()",
    ].join("\n");
    await using run = new SessionRun(stage, { app: [python, "-c", script] });
    await run.until(/^all$/);
    await run.until(/port 8094/);
    await run.until(/port 8092/);
    const lines = run.said().filter((line) => /\b[Pp]ort \d/.test(line)).map((line) =>
      line.replace(/^mirrord /, "")
    );
    const about = (port: number) => lines.filter((line) => line.includes(`Stealing port ${port}:`));
    assert.deepEqual(about(80), [
      "Stealing port 80: open to the cluster, as the target listens on this port",
    ]);
    assert.deepEqual(about(8091), ["Stealing port 8091: open to the cluster"]);
    assert.match(
      about(8092).join(),
      /^Stealing port 8092: only inside the pod, as the app listens on loopback and/,
    );
    assert.ok(about(8093).length <= 1, about(8093).join("\n"));
    const own = lines.filter((line) => line.includes("stays on this machine"));
    assert.match(
      own.join(),
      /^Port \d+ stays on this machine: the app left the choice of the port to the system \(port 0;/,
    );
    assert.equal(own.length, 1, own.join("\n"));
    assert.equal(lines.filter((line) => line.includes("original's again")).length, 0);
  },
});

Deno.test({
  name:
    "incoming.listen_ports says where on this machine the app listens, and its listener on loopback is open",
  ignore: missingForProcess() !== null,
  async fn() {
    await using pod = await Pod.create({ sidecars: [resident] });
    using config = configFile({
      feature: { network: { incoming: { mode: "steal", listen_ports: [[7290, 17290]] } } },
    });
    const row = {
      protocol: "tcp",
      family: 4,
      bind: "127.0.0.1",
      port: 7290,
      name: "app",
      wait: true,
    } as const;
    const rows: Row[] = [{ ...row, ask: ["127.0.0.1"] }];
    await using app = new App(null, [
      ...[binary, "exec", "--target", `process/${pod.pid}`, "--config-file", config.path, "--"],
      ...[python, script, JSON.stringify(rows)],
    ]);
    const here = async (port: number): Promise<string> => {
      await using asking = new App(null, [
        python,
        script,
        JSON.stringify([{ protocol: "tcp", family: 4, port, ask: ["127.0.0.1"] }]),
      ]);
      return whoAnswered((JSON.parse(await asking.line()) as Record<string, unknown>)["127.0.0.1"]) ??
        "nobody";
    };
    const answers = await answersOf(app, rows, async (one, port) => ({
      ...await askedByOthers(pod, one, port),
      asked: await here(7290),
      chosen: await here(17290),
    }));
    const [all] = Object.values(answers) as Record<string, unknown>[];
    assert.deepEqual(all?.["name"], ["127.0.0.1", true]);
    assert.deepEqual([all?.["asked"], all?.["chosen"]], ["nobody", "app"]);
    assert.equal(whoAnswered(all?.[`outside: ${pod.netns.ipv4}`]), "app");
    await endOf(app);
  },
});
