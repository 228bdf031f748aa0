// `mirrord up` against a server that answers as the API server does: a service without a target's path gets
// the workload of its name.

import assert from "node:assert/strict";
import { type Ran, runAgainst } from "../tests/support/stub_api.ts";

const object = (name: string, namespace: string, ...containers: string[]) => ({
  metadata: { name, namespace },
  spec: { containers: containers.map((one) => ({ name: one })) },
  status: { phase: "Running" },
});

const folder = Deno.makeTempDirSync({ prefix: "mirrord-up-" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

/** Runs `mirrord up` with `services` in the namespace "shop". */
async function run(services: Record<string, unknown>): Promise<Ran> {
  const answer = (request: Request): Response => {
    const { pathname } = new URL(request.url);
    const [, namespace = "", resource] = /\/namespaces\/(\w+)\/(\w+)$/.exec(pathname) ?? [];
    if (resource === "deployments") {
      return Response.json({ items: namespace === "shop" ? [object("api", namespace)] : [] });
    }
    if (resource === "pods") {
      const pods = [object("api", namespace, "c"), object("debug", namespace, "a", "b")];
      return Response.json({ items: namespace === "shop" || namespace === "back" ? pods : [] });
    }
    return Response.json({ kind: "Status", reason: "NotFound", code: 404 }, { status: 404 });
  };
  const file = `${folder}/${crypto.randomUUID()}.yaml`;
  await Deno.writeTextFile(file, JSON.stringify({ services }));
  const [ran] = await runAgainst(answer, { namespace: "shop", lines: [["up", "-f", file, "-k", "ana"]] });
  assert.ok(ran !== undefined);
  return ran;
}

const command = { run: { command: ["no-such-program"] } };

Deno.test("a service without a path gets the deployment of its name, otherwise the pod", async () => {
  const { stderr } = await run({ api: command, debug: command });
  assert.match(stderr, /^mirrord api: the target is deployment\/api in "shop"$/m);
  assert.match(stderr, /^mirrord debug: the target is pod\/debug in "shop"$/m);
  assert.match(stderr, /^(api|debug) * \| mirrord error: Cannot run "no-such-program"/m);
  const far = await run({ api: { target: { namespace: "back" }, ...command } });
  assert.match(far.stderr, /^mirrord api: the target is pod\/api in "back"$/m);
  assert.equal(far.code, 127);
});

Deno.test("a name that no workload has is refused with its neighbours, before anything starts", async () => {
  const ran = await run({ api: command, debg: command });
  assert.equal(ran.code, 69);
  assert.match(
    ran.stderr,
    /Cannot start "debg": the namespace "shop" has no deployment or pod of that name\n.*Did you mean "pod\/debug"\? /,
  );
  assert.doesNotMatch(ran.stderr, /no-such-program/);
});
