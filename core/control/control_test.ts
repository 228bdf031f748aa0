// The control socket of a session as other programs meet it: what it tells, what it does when it is asked to
// end, who may ask, and what a program that does not read costs.

import assert from "node:assert/strict";
import { until } from "../../tests/cluster/command.ts";
import { deadline } from "../../tests/support/deadline.ts";
import { Control } from "./control.ts";
import { controlFolders } from "./folder.ts";
import type { Answer } from "./messages.ts";
import type { OpeningFacts, SessionRecord } from "./record.ts";
import "./server.ts"; // loaded here, as its libraries stay loaded
import { endSession, listSessions, watchSession } from "./sessions.ts";

const opening: OpeningFacts & { since: string } = {
  since: new Date().toISOString(),
  version: "1.2.3",
  kind: "exec",
  command: ["node", "app.js"],
  directory: "/home/ana/shop",
  target: "deployment/api",
  namespace: "shop",
  context: "kind",
  config: null,
  agent: { place: "pod api-1", node: "node-1", image: "target", kernel: "6.1.0" },
};
const nothing = { stop() {}, kill() {} };

/** Runs `test` with a runtime folder of its own. */
async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mirrord-control-" });
  const before = ["XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "HOME"].map((name) =>
    [name, Deno.env.get(name)] as const
  );
  for (const [name] of before) Deno.env.delete(name);
  Deno.env.set("XDG_RUNTIME_DIR", folder);
  try {
    await test(folder);
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
    await Deno.remove(folder, { recursive: true });
  }
}

function subscribed(port: number): Parameters<SessionRecord["take"]>[0] {
  const rest = { filtered: false, sparedProbes: [], declaredPorts: [], isNews: true };
  return { type: "subscribed", port, mode: "steal", opened: "bound", ...rest };
}

Deno.test("a session is listed with its facts and the ports it has at that time", () =>
  inFolder(async (folder) => {
    using control = new Control();
    control.record.take(subscribed(80));
    control.record.take(subscribed(90));
    control.record.take({ type: "released", port: 90, mode: "steal" });
    control.record.take({ type: "silent", ports: [80] });
    await control.open(opening, nothing);
    const [found, ...others] = await listSessions();
    assert.equal(others.length, 0);
    const { id, ...facts } = found?.facts ?? assert.fail("it does not answer");
    assert.match(id, /^[0-9a-f]{8}$/);
    const ports = [{ port: 80, mode: "steal", opened: "bound", filtered: false }];
    assert.deepEqual(facts, { ...opening, pid: Deno.pid, state: "silent", ports });
    const { mode } = Deno.statSync(`${folder}/mirrord`);
    assert.equal((mode ?? 0) & 0o777, 0o700);
    assert.equal((Deno.statSync(found?.path ?? "").mode ?? 0) & 0o777, 0o600);
    control[Symbol.dispose]();
    assert.deepEqual(await listSessions(), []);
    assert.deepEqual([...Deno.readDirSync(`${folder}/mirrord`)], []);
  }));

Deno.test("who watches gets what was before, what comes, and the end", () =>
  inFolder(async () => {
    using control = new Control();
    control.record.take(subscribed(80));
    await control.open(opening, nothing);
    const [found] = await listSessions();
    const told: Answer[] = [];
    const { signal } = new AbortController();
    for await (const answer of watchSession(found ?? assert.fail(), { signal, details: false })) {
      told.push(answer);
      if (told.length === 2) control.record.take(subscribed(81));
      if (told.length === 3) control[Symbol.dispose]();
    }
    const texts = told.map((one) => "facts" in one ? "facts" : "event" in one ? one.event : one);
    assert.deepEqual(texts, ["facts", subscribed(80), subscribed(81)]);
  }));

for (const how of ["stop", "kill"] as const) {
  Deno.test(`${how} reaches the session, and its end is seen when all is done`, () =>
    inFolder(async () => {
      using control = new Control();
      const asked = Promise.withResolvers<string>();
      await control.open(opening, { stop: () => asked.resolve("stop"), kill: () => asked.resolve("kill") });
      const [found] = await listSessions();
      using ending = await endSession(found ?? assert.fail(), how) ?? assert.fail();
      assert.equal(ending.answered, true);
      assert.equal(await deadline(asked.promise, "the session is asked to end"), how);
      control.record.ends();
      assert.equal((await listSessions())[0]?.facts?.state, "ending");
      control[Symbol.dispose]();
      await deadline(ending.gone, "the end is seen");
    }));
}

Deno.test("a socket that nobody serves is removed once it is old, and never while it may be young", () =>
  inFolder(async () => {
    using control = new Control();
    await control.open(opening, nothing);
    const folder = controlFolders()[0] ?? assert.fail();
    const left = `${folder}/0123abcd.1.sock`;
    const program = `import socket; socket.socket(socket.AF_UNIX).bind("${left}")`;
    assert.ok((await new Deno.Command("python3", { args: ["-c", program] }).output()).success);
    assert.equal((await listSessions()).length, 1);
    assert.ok(Deno.lstatSync(left).isSocket);
    Deno.utimeSync(left, 1, 1);
    assert.equal((await listSessions()).length, 1);
    assert.throws(() => Deno.lstatSync(left), Deno.errors.NotFound);
    assert.ok((await new Deno.Command("python3", { args: ["-c", program] }).output()).success);
    Deno.utimeSync(left, 1, 1);
    using next = new Control();
    await next.open(opening, nothing);
    await until("the next session removes it", () => {
      const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
      return Promise.resolve(names.length === 2 || names.join());
    });
  }));

