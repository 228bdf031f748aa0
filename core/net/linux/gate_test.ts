// The gate against the kernel: what an app's socket sees while it waits, when it is admitted, and when it is
// refused.

import assert from "node:assert/strict";
import { Gate } from "./gate.ts";
import { E, SystemError } from "../system_error.ts";
import { dialTcp, listenTcp, type Socket } from "./socket.ts";

/** In the environment of these tests when they run without capabilities. */
const unprivileged = "GATE_TEST_UNPRIVILEGED";

/** A socket that waits at the gate: the source it dialled from, and what comes of it. */
async function knock(
  gate: Gate,
): Promise<{ source: { address: string; port: number }; dial: Promise<Socket> }> {
  const source = Promise.withResolvers<{ address: string; port: number }>();
  const dial = dialTcp({
    destination: gate.address,
    source: { address: gate.address.address, port: 0 },
    bound: source.resolve,
  });
  dial.catch(() => {});
  return { source: await source.promise, dial };
}

for (const host of ["127.0.0.1", "::1"]) {
  Deno.test(`${host}: a socket that waits at a gate is connected when it is admitted, and bytes go both ways`, async () => {
    using gate = new Gate(host);
    const { source, dial } = await knock(gate);
    const ours = await gate.admit(source);
    const theirs = await dial;
    assert.deepEqual(ours.localAddress, gate.address);
    assert.deepEqual(ours.peerAddress, theirs.localAddress);
    await theirs.write(new TextEncoder().encode("question"));
    await theirs.closeWrite();
    assert.equal(new TextDecoder().decode(await ours.read() ?? undefined), "question");
    assert.equal(await ours.read(), null);
    await ours.write(new TextEncoder().encode("answer"));
    ours.close();
    assert.equal(new TextDecoder().decode(await theirs.read() ?? undefined), "answer");
    theirs.close();
  });
}

Deno.test("a gate admits many, each to its own connection", async () => {
  using gate = new Gate("127.0.0.1");
  const waiting = await Promise.all(Array.from({ length: 200 }, () => knock(gate)));
  const pairs = await Promise.all(waiting.map(async ({ source, dial }) => {
    return { ours: await gate.admit(source), theirs: await dial };
  }));
  for (const [index, { theirs }] of pairs.entries()) await theirs.write(Uint8Array.of(index));
  for (const [index, { ours, theirs }] of pairs.entries()) {
    assert.deepEqual(await ours.read(), Uint8Array.of(index));
    ours.close();
    theirs.close();
  }
});

for (const host of ["127.0.0.1", "::1"]) {
  Deno.test(`${host}: what waits at a gate and is refused was never connected`, async () => {
    using gate = new Gate(host);
    for (let turn = 0; turn < 200; turn++) {
      const { source, dial } = await knock(gate);
      gate.refuse(source);
      await assert.rejects(
        dial,
        (error: unknown) => error instanceof SystemError && error.errno === E.ECONNRESET,
      );
    }
  });
}

Deno.test("a refusal of what waits no longer does nothing", () => {
  using gate = new Gate("127.0.0.1");
  const listener = listenTcp({ address: "127.0.0.1", port: 0 });
  listener.close();
  gate.refuse(listener.address);
});

Deno.test("a gate needs no privilege", { ignore: Deno.env.has(unprivileged) }, async () => {
  const { success, stdout } = await new Deno.Command("setpriv", {
    args: [
      ...["--inh-caps=-all", ...(Deno.uid() === 0 ? ["--bounding-set=-all"] : []), Deno.execPath(), "test"],
      ...["--allow-all", "--no-check", "--no-lock", "--quiet", new URL(import.meta.url).pathname],
    ],
    env: { [unprivileged]: "1", NO_COLOR: "1" },
    stdin: "null",
  }).output();
  assert.ok(success, new TextDecoder().decode(stdout));
  assert.match(new TextDecoder().decode(stdout), /[1-9]\d* passed/);
});

Deno.test("a socket that no longer waits cannot be admitted", async () => {
  using gate = new Gate("127.0.0.1");
  const listener = listenTcp({ address: "127.0.0.1", port: 0 });
  listener.close();
  await assert.rejects(
    gate.admit(listener.address),
    (error: unknown) => error instanceof SystemError && error.errno === E.ECONNREFUSED,
  );
});
