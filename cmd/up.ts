// `mirrord up`: reads mirrord-up.yaml and runs one `mirrord exec` or `mirrord container` for each service, so
// that a failure of one is not another's. All that can be wrong with the file is found before anything
// starts. up_run.ts runs them.

import { userInfo } from "node:os";
import { exitCodes, MirrordError, TargetError } from "../core/base/errors.ts";
import { log } from "../core/base/log.ts";
import { nearWords, quoteList } from "../core/base/near.ts";
import { environment, variable } from "../core/base/variables.ts";
import { type Config, verifyConfig } from "../core/config/load.ts";
import { refusal } from "../core/config/issues.ts";
import { isObject } from "../core/config/later.ts";
import { readUpFile, type UpEntry } from "../core/config/up.ts";
import { writtenConfig } from "../core/config/written.ts";
import { KubeClient } from "../core/kube/client.ts";
import { checkedLine } from "../core/launch/container/check.ts";
import { interruptible } from "../core/launch/interrupts.ts";
import { PrivateDir } from "../core/net/private_dir.ts";
import { ownProgram } from "../core/net/own_program.ts";
import { listTargets } from "../core/target/list.ts";
import { targetNamed } from "../core/target/named.ts";
import { parseTargetPath } from "../core/target/path.ts";
import type { UpCommand } from "./commands.ts";
import { type Order, runAll } from "./up_run.ts";

/** Variables that would give all services one configuration, target or filter. */
const ownOfEach = [
  "MIRRORD_CONFIG_FILE",
  "MIRRORD_IMPERSONATED_TARGET",
  "MIRRORD_TARGET_NAMESPACE",
  "MIRRORD_AGENT_TCP_STEAL_TRAFFIC",
  "MIRRORD_HTTP_HEADER_FILTER",
  "MIRRORD_HTTP_PATH_FILTER",
  "MIRRORD_HTTP_METHOD_FILTER",
];

interface Prepared {
  entry: UpEntry;
  config: Config;
}

/** Runs the services until one of them ends, or a signal comes. Throws MirrordError when none can start. */
export async function up(command: UpCommand): Promise<number> {
  const file = command.configFile ?? "mirrord-up.yaml";
  const key = command.key ?? (variable("MIRRORD_KEY") || undefined) ?? userName();
  const { mode, context, services } = command;
  const { entries, warnings } = await readUpFile({
    file,
    key,
    mode,
    context,
    names: services,
    env: environment,
    wrongLine,
  });
  log.info(`Using "${file}": ${entries.map(({ name }) => name).join(", ")}`);
  for (const warning of warnings) log.warning(warning);
  const left = ownOfEach.filter((name) => variable(name));
  if (left.length > 0) log.warning(`Not used, as each service has its own: ${left.join(", ")}`);
  const prepared = await prepare(file, entries);
  using interrupt = interruptible();
  await findTargets(prepared, interrupt.signal);
  if (entries.some(({ filtersByKey }) => filtersByKey)) {
    const names = entries.filter((entry) => entry.filtersByKey).map(({ name }) => name).join(", ");
    log.info(`Requests with the header "baggage: mirrord-session=${key}" come to this machine (${names})`);
  }
  await using folder = PrivateDir.make();
  const program = await ownProgram();
  const orders = prepared.map((one, index) =>
    orderOf(one, { program, file: `${folder.path}/${index}.json` })
  );
  interrupt[Symbol.dispose](); // signals end the services from here on
  return await runAll(orders);
}

/** What the service's session would refuse; what it only warns about it will say itself. */
function wrongLine(
  line: readonly string[],
  directory: string | undefined,
): { state: string; help?: string } | null {
  try {
    checkedLine(line, { isBackground: true, directory, warn: () => {} });
    return null;
  } catch (error) {
    if (!(error instanceof MirrordError)) throw error;
    const { message, help } = error;
    return { state: message.replace(/^C/, "c"), ...(help === undefined ? {} : { help }) };
  }
}

