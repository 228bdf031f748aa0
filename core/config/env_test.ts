// Flags that hold a list: ports that are mapped, and filters.

import assert from "node:assert/strict";
import type { ConfigFlags } from "./env.ts";
import { type Verdict, verifyConfig } from "./load.ts";

/** The verdict on `file` with `flags` on top. */
async function verify(file: unknown, flags: ConfigFlags): Promise<Verdict> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/mirrord.json`, JSON.stringify(file));
    return await verifyConfig({ file: `${folder}/mirrord.json`, flags, env: new Map() });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const file = {
  target: "pod/a",
  feature: {
    network: { incoming: { mode: "steal", port_mapping: [[1, 2]], http_filter: { path_filter: "^/x" } } },
  },
};

Deno.test("--port-map replaces the file's pairs, and says which port is whose", async () => {
  const { config, errors } = await verify(file, { portMap: ["3000:8080", " 9000:90"] });
  assert.deepEqual(errors, []);
  assert.deepEqual([...config?.incoming.portMapping ?? []], [[3000, 8080], [9000, 90]]);
  assert.equal(config?.incoming.mode, "steal");
  assert.match(config?.incoming.filter ?? "", /\^\/x/);
});

Deno.test("--http-filter replaces the file's filter; several must all match", async () => {
  const one = await verify(file, { httpFilter: ["header: ^x-user: ana;b$"] });
  assert.deepEqual(one.errors, []);
  assert.deepEqual(JSON.parse(one.config?.incoming.filter ?? ""), {
    all_of: [{ header: "^x-user: ana;b$" }],
  });
  const two = await verify({ target: "pod/a" }, { httpFilter: ["path:^/api", "method: POST"] });
  assert.deepEqual(two.errors, []);
  assert.deepEqual(JSON.parse(two.config?.incoming.filter ?? ""), {
    all_of: [{ path: "^/api" }, { method: "POST" }],
  });
});

Deno.test("a value of such a flag that cannot be used is blamed on the flag", async () => {
  const said = async (flags: ConfigFlags) => (await verify(file, flags)).errors.join("\n");
  assert.match(await said({ portMap: ["3000"] }), /^Cannot use "--port-map": "3000" is not LOCAL:POD/);
  assert.match(await said({ portMap: ["1:2", "a:3"] }), /^Cannot use "--port-map": "1:2, a:3" is not /);
  assert.match(
    await said({ portMap: ["3000:80808"] }),
    /^Cannot use "feature\.network\.incoming\.port_mapping\[0\]\[1\]" \(from --port-map\): /,
  );
  assert.match(
    await said({ httpFilter: ["x-user: ana"] }),
    /^Cannot use "--http-filter": "x-user: ana" is not a filter such as "header: \^x-user: ana\$"/,
  );
  assert.match(await said({ httpFilter: ["path: ("] }), /http_filter.*" \(from --http-filter\): /);
});
