// What the layer costs an accepted connection: the same C server with and without it, in one run. Managed:
// one question to the session for each connection. Local: a listener the session does not want. Ratio: time
// of the plain server over ours (1 = free). And what a process costs that has nothing to do with the session.

import { FakeSession } from "../tests/support/fake_session.ts";
import { App, compileApp } from "../tests/support/layer_app.ts";
import { compare, report, timed } from "./measure.ts";

const connections = 3000;
const execs = 300;
const rounds = 5;

const program = await compileApp("accept_rate");

async function perConnection(session: FakeSession | null): Promise<number> {
  await using app = new App(session, [program, String(connections)]);
  return Number(await app.line());
}

async function executions(session: FakeSession | null): Promise<void> {
  await using app = new App(session, ["sh", "-c", `for i in $(seq ${execs}); do /bin/true; done; echo done`]);
  await app.line();
}

await using managed = new FakeSession();
await using local = new FakeSession({ managed: () => false });

for (const [name, session] of [["managed", managed], ["local", local]] as const) {
  const { ours, peer, ratio } = await compare(
    () => perConnection(session),
    () => perConnection(null),
    rounds,
  );
  report(
    `accept, ${name} listener: ${ours.toFixed(1)} us a connection, ${
      peer.toFixed(1)
    } us without the layer, ` +
      `ratio ${(1 / ratio).toFixed(2)}`,
  );
}
const exec = await compare(
  () => timed(() => executions(managed)),
  () => timed(() => executions(null)),
  rounds,
);
report(
  `exec: ${(exec.ours * 1000 / execs).toFixed(0)} us a process, ${
    (exec.peer * 1000 / execs).toFixed(0)
  } us ` +
    `without the layer, ratio ${(1 / exec.ratio).toFixed(2)}`,
);
