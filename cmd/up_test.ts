// `mirrord up` against a server that answers as the API server does: a service without a target's path gets
// the workload of its name.

import assert from "node:assert/strict";
import { forbidden, notFound, type Ran, runAgainst } from "../tests/support/stub_api.ts";

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
    const [, namespace = "", resource = "", name] =
      /\/namespaces\/(\w+)\/(\w+)(?:\/(\w+))?$/.exec(pathname) ?? [];
    const there = namespace === "closed" || namespace === "shop" ||
      (namespace === "back" && resource === "pods");
    const names = !there
      ? []
      : resource === "deployments"
      ? ["api"]
      : resource === "pods"
      ? ["api", "debug"]
      : [];
    if (namespace === "closed" && (name === undefined || resource === "pods")) {
      return forbidden(resource, 'in the namespace "closed"');
    }
    const objects = names.map((one) => object(one, namespace, "c"));
    if (name === undefined) return Response.json({ items: objects });
    const found = objects.find(({ metadata }) => metadata.name === name);
    return found === undefined ? notFound(`${resource} "${name}"`) : Response.json(found);
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
  assert.doesNotMatch(stderr + far.stderr, /warning: (?!"(api|debug)" ended)/); // it is checked as one with a target
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

Deno.test("to find a target needs no right to list, and a missing right to see it is named", async () => {
  const target = { namespace: "closed" };
  const found = await run({ api: { target, ...command } });
  assert.match(found.stderr, /^mirrord api: the target is deployment\/api in "closed"$/m);
  const hidden = await run({ debug: { target, ...command } });
  assert.equal(hidden.code, 77, hidden.stderr);
  assert.match(hidden.stderr, /you may not .* the resource "pods"/);
});
