// What coding agents may do through `mirrord mcp`: what the configuration says that the developer started
// it with, and what the flags of that start add. Asked by tools.ts. Invariant: an agent that can write
// files gains nothing by writing the configuration; a changed one counts when the developer starts mirrord
// mcp again.

import { resolve } from "node:path";
import { exitCodes, MirrordError } from "../../core/base/errors.ts";
import { environment } from "../../core/base/variables.ts";
import { type Config, hashOfFile } from "../../core/config/load.ts";
import { kubeconfigNames } from "../../core/kube/kubeconfig.ts";
import { parseTargetPath } from "../../core/target/path.ts";
import type { McpCommand } from "../commands.ts";
import { clusterFlags, configOf } from "../config_flags.ts";

/** What an agent asks to be run. */
export interface RunOrder {
  command: string[];
  target?: string | undefined;
  steal?: boolean | undefined;
}

export class Permission {
  readonly #command: McpCommand;
  readonly #text: string;
  /** As it was at the start. */
  readonly config: Config;

  private constructor(command: McpCommand, config: Config) {
    this.#command = command;
    this.config = config;
    this.#text = textOf(config);
  }

  /** Throws ConfigError. */
  static async of(command: McpCommand): Promise<Permission> {
    for (const target of command.target ?? []) parseTargetPath(target);
    return new Permission(command, await load(command));
  }

  /** The configuration's file, by its whole path; undefined: there is none. */
  get file(): string | undefined {
    return this.config.file === undefined ? undefined : resolve(this.config.file);
  }

  /** As which targets programs may run, the usual one first. */
  get targets(): string[] {
    const { path } = this.config.target;
    return [...(path === undefined ? [] : [path]), ...this.#command.target ?? []];
  }

  /**
   * Flags of every command that asks the cluster. They name files of the folder that `mirrord mcp` was
   * started in, whatever folder a command runs in, and the configuration that was checked just now: another
   * one is refused. Throws MirrordError where the configuration is not that of the start.
   */
  async placeFlags(): Promise<string[]> {
    const configFlags = await this.#configFlags();
    const { context, acceptInvalidCertificates, trustProject } = this.#command;
    const namespace = this.#command.targetNamespace ?? this.#command.namespace;
    const { kube } = this.config;
    const kubeconfig = kube.kubeconfig === undefined
      ? []
      : kubeconfigNames({ ...kube, env: environment }).names;
    return [
      ...configFlags,
      ...(namespace === undefined ? [] : ["--namespace", namespace]),
      ...(context === undefined ? [] : ["--context", context]),
      ...kubeconfig.flatMap((name) => ["--kubeconfig", resolve(name)]),
      ...(acceptInvalidCertificates === true ? ["--accept-invalid-certificates"] : []),
      ...(trustProject === true ? ["--trust-project"] : []),
    ];
  }

  /** The flags by which `exec` runs it. Throws MirrordError for what is not allowed. */
  async runFlags({ target, steal }: RunOrder): Promise<string[]> {
    const place = await this.placeFlags();
    // Without a configuration none is looked for, wherever it runs: standard input is empty.
    const none = this.file === undefined ? ["--config-file", "-"] : [];
    const envFile = this.config.env?.envFile;
    const variables = envFile === undefined ? [] : ["--env-file", resolve(envFile)];
    const flags = [...none, ...place, ...variables, "--target", this.targetOf(target)];
    if (steal !== true) return flags;
    const allowed = this.#command.steal === true || this.config.incoming.mode === "steal";
    if (!allowed) {
      throw refuse("steal", "the configuration mirrors", "start mirrord mcp with --steal");
    }
    return [...flags, "--steal"];
  }

  /** The target that is asked for, or the usual one. Throws MirrordError where it is none of `targets`. */
  targetOf(asked: string | undefined): string {
    const target = asked ?? this.targets[0];
    if (target === undefined) {
      throw refuse(
        "run a program",
        "no target is allowed",
        "name one in the configuration, or start mirrord mcp with --target",
      );
    }
    const path = normal(target);
    if (this.targets.some((one) => normal(one) === path)) return target;
    throw refuse(
      `use "${target}"`,
      this.targets.length === 0 ? "no target is allowed" : `allowed is ${this.targets.join(", ")}`,
      "name it in the configuration, or start mirrord mcp with --target",
    );
  }

  /** The flags that name the configuration and what it said when it was checked. */
  async #configFlags(): Promise<string[]> {
    const { file } = this;
    const configHash = file === undefined
      ? undefined
      : await hashOfFile(file, { flags: {}, env: environment });
    if (textOf(await load({ ...this.#command, configHash })) !== this.#text) {
      throw refuse(
        "go on",
        "the configuration has changed since mirrord mcp was started",
        "start mirrord mcp again",
      );
    }
    if (file === undefined || configHash === undefined) return [];
    return ["--config-file", file, "--config-hash", configHash];
  }
}

async function load(command: McpCommand): Promise<Config> {
  const { steal: _steal, target: _target, ...place } = command;
  return await configOf(place, clusterFlags(command), { targetLater: true, runs: true });
}

/** All that the configuration says, and where it stands. */
function textOf(config: Config): string {
  return JSON.stringify(config, (_key, value) => value instanceof Map ? [...value] : value);
}

/** "deploy/api" and "deployment/api" are one. */
function normal(target: string): string {
  return JSON.stringify(parseTargetPath(target));
}

function refuse(what: string, state: string, developer: string): MirrordError {
  return new MirrordError(`Cannot ${what}: ${state}`, {
    help: `This is the developer's to decide: ${developer}.`,
    exitCode: exitCodes.permission,
  });
}
