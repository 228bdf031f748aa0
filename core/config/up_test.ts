// mirrord-up.yaml: what each service gets, by the rules of upstream, and the errors of a wrong file.

import assert from "node:assert/strict";
import { ConfigError } from "../base/errors.ts";
import { valueAt } from "./issues.ts";
import { verifyConfig } from "./load.ts";
import { readUpFile, type UpFile, type UpOptions } from "./up.ts";

const folder = Deno.makeTempDirSync({ prefix: "mirrord-up-" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

async function read(text: string, options: Partial<UpOptions> = {}): Promise<UpFile> {
  const file = `${folder}/mirrord-up.yaml`;
  await Deno.writeTextFile(file, text);
  return await readUpFile({
    file,
    key: "ana",
    names: [],
    env: new Map(),
    wrongLine: ([engine]) => engine === "docker" ? null : { state: "no engine", help: "Install one." },
    ...options,
  });
}

/** What is wrong with `text`, without the folder's name. */
async function refusal(text: string, options: Partial<UpOptions> = {}): Promise<string> {
  try {
    await read(text, options);
  } catch (error) {
    assert.ok(error instanceof Error);
    const help = Reflect.get(error, "help");
    return `${error.message}${help === undefined ? "" : ` [${help}]`}`.replaceAll(`${folder}/`, "");
  }
  throw new Error("it was read");
}

const run = "run: {command: [app]}";
const steal = (filter: string) => ({ mode: "steal", http_filter: { header_filter: filter } });

Deno.test("a service gets the target, the filter of the key, and the common keys", async () => {
  const { entries, warnings } = await read(`
common: {accept_invalid_certificates: true, operator: false, telemetry: false, context: c}
services:
  api: {target: {path: deployment/api, namespace: shop}, ${run}}
  web: {context: own, http_filter: {path_filter: ^/a}, env: {override: {KEY: "{{ key }}"}}, ${run}}
  job: {target: none, ignore_ports: [1], run: {command: [a, "b c"]}}
`);
  assert.deepEqual(warnings, []);
  const filter = "^baggage: (.*[,\\s])?mirrord-session=ana([,;\\s].*)?$";
  const common = { accept_invalid_certificates: true, operator: false, telemetry: false, key: "ana" };
  assert.deepEqual(entries.map(({ document }) => document.value), [
    {
      target: { path: "deployment/api", namespace: "shop" },
      kube_context: "c",
      ...common,
      feature: { network: { incoming: steal(filter) } },
    },
    {
      target: {},
      kube_context: "own",
      ...common,
      feature: {
        env: { override: { KEY: "ana" } },
        network: { incoming: { mode: "steal", http_filter: { path_filter: "^/a" } } },
      },
    },
    {
      target: "targetless",
      kube_context: "c",
      ...common,
      feature: { network: { incoming: { ignore_ports: [1] } } },
    },
  ]);
  assert.deepEqual(entries.map(({ isUnnamed }) => isUnnamed), [false, true, false]);
  assert.deepEqual(entries.map(({ filtersByKey }) => filtersByKey), [true, false, false]);
  assert.deepEqual(entries[2]?.command, ["a", "b c"]);
});

Deno.test("the key's own characters are no pattern, and ports alone are no filter", async () => {
  const { entries } = await read(`services: {a: {http_filter: {ports: [80]}, ${run}}}`, { key: "a.b+c" });
  assert.deepEqual(valueAt(entries[0]?.document.value, ["feature", "network", "incoming", "http_filter"]), {
    ports: [80],
    header_filter: "^baggage: (.*[,\\s])?mirrord-session=a\\.b\\+c([,;\\s].*)?$",
  });
});

Deno.test("modes: mirror is the file's or the command line's, which counts for all", async () => {
  const text = `services: {a: {default_mode: mirror, ${run}}, b: {${run}}}`;
  const modes = async (options: Partial<UpOptions>) =>
    (await read(text, options)).entries.map(({ document }) =>
      valueAt(document.value, ["feature", "network", "incoming", "mode"])
    );
  assert.deepEqual(await modes({}), ["mirror", "steal"]);
  assert.deepEqual(await modes({ mode: "split" }), ["steal", "steal"]);
  assert.deepEqual(await modes({ mode: "mirror" }), ["mirror", "mirror"]);
});

Deno.test("config_patch is merged as RFC 7396 says", async () => {
  const { entries } = await read(`
services:
  a:
    target: {path: pod/a}
    config_patch:
      feature: {fs: local, network: {incoming: {http_filter: null, port_mapping: [[3000, 80]]}}}
    ${run}
`);
  assert.deepEqual(valueAt(entries[0]?.document.value, ["feature"]), {
    fs: "local",
    network: { incoming: { mode: "steal", port_mapping: [[3000, 80]] } },
  });
  assert.equal(entries[0]?.filtersByKey, false);
});

Deno.test("the services: all but the skipped ones, or those that are named", async () => {
  const text = `services: {a: {${run}}, b: {skip: true, ${run}}, worker: {${run}}}`;
  const names = async (names: string[]) => (await read(text, { names })).entries.map(({ name }) => name);
  assert.deepEqual(await names([]), ["a", "worker"]);
  assert.deepEqual(await names(["b", "a"]), ["a", "b"]);
  assert.equal(
    await refusal(text, { names: ["wroker"] }),
    'Cannot start "wroker": the file has no such service [Did you mean "worker"?]',
  );
  assert.match(await refusal(`services: {a: {skip: true, ${run}}}`), /the file says "skip" for each/);
  assert.match(await refusal("services: {}"), /the file has none/);
});

Deno.test("a key that is not of the format is named with its neighbour, and what is there counts", async () => {
  const { entries, warnings } = await read(`
comon: {}
services:
  a:
    targt: none
    default_mode:
    run: {command: [app], dir: x}
`);
  assert.deepEqual(warnings.map((one) => one.replaceAll(`${folder}/`, "")), [
    'Ignoring "comon" (line 2 of "mirrord-up.yaml"): there is no such key. Did you mean "common"?',
    'Ignoring "services.a.targt" (line 5 of "mirrord-up.yaml"): there is no such key. Did you mean "target"?',
    'Ignoring "services.a.run.dir" (line 7 of "mirrord-up.yaml"): there is no such key. Did you mean "directory"?',
  ]);
  assert.equal(entries[0]?.isUnnamed, true);
});

Deno.test("what is wrong is named with its line, all of it", async () => {
  assert.equal(
    await refusal("services:\n  a: {target: some}\n  b:\n    run: {command: []}\n"),
    'Cannot use "services.a.target" (line 2 of "mirrord-up.yaml"): "some" is not "none" or an object\n' +
      'Cannot use "services.a.run" (line 2 of "mirrord-up.yaml"): nothing is not an object\n' +
      'Cannot use "services.b.run.command" (line 4 of "mirrord-up.yaml"): [] is not a list of at least 1 entries',
  );
  assert.match(await refusal("{}"), /Cannot use "services".*nothing is not an object/);
  assert.match(await refusal("services:\n a: {\n"), /no valid YAML in line/);
  assert.match(
    await refusal(`services: {a: {run: {command: [a], directory: nowhere}}}`),
    /Cannot use "services.a.run.directory" \(line 1 .*nowhere" is no folder/,
  );
  await assert.rejects(
    read("", { file: `${folder}/none.yaml` }),
    (error) => error instanceof ConfigError && /mirrord up init/.test(error.help ?? ""),
  );
});

Deno.test("what needs upstream's operator is refused by name", async () => {
  assert.match(
    await refusal(`services: {a: {default_mode: replace, ${run}}}`),
    /Cannot use "services.a.default_mode" \(line 1 of .*\): "replace" needs upstream's operator.* \[For all/,
  );
  assert.match(
    await refusal(`services: {a: {${run}}}`, { mode: "replace" }),
    /^Cannot use "--mode": "replace"/,
  );
});

Deno.test("a container's command line is checked, and a program's is not", async () => {
  const text = (command: string) =>
    `services:\n  a: {${run}}\n  b:\n    run:\n      type: container\n      command: ${command}\n`;
  const { entries } = await read(text("[docker, run, x]"));
  assert.deepEqual(entries.map(({ type }) => type), ["exec", "container"]);
  assert.deepEqual(entries[1]?.command, ["docker", "run", "x"]);
  assert.equal(
    await refusal(text("[app]")),
    'Cannot use "services.b.run.command" (line 6 of "mirrord-up.yaml"): no engine [Install one.]',
  );
  const places: (string | undefined)[] = [];
  const wrongLine = (_line: readonly string[], directory: string | undefined): null => {
    places.push(directory);
    return null;
  };
  for (const directory of ["", "directory: .", "directory: /"]) {
    await read(`services: {a: {run: {type: container, command: [x], ${directory}}}}`, { wrongLine });
  }
  assert.deepEqual(places, [undefined, `${folder}/.`, "/"]);
  assert.match(
    await refusal("services: {a: {run: {type: pod, command: [x]}}}"),
    /Cannot use "services.a.run.type" .*"pod" is not "exec" or "container"/,
  );
});

Deno.test("a service's configuration is checked as any other, in the file's own words", async () => {
  const { entries } = await read(`
common: {operator: true}
services:
  a:
    target: {path: pod/a}
    env: {include: A, exclude: B}
    http_filter: {header_filter: "("}
    ignore_ports: [0]
    config_patch: {feature: {split_queues: {q: {queue_type: SQS}}}}
    ${run}
`);
  const [entry] = entries;
  assert.ok(entry !== undefined);
  const given = { name: "mirrord-up.yaml", document: entry.document };
  const { errors, warnings } = await verifyConfig({ given, flags: {}, env: new Map() });
  assert.deepEqual(errors.map((one) => /^Cannot use "(.*)" \(line (\d+)/.exec(one)?.slice(1)), [
    ["services.a.ignore_ports[0]", "8"],
    ["services.a.config_patch.feature.split_queues.q.queue_type", "9"],
  ]);
  assert.match(warnings.join("\n"), /Ignoring "common.operator" \(line 2 .*there is no operator/);
});
