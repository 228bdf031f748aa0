// The command line, declared once with commander: parsing (args.ts), help and shell completions all come from here.
// Nothing runs here; an action only keeps what was parsed.

import { Command, InvalidArgumentError, Option } from "commander";
import { mirrordVersion } from "../core/base/version.ts";
import type { AgentCommand, ExecCommand, LsCommand, ParsedCommand, VerifyFlags } from "./args.ts";

/** Shells for which there are completions. */
export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

const examples = `
Examples:
  mirrord exec --target deployment/api --steal -- npm start
  mirrord exec --target pod/api-7d9f/container/web -- python3 -m http.server 80
  sudo mirrord exec --target process/4711 --steal -- ./app
  mirrord ls --namespace shop
  source <(mirrord completions bash)`;

/** The whole command line; `parsed` gets what a command line said. Errors are thrown as CommanderError, unprinted. */
export function declareCommands(parsed: (command: ParsedCommand) => void): Command {
  const program = new Command("mirrord")
    .description("Run a local process as if it were a pod of your Kubernetes cluster.")
    .version(`mirrord ${mirrordVersion}`, "-V, --version", "print the version")
    .helpOption("-h, --help", "print what there is")
    .helpCommand("help [command]", "print what there is")
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .addHelpText("after", examples);
  execFlags(program.command("exec"))
    .action((name: string, rest: string[], flags: Omit<ExecCommand, "name" | "program" | "args">) =>
      parsed({ name: "exec", program: name, args: rest, ...flags })
    );
  clusterFlags(program.command("ls").description("list the targets of a namespace"))
    .optionsGroup("What to list:")
    .option("-t, --target-type <type>", "only pod or deployment; may be given twice", collect)
    .addOption(new Option("-o, --output <format>", "for programs").choices(["json"]))
    .action((flags: Omit<LsCommand, "name">) => parsed({ name: "ls", ...flags }));
  program.command("verify-config").description("check a configuration file and print what is wrong")
    .argument("<file>", "the file")
    .option("--ide", "print a verdict in JSON and end with 0, for editors")
    .option("--resolved", "add the configuration with every default to it")
    .action((file: string, flags: VerifyFlags) => parsed({ name: "verify-config", file, ...flags }));
  program.command("completions").description("print the completions for a shell")
    .argument("<shell>", shells.join(", "), (text) => oneOf(shells, text))
    .action((shell: Shell) => parsed({ name: "completions", shell }));
  agentFlags(program.command("agent", { hidden: true }))
    .action((flags: Omit<AgentCommand, "name">) => parsed({ name: "agent", ...flags }));
  return program;
}

function clusterFlags(command: Command): Command {
  return command
    .optionsGroup("Cluster:")
    .option("-n, --target-namespace <name>", "namespace of the target")
    .option("--namespace <name>", "the same, as kubectl calls it")
    .option("--context <name>", "context of the kubeconfig")
    .option("--kubeconfig <file>", "kubeconfig to use instead of the usual ones")
    .option(
      "-f, --config-file [file]",
      "JSON, YAML or TOML file (default .mirrord/mirrord.json; - is standard input)",
    )
    .option("-c, --accept-invalid-certificates", "do not check who the API server is");
}

function execFlags(command: Command): Command {
  const about = command
    .description("run a program in the conditions of the target")
    .usage("[options] [--] <program> [args...]")
    .argument("<program>", "what to run")
    .argument("[args...]", "its arguments")
    .passThroughOptions()
    .optionsGroup("Target:")
    .option(
      "-t, --target <path>",
      "pod/NAME, deployment/NAME (each with /container/C), process/PID or targetless",
    );
  return clusterFlags(about)
    .optionsGroup("Traffic:")
    .option("--steal", "the target's traffic comes to the app alone")
    .option("--no-outgoing", "connections are made from here, not from the target")
    .option("--no-tcp-outgoing", "the same for TCP alone")
    .option("--no-udp-outgoing", "the same for UDP alone")
    .option("--no-remote-dns", "names are looked up here, not by the target")
    .optionsGroup("Variables and files:")
    .option(
      "-s, --override-env-vars-include <names>",
      "only these variables of the target (; between names, * and ?)",
    )
    .option("-x, --override-env-vars-exclude <names>", "not these variables of the target")
    .option("--env-file <file>", "variables out of a dotenv file, over the target's")
    .addOption(
      new Option("--fs-mode <mode>", "files of the target (default read)")
        .choices(["read", "write", "local", "localwithoverrides", "local-with-overrides"]),
    )
    .option("--skip-processes <names>", "programs that run without mirrord (; between names)")
    .option("-k, --key <key>", "what {{ key }} in the configuration file stands for")
    .optionsGroup("Agent:")
    .option("-i, --agent-image <image>", "image of the agent")
    .option("-l, --agent-log-level <level>", "how much the agent says")
    .option("--agent-startup-timeout <seconds>", "how long the agent may take to start")
    // Flags of the original that change nothing here, or are refused by the name of their key.
    .addOption(new Option("-a, --agent-namespace <name>").hideHelp())
    .addOption(new Option("--agent-ttl <seconds>").hideHelp())
    .addOption(new Option("-e, --ephemeral-container").hideHelp())
    .addOption(new Option("--no-telemetry").hideHelp())
    .addOption(new Option("--disable-version-check").hideHelp());
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

function collect(text: string, before: string[] = []): string[] {
  return [...before, text];
}

function oneOf<Word extends string>(words: readonly Word[], text: string): Word {
  const word = words.find((one) => one === text);
  if (word === undefined) throw new InvalidArgumentError(`it is none of ${words.join(", ")}`);
  return word;
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
    throw new InvalidArgumentError(`it is not ${what}`);
  }
  return value;
}
