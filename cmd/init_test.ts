// `mirrord init`: the file by flags and by answers on a terminal, checked by the configuration's own reader.

import assert from "node:assert/strict";

const root = decodeURIComponent(new URL("../", import.meta.url).pathname);
const main = [Deno.execPath(), "run", "-A", "--quiet", "--config", `${root}deno.json`, `${root}main.ts`];
const pods = ["a", "b"].map((name) => ({
  metadata: { name },
  spec: { containers: [{ name: "c" }] },
  status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
}));

/** Runs mirrord in `folder`; with `typed` on a terminal on which that is typed. */
async function run(
  folder: string,
  args: string[],
  { typed, env = {} }: { typed?: string; env?: Record<string, string> } = {},
): Promise<{ code: number; text: string }> {
  const line = [...main, ...args];
  const onTerminal = ["script", "-qec", line.map((word) => `'${word}'`).join(" "), "/dev/null"];
  const [program = "", ...rest] = typed === undefined ? line : onTerminal;
  const child = new Deno.Command(program, {
    args: rest,
    cwd: folder,
    env: { NO_COLOR: "1", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const input = child.stdin.getWriter();
  await input.write(new TextEncoder().encode(typed ?? ""));
  // script(1) ends its terminal with its input: the program is to end first.
  if (typed === undefined) await input.close();
  const { code, stdout, stderr } = await child.output();
  await input.close().catch(() => {});
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const written = async (folder: string) =>
  JSON.parse(await Deno.readTextFile(`${folder}/.mirrord/mirrord.json`));

Deno.test("init writes by flags a file that can be used, and never over another", () =>
  inFolder(async (folder) => {
    const { code, text } = await run(folder, ["init", "-t", "deploy/api", "-n", "shop", "--steal"]);
    assert.equal(code, 0, text);
    assert.deepEqual(await written(folder), {
      $schema: "./mirrord.schema.json",
      target: { path: "deploy/api", namespace: "shop" },
      feature: { network: { incoming: { mode: "steal" } } },
    });
    const schema = JSON.parse(await Deno.readTextFile(`${folder}/.mirrord/mirrord.schema.json`));
    assert.equal(schema.properties.feature.type, "object");
    const checked = await run(folder, ["verify-config", ".mirrord/mirrord.json"]);
    assert.equal(checked.text, '".mirrord/mirrord.json" can be used\n');
    const again = await run(folder, ["init", "-t", "pod/x"]);
    assert.equal(again.code, 78);
    assert.match(again.text, /Cannot write "\.mirrord\/mirrord\.json": .* is there already\n {2}help: /);
  }));

Deno.test("init writes nothing where it cannot ask, or for a target that cannot be", () =>
  inFolder(async (folder) => {
    const asked = await run(folder, ["init"]);
    assert.equal(asked.code, 2);
    assert.match(asked.text, /Cannot ask for the target: this is no terminal\n {2}help: Name it: /);
    const wrong = await run(folder, ["init", "-t", "job/x"]);
    assert.equal(wrong.code, 78);
    assert.deepEqual([...Deno.readDirSync(folder)], []);
  }));

Deno.test("init asks for the target by number, and whether to steal", () =>
  inFolder(async (folder) => {
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) =>
      Response.json({ items: new URL(request.url).pathname.endsWith("/pods") ? pods : [] }));
    const kubeconfig = {
      "current-context": "c",
      clusters: [{ name: "c", cluster: { server: `http://127.0.0.1:${server.addr.port}` } }],
      contexts: [{ name: "c", context: { cluster: "c", namespace: "shop" } }],
    };
    await Deno.writeTextFile(`${folder}/config`, JSON.stringify(kubeconfig));
    const { code, text } = await run(folder, ["init"], {
      typed: "2\ny\n",
      env: { KUBECONFIG: `${folder}/config` },
    });
    await server.shutdown();
    assert.equal(code, 0, text);
    assert.match(text, /1 {2}pod\/a\r\n +2 {2}pod\/b/);
    assert.match(text, /Steal the traffic of "pod\/b"/);
    assert.deepEqual((await written(folder)).target, { path: "pod/b" });
    assert.equal((await written(folder)).feature.network.incoming.mode, "steal");
  }));
