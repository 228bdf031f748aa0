// A configuration that lay in the folder is not the user's own choice: a repository may bring one. The user
// is shown what it would run or send, and agrees once; the answer counts for that content. Called by
// config_flags.ts before the configuration is used.

import { ConfigError } from "../core/base/errors.ts";
import { log } from "../core/base/log.ts";
import { osBytes } from "../core/base/os_text.ts";
import { environment, proxyVariables } from "../core/base/variables.ts";
import type { Config, Power, ProjectFile } from "../core/config/config.ts";
import { sentImage } from "../core/config/agent_image.ts";
import { reachOfKubeconfig } from "../core/kube/project_kubeconfig.ts";
import { MachineVariables } from "../core/session/env_default.ts";
import { stateFolder } from "./state_folder.ts";
import { askYesNo } from "./ui.ts";
import { platform } from "../core/net/this_platform.ts";

const { workingDirectory } = await platform.files();

/** A file that is larger is no script and no kubeconfig. */
const maximumBytes = 4 << 20;

/** What the command does with the configuration. */
export interface TrustOptions {
  /** The user said so: --trust-project. */
  trusted: boolean;
  /** A program is run by it: `exec`. It may ask, too. */
  runs: boolean;
  signal?: AbortSignal | undefined;
}

/**
 * Returns when the user agrees, or has agreed, or when there is nothing to agree to. Otherwise throws
 * ConfigError.
 */
export async function checkProject(config: Config, options: TrustOptions): Promise<void> {
  const { project } = config;
  if (project === null || options.trusted || project.powers.length === 0) return;
  const { does, files } = await reachOf(config, project, options.runs);
  if (does.length === 0) return;
  const state = `it is in this folder, no flag names it, and it ${listed(does)}`;
  const content = await hashOf([project.file, ...files]);
  if (await isRemembered(content)) return;
  if (options.runs) {
    const question = `"${project.file}" is in this folder, no flag names it, and it ${listed(does)}. Use it?`;
    const answer = await askYesNo(question, options.signal);
    if (answer === true) return await remember(content);
    if (answer === false) throw new ConfigError(`Cannot use "${project.file}": you did not agree to it`);
  }
  throw new ConfigError(`Cannot use "${project.file}": ${state}`, {
    help:
      "If you trust the author of this folder: mirrord exec asks on a terminal and remembers the answer, " +
      `--trust-project agrees for this run, --config-file ${project.file} names it.`,
  });
}

function listed(does: readonly string[]): string {
  return does.join(", and ");
}

interface Reach {
  does: string[];
  files: string[];
}

/** What it would do, in words, and which other files decide it. */
async function reachOf(config: Config, project: ProjectFile, runs: boolean): Promise<Reach> {
  const has = (power: Power) => project.powers.includes(power);
  const reach: Reach = { does: [], files: [] };
  if (has("kubeconfig") && config.kube.kubeconfig !== undefined) {
    const options = { ...config.kube, namespace: config.target.namespace, env: environment };
    const { does, files, server } = await reachOfKubeconfig(options, ".");
    reach.does.push(...does);
    if (server !== undefined && runs) reach.does.push(`makes the program use the cluster at "${server}"`);
    else if (server !== undefined && project.readsVariables) {
      reach.does.push(`could show your variables (get_env) to "${server}"`);
    }
    reach.files.push(...files);
  }
  if (has("accept_invalid_certificates") && config.kube.acceptInvalidCertificates === true) {
    reach.does.push(
      "turns off the check of the API server's certificate, so your login may reach another server",
    );
  }
  if (!runs) return reach;
  // What is sent is this program.
  if (has("agent.image") && config.agent.image !== sentImage) {
    reach.does.push(`runs the image "${config.agent.image}" in the cluster`);
  }
  const names = await variableNames(config, has);
  if (config.env?.envFile !== undefined && has("feature.env.env_file")) reach.files.push(config.env.envFile);
  if (names.length > 0) {
    reach.does.push(
      `sets ${names.join(", ")} for the program, by which programs run or load other files`,
    );
  }
  return reach;
}

/** The variables that it gives the program and that a target may not give it. */
async function variableNames({ env }: Config, has: (power: Power) => boolean): Promise<string[]> {
  if (env === null) return [];
  const given: [name: string, value?: string][] = [
    ...(has("feature.env.override") ? Object.entries(env.override) : []),
    ...(has("feature.env.include") ? env.include.filter((name) => !/[*?]/.test(name)) : []).map((
      name,
    ): [string] => [name]),
  ];
  if (env.envFile !== undefined && has("feature.env.env_file")) {
    const { readEnvFile } = await import("../core/config/dotenv.ts");
    given.push(...Object.entries(await readEnvFile(env.envFile)));
  }
  if (given.length === 0) return [];
  using machine = new MachineVariables();
  const meant = given.filter(([name, value]) =>
    proxyVariables.includes(name) || machine.reasonFor(name, value) !== undefined
  );
  return [...new Set(meant.map(([name]) => name))].sort();
}

/** One hash over the folder's place and the content of `files`, those too that are not there. */
async function hashOf(files: readonly string[]): Promise<string> {
  const parts: Uint8Array[] = [osBytes(workingDirectory())];
  for (const file of new Set(files)) {
    parts.push(new TextEncoder().encode(`\0${file}\0`), await contentOf(file));
  }
  const digests = await Promise.all(
    parts.map(async (part) => await crypto.subtle.digest("SHA-256", Uint8Array.from(part))),
  );
  const whole = new Uint8Array(digests.flatMap((digest) => [...new Uint8Array(digest)]));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", whole)).toHex();
}

async function contentOf(file: string): Promise<Uint8Array> {
  try {
    const { isFile, size } = await Deno.stat(file);
    return isFile && size <= maximumBytes ? await Deno.readFile(file) : new Uint8Array();
  } catch {
    return new Uint8Array();
  }
}

/** A list that others could write to counts for nothing. */
async function isRemembered(content: string): Promise<boolean> {
  const folder = stateFolder();
  if (folder === undefined) return false;
  try {
    for (const path of [folder, `${folder}/trusted`]) {
      const { uid, mode } = await Deno.stat(path);
      if (uid !== Deno.uid() || ((mode ?? 0) & 0o022) !== 0) return false;
    }
    return (await Deno.readTextFile(`${folder}/trusted`)).split("\n").includes(content);
  } catch {
    return false;
  }
}

async function remember(content: string): Promise<void> {
  const folder = stateFolder();
  if (folder === undefined) return;
  try {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    await Deno.writeTextFile(`${folder}/trusted`, `${content}\n`, { append: true, mode: 0o600 });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    log.warning(`Your answer is not remembered: ${why}`);
  }
}