Deno.test("a folder that others may enter is not used, and the session goes on without", () =>
  inFolder(async (folder) => {
    Deno.mkdirSync(`${folder}/mirrord`);
    Deno.chmodSync(`${folder}/mirrord`, 0o755);
    using control = new Control();
    await control.open(opening, nothing);
    control.record.take(subscribed(80));
    assert.deepEqual([...Deno.readDirSync(`${folder}/mirrord`)], []);
    assert.deepEqual(await listSessions(), []);
  }));

Deno.test("a program that does not read is told later how much it missed, and holds nobody up", () =>
  inFolder(async () => {
    using control = new Control();
    await control.open(opening, nothing);
    const [found] = await listSessions();
    const conn = await Deno.connect({ transport: "unix", path: found?.path ?? "" });
    await conn.write(new TextEncoder().encode('{"ask":"watch"}\n'));
    const first = new Uint8Array(1);
    await conn.read(first); // it watches
    const long = "x".repeat(10_000);
    for (let count = 0; count < 1000; count++) control.record.take({ type: "servingFailed", reason: long });
    const reading = new Response(conn.readable).text();
    const others = await listSessions();
    assert.equal(others.length, 1); // it answers meanwhile
    for (let told = 0; told < 20; told++) {
      control.record.take({ type: "servingFailed", reason: "short" });
      await listSessions();
    }
    control[Symbol.dispose]();
    const lines = (await reading).split("\n").filter((line) => line.includes('"dropped"'));
    const [{ dropped }] = lines.map((line) => JSON.parse(line)) as [{ dropped: number }];
    assert.ok(dropped > 500 && dropped < 1000, `${dropped}`);
  }));

Deno.test("nonsense, a line too long and no question end a connection, not the session", () =>
  inFolder(async () => {
    using control = new Control();
    await control.open(opening, nothing);
    const [found] = await listSessions();
    for (const sent of ["{}\n", "nonsense\n", `${"x".repeat(1 << 21)}`, ""]) {
      const conn = await Deno.connect({ transport: "unix", path: found?.path ?? "" });
      const answer = new Response(conn.readable).text().catch(() => "");
      const bytes = new TextEncoder().encode(sent);
      for (let at = 0; at < bytes.length;) {
        at += await conn.write(bytes.subarray(at)).catch(() => bytes.length); // it is over
      }
      if (sent === "") await conn.closeWrite();
      assert.equal(
        await deadline(answer, "the connection ends"),
        sent === "{}\n" ? '{"refused":"the question is not known"}\n' : "",
      );
    }
    assert.equal((await listSessions()).length, 1);
  }));

Deno.test({
  name: "another user who gets at the socket is refused",
  ignore: Deno.uid() !== 0,
  fn: () =>
    inFolder(async (folder) => {
      using control = new Control();
      await control.open(opening, nothing);
      const [found] = await listSessions();
      const path = found?.path ?? "";
      for (const place of [folder, `${folder}/mirrord`]) Deno.chmodSync(place, 0o755);
      Deno.chmodSync(path, 0o666);
      const program = `import os, socket; s = socket.socket(socket.AF_UNIX); os.setuid(65534)
s.connect("${path}"); s.send(b'{"ask":"facts"}\\n'); print(s.makefile().read())`;
      const { stdout } = await new Deno.Command("python3", { args: ["-c", program] }).output();
      assert.match(new TextDecoder().decode(stdout), /^{"refused":"another user is connected"}\s*$/);
      for (const place of [folder, `${folder}/mirrord`]) Deno.chmodSync(place, 0o700);
      assert.equal((await listSessions())[0]?.facts?.target, "deployment/api");
    }),
});

Deno.test("details are made while somebody watches them, and no longer", () =>
  inFolder(async () => {
    using control = new Control();
    await control.open(opening, nothing);
    const { details } = control.record;
    const name = { type: "name", name: "db", whose: "target", why: "a rule", pid: 1 } as const;
    const [found] = await listSessions();
    const { signal } = new AbortController();
    assert.equal(details.isWatched, false);
    const plain = watchSession(found ?? assert.fail(), { signal, details: false });
    await plain.next();
    assert.equal(details.isWatched, false);
    await plain.return(undefined);
    const watching = watchSession(found ?? assert.fail(), { signal, details: true });
    assert.ok("facts" in (await watching.next()).value);
    assert.equal(details.isWatched, true);
    details.tell(name);
    const told = await watching.next();
    assert.deepEqual(told.value.detail, name);
    await watching.return(undefined);
    await until("nobody watches", () => Promise.resolve(!details.isWatched || "somebody does"));
  }));
