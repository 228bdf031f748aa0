// The flags, declared once with commander; its help comes from here too. Called by cmd/mod.ts, which gets a plain
// value back; nothing runs here.

import { Command, CommanderError, InvalidArgumentError } from "commander";
import { exitCodes } from "../core/base/errors.ts";
import { mirrordVersion } from "../core/base/version.ts";

/** Where the cluster is, for every command that needs one. */
interface ClusterFlags {
  /** Bare `-f` is true: the usual place. */
  configFile?: string | true;
  targetNamespace?: string;
  /** kubectl's name for it. */
  namespace?: string;
  context?: string;
  kubeconfig?: string;
}

/** `mirrord ls`. */
export interface LsCommand extends ClusterFlags {
  name: "ls";
}

/** `mirrord exec`: the app and what overrides the config file. */
export interface ExecCommand extends ClusterFlags {
  name: "exec";
  program: string;
  args: string[];
  target?: string;
  steal?: true;
  agentImage?: string;
  agentStartupTimeout?: string;
  overrideEnvVarsInclude?: string;
  overrideEnvVarsExclude?: string;
  envFile?: string;
  fsMode?: string;
  key?: string;
  skipProcesses?: string;
  /** These four are true unless the flag is given. */
  remoteDns: boolean;
  outgoing: boolean;
  tcpOutgoing: boolean;
  udpOutgoing: boolean;
}

/** `mirrord agent`: started by mirrord itself, in the target's pod or as root for a process target. */
export interface AgentCommand {
  name: "agent";
  listen?: number;
  stdio?: true;
  publicKey: string;
  containerId?: string;
  targetPid?: number;
  netnsOf?: number;
  owner: string;
  firstClientLimit: number;
  lostLimit: number;
}

export type ParsedCommand =
  | ExecCommand
  | LsCommand
  | AgentCommand
  | { name: "verify-config"; file: string }
  /** Help or a usage error was printed. */
  | { name: "shown"; exitCode: number };

const examples = `
Examples:
  mirrord exec --target deployment/api --steal -- npm start
  mirrord exec --target pod/api-7d9f/container/web -- python3 -m http.server 80
  sudo mirrord exec --target process/4711 --steal -- ./app`;

/** Parses the command line. Usage errors are printed by commander; they come back as `shown` with exit code 2. */
export async function parseCommand(args: string[]): Promise<ParsedCommand> {
  const result: { command: ParsedCommand } = { command: { name: "shown", exitCode: 0 } };
  const program = new Command("mirrord")
    .description("Run a local process as if it were a pod of your Kubernetes cluster.")
    .version(`mirrord ${mirrordVersion}`, "-V, --version")
    .enablePositionalOptions()
    .exitOverride()
    .addHelpText("after", examples);
  execFlags(program.command("exec"))
    .action((name: string, rest: string[], flags: Omit<ExecCommand, "name" | "program" | "args">) => {
      result.command = { name: "exec", program: name, args: rest, ...flags };
    });
  clusterFlags(program.command("ls").description("list the targets of a namespace"))
    .action((flags: ClusterFlags) => {
      result.command = { name: "ls", ...flags };
    });
  program.command("verify-config").description("check a configuration file and print what is wrong")
    .argument("<file>")
    .action((file: string) => {
      result.command = { name: "verify-config", file };
    });
  agentFlags(program.command("agent", { hidden: true }))
    .action((flags: Omit<AgentCommand, "name">) => {
      result.command = { name: "agent", ...flags };
    });
  try {
    await program.parseAsync(args, { from: "user" });
    if (args.length === 0) program.help();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { name: "shown", exitCode: error.exitCode === 0 || args.length === 0 ? 0 : exitCodes.usage };
  }
  return result.command;
}

function clusterFlags(command: Command): Command {
  return command
    .option("-n, --target-namespace <name>", "namespace of the target")
    .option("--namespace <name>", "the same, as kubectl calls it")
    .option(
      "-f, --config-file [file]",
      "JSON, YAML or TOML file (default .mirrord/mirrord.json; - is standard input)",
    )
    .option("--context <name>", "context of the kubeconfig")
    .option("--kubeconfig <file>", "kubeconfig to use instead of the usual ones");
}

function execFlags(command: Command): Command {
  const about = command
    .description("run a program with the target's variables and the target's traffic")
    .usage("[options] [--] <program> [args...]")
    .argument("<program>")
    .argument("[args...]")
    .passThroughOptions()
    .option(
      "-t, --target <path>",
      "pod/NAME, deployment/NAME (each with /container/C), process/PID or targetless",
    );
  return clusterFlags(about)
    .option("--steal", "the target's traffic comes to the app alone")
    .option("-i, --agent-image <image>", "image of the agent")
    .option("--agent-startup-timeout <seconds>", "how long the agent may take to start")
    .option(
      "-s, --override-env-vars-include <names>",
      "only these variables of the target (; between names, * and ?)",
    )
    .option("-x, --override-env-vars-exclude <names>", "not these variables of the target")
    .option("--env-file <file>", "variables out of a dotenv file, over the target's")
    .option("--fs-mode <mode>", "files of the target: read (default), write, local or localwithoverrides")
    .option("--no-remote-dns", "names are looked up here, not by the target")
    .option("--no-outgoing", "connections are made from here, not from the target")
    .option("--no-tcp-outgoing", "the same for TCP alone")
    .option("--no-udp-outgoing", "the same for UDP alone")
    .option("-k, --key <key>", "what {{ key }} in the configuration file stands for")
    .option("--skip-processes <names>", "programs that run without mirrord (; between names)");
}

function agentFlags(command: Command): Command {
  return command
    .description("the agent; mirrord starts it by itself")
    .option("--listen <port>", "loopback port to serve the client on", portNumber)
    .option("--stdio", "serve the client on standard input and output")
    .requiredOption("--public-key <base64>", "Ed25519 key whose owner may be the client")
    .option("--container-id <id>", "the target's container, where several share their processes")
    .option("--target-pid <pid>", "process whose variables are the target's", positive)
    .option("--netns-of <pid>", "process whose network namespace to enter", positive)
    .option("--owner <text>", "who runs the session, told to others that want the same port", "someone")
    .option("--first-client-limit <seconds>", "leave when no client came", seconds, 30)
    .option("--lost-limit <seconds>", "leave when the client is silent", seconds, 15);
}

function seconds(text: string): number {
  return number(text, 1, 86_400, "a number of seconds");
}

function portNumber(text: string): number {
  return number(text, 1, 65_535, "a port from 1 to 65535");
}

function positive(text: string): number {
  return number(text, 1, 2 ** 31 - 1, "a process id");
}

function number(text: string, lowest: number, highest: number, what: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < lowest || value > highest) {
    throw new InvalidArgumentError(`It must be ${what}.`);
  }
  return value;
}