/** As upstream, where no key is given. */
function userName(): string {
  try {
    return userInfo().username;
  } catch (cause) {
    throw new MirrordError("Cannot choose a session key: this user has no name", {
      help: "Give one: --key KEY",
      exitCode: exitCodes.config,
      cause,
    });
  }
}

/** The configuration of each; throws ConfigError with all that is wrong with any. */
async function prepare(file: string, entries: readonly UpEntry[]): Promise<Prepared[]> {
  const { toObject } = environment;
  const env = {
    get: (name: string) => ownOfEach.includes(name) ? undefined : environment.get(name),
    toObject: () =>
      Object.fromEntries(Object.entries(toObject()).filter(([name]) => !ownOfEach.includes(name))),
  };
  const prepared: Prepared[] = [];
  const wrong = new Map<string, string | undefined>();
  const said = new Set<string>();
  for (const entry of entries) {
    const { config, errors, warnings, help } = await verifyConfig({
      given: { name: file, document: entry.isUnnamed ? withTarget(entry) : entry.document },
      flags: {},
      env,
    });
    for (const warning of warnings) {
      if (!said.has(warning)) log.warning(warning);
      said.add(warning);
    }
    errors.forEach((error, at) => wrong.set(error, help[at]));
    if (config === undefined) continue;
    if (!entry.isUnnamed && config.target.path !== undefined) parseTargetPath(config.target.path);
    prepared.push({ entry, config });
  }
  if (wrong.size > 0) throw refusal([...wrong].map(([text, help]) => ({ text, help })));
  return prepared;
}

/** The configuration as it is once the target is found: it will have one. */
function withTarget({ name, document }: UpEntry): UpEntry["document"] {
  const value = isObject(document.value) ? document.value : {};
  const target = isObject(value["target"]) ? value["target"] : {};
  return { ...document, value: { ...value, target: { ...target, path: `deployment/${name}` } } };
}

/** Gives each service without a target's path the workload of its name. */
async function findTargets(prepared: readonly Prepared[], signal: AbortSignal): Promise<void> {
  for (const { entry, config } of prepared.filter((one) => one.entry.isUnnamed)) {
    const { kube, target } = config;
    using client = await KubeClient.open({ ...kube, namespace: target.namespace, env: environment });
    const path = await targetNamed(client, entry.name, signal);
    if (path === null) throw await noTarget(entry, client);
    target.path = path;
    log.info(`${entry.name}: the target is ${path} in "${client.namespace}"`);
  }
}

/** Near names are known to who may list them. */
async function noTarget({ name }: UpEntry, client: KubeClient): Promise<TargetError> {
  const targets = await listTargets(client).then((listing) => listing.targets, () => []);
  const paths = new Map(
    targets.map(({ path }) => [path.split("/")[1] ?? "", path.split("/").slice(0, 2).join("/")]),
  );
  const means = nearWords(name, paths.keys()).map((near) => paths.get(near) ?? near);
  return new TargetError(
    `Cannot start "${name}": the namespace "${client.namespace}" has no deployment or pod of that name`,
    {
      help: (means.length === 0 ? "" : `Did you mean ${quoteList(means)}? `) +
        `Name the target: "target: {path: deployment/NAME}", or "target: none" for none.`,
    },
  );
}

function orderOf({ entry, config }: Prepared, place: { program: string[]; file: string }): Order {
  const { name, type, command, directory } = entry;
  Deno.writeTextFileSync(place.file, JSON.stringify(writtenConfig(config)), { mode: 0o600 });
  const flags = ["--config-file", place.file, "--ends-with", String(Deno.pid)];
  return {
    name,
    argv: [...place.program, type, ...flags, "--", ...command],
    directory,
    env: {
      ...Object.fromEntries(ownOfEach.filter((one) => variable(one) !== undefined).map((one) => [one, ""])),
      ...(variable("MIRRORD_PROGRESS_MODE") === "off" ? {} : { MIRRORD_PROGRESS_MODE: "simple" }),
    },
  };
}
