// The command line, declared once with commander: parsing (args.ts), help and shell completions all come from
// here. Nothing runs here; an action only keeps what was parsed.

import { Argument, Command, Option } from "commander";
import { mirrordVersion } from "../core/base/version.ts";
import {
  type ClusterFlags,
  type CompletedNames,
  completedNames,
  type ContainerCommand,
  type ContainerExtCommand,
  type DoctorCommand,
  type DumpCommand,
  type ExecCommand,
  type ExplainCommand,
  type ExtCommand,
  type FixCommand,
  type InitCommand,
  listFormats,
  type LsCommand,
  type McpCommand,
  type ParsedCommand,
  type PortForwardCommand,
  type ReplayCommand,
  type SessionCommand,
  type SessionVerb,
  sessionVerbs,
  type Shell,
  shells,
  type UpgradeCommand,
  type VerifyFlags,
  type VersionCommand,
} from "./commands.ts";
import { agentFlags } from "./agent_flags.ts";
import { collect, oneOf, portOrFree, positive } from "./flag_values.ts";
import { helpLayout } from "./help_layout.ts";
import { ciArguments, ciFlags, ciSessionFlags } from "./ci_flags.ts";
import { dumpFlags, replayFlags } from "./traffic_flags.ts";
import { upFlags } from "./up_flags.ts";

/** Shown after the general help, and in the manual page. */
export const examples = `
Examples:
  mirrord exec --target deployment/api --steal -- npm start
  mirrord exec --target pod/api-7d9f/container/web -- python3 -m http.server 80
  sudo mirrord exec --target process/4711 --steal -- ./app
  mirrord ls --namespace shop
  source <(mirrord completions bash)`;

const versionFlags = ["-V", "--version"];

/**
 * The whole command line, or of its commands only those that one whose first word is `first` needs: each
 * start pays for what is declared. `parsed` gets what a command line said. Errors are thrown as
 * CommanderError, unprinted.
 */
export function declareCommands(parsed: (command: ParsedCommand) => void, first?: string): Command {
  const program = new Command("mirrord")
    .description("Run a local process as if it were a pod of your Kubernetes cluster.")
    .version(`mirrord ${mirrordVersion}`, versionFlags.join(", "), "print the version")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show the help of a command")
    .configureHelp(helpLayout)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .addHelpText("after", examples);
  const declarations: Record<string, () => unknown> = {
    exec: () =>
      execFlags(program.command("exec"))
        .action((name: string, rest: string[], flags: Omit<ExecCommand, "name" | "program" | "args">) =>
          parsed({ name: "exec", program: name, args: rest, ...flags })
        ),
    container: () =>
      containerFlags(program.command("container"))
        .action((engine: string, rest: string[], flags: Omit<ContainerCommand, "name" | "line">) =>
          parsed({ name: "container", line: [engine, ...rest], ...flags })
        ),
    "port-forward": () =>
      portForwardFlags(program.command("port-forward"))
        .action((flags: Omit<PortForwardCommand, "name">) => parsed({ name: "port-forward", ...flags })),
    ls: () =>
      clusterFlags(program.command("ls").description("list the targets of a namespace"))
        .optionsGroup("What to list:")
        .option("-t, --target-type <type>", "list only pod or deployment; can be repeated", collect)
        .option("-A, --all-namespaces", "list the targets of every namespace")
        .addOption(
          new Option(
            "-o, --output <format>",
            "json and yaml for programs, name for scripts, wide for more columns",
          )
            .choices(listFormats),
        )
        .action((flags: Omit<LsCommand, "name">) => parsed({ name: "ls", ...flags })),
    doctor: () =>
      doctorFlags(program.command("doctor").alias("diagnose"))
        .action((what: "latency" | undefined, flags: Omit<DoctorCommand, "name">) =>
          parsed({ name: "doctor", ...flags, ...(what === undefined ? {} : { link: true }) })
        ),
    dump: () =>
      dumpFlags(clusterFlags(targetFlag(program.command("dump"))))
        .action(({ ports, port, ...flags }: Omit<DumpCommand, "name"> & { ports?: number[] }) => {
          const all = [...port ?? [], ...ports ?? []];
          parsed({ name: "dump", ...flags, ...(all.length === 0 ? {} : { port: all }) });
        }),
    replay: () =>
      replayFlags(program.command("replay"))
        .action((file: string, flags: Omit<ReplayCommand, "name" | "file">) =>
          parsed({ name: "replay", file, ...flags })
        ),
    explain: () =>
      explainFlags(program.command("explain"))
        .action((what: string, flags: Omit<ExplainCommand, "name" | "what">) =>
          parsed({ name: "explain", what, ...flags })
        ),
    init: () =>
      initFlags(program.command("init"))
        .action((flags: Omit<InitCommand, "name">) => parsed({ name: "init", ...flags })),
    session: () =>
      program.command("session").description("list your running sessions, or end one")
        .argument("<action>", sessionVerbs.join(", "), (text) => oneOf(sessionVerbs, text))
        .argument("[ids...]", "sessions to end: their ids as list shows them, or the beginning of one")
        .option("--all", "end every session of yours")
        .addOption(
          new Option("-o, --output <format>", "print the list as JSON, for programs").choices(["json"]),
        )
        .action((what: SessionVerb, ids: string[], flags: Pick<SessionCommand, "all" | "output">) =>
          parsed({ name: "session", what, ids, ...flags })
        ),
    ui: () =>
      program.command("ui").description("serve a page on this machine that shows your sessions")
        .option("-p, --port <port>", "its port on 127.0.0.1 (default a free one)", portOrFree)
        .addOption(new Option("--no-browser").hideHelp()) // upstream's: no browser is opened here
        .action(({ port }: { port?: number }) =>
          parsed({ name: "ui", ...(port === undefined ? {} : { port }) })
        ),
    mcp: () =>
      mcpFlags(program.command("mcp"))
        .action((flags: Omit<McpCommand, "name">) => parsed({ name: "mcp", ...flags })),
    kill: () =>
      program.command("kill", { hidden: true }).description("upstream's name of session kill")
        .argument("<ids...>", "sessions to end")
        .action((ids: string[]) => parsed({ name: "session", what: "kill", ids })),
    "verify-config": () =>
      program.command("verify-config").description("check a configuration file and print its errors")
        .argument("<file>", "the file")
        .option("--ide", "print the result as JSON and exit with 0, for editors")
        .option("--resolved", "also print the configuration with all defaults")
        .action((file: string, flags: VerifyFlags) => parsed({ name: "verify-config", file, ...flags })),
    completions: () =>
      program.command("completions").description("print shell completions")
        .argument("<shell>", shells.join(", "), (text) => oneOf(shells, text))
        .action((shell: Shell) => parsed({ name: "completions", shell })),
    version: () =>
      program.command("version").description("print version, commit, runtime, platform and agent image")
        .addOption(new Option("-o, --output <format>", "print JSON, for programs").choices(["json"]))
        .action((flags: Omit<VersionCommand, "name">) => parsed({ name: "version", ...flags })),
    fix: () =>
      program.command("fix").description("make relative paths in kubeconfig files absolute")
        .addArgument(new Argument("<what>", "what to fix").choices(["kubeconfig"]))
        .option("--kubeconfig <file>", "the file, instead of those of KUBECONFIG or ~/.kube/config")
        .option("--dry-run", "only print what would change")
        .action((_what: string, flags: Omit<FixCommand, "name">) => parsed({ name: "fix", ...flags })),
    upgrade: () =>
      program.command("upgrade").description("replace this program by the newest release")
        .option("--check", "only print whether there is a newer release")
        .action((flags: Omit<UpgradeCommand, "name">) => parsed({ name: "upgrade", ...flags })),
    complete: () =>
      clusterFlags(program.command("complete", { hidden: true }))
        .description("names for the completion scripts, one a line")
        .argument("<names>", completedNames.join(", "), (text) => oneOf(completedNames, text))
        .action((what: CompletedNames, flags: ClusterFlags) => parsed({ name: "complete", what, ...flags })),
    up: () => upFlags(program.command("up"), parsed),
    ci: () => ciFlags(execOptions(ciArguments(program.command("ci"))), parsed),
    "ci-session": () => ciSessionFlags(program.command("ci-session", { hidden: true }), parsed),
    ext: () =>
      extFlags(program.command("ext"))
        .action((flags: Omit<ExtCommand, "name">) => parsed({ name: "ext", ...flags })),
    "container-ext": () =>
      clusterFlags(targetFlag(
        program.command("container-ext")
          .description("open a session for an editor, which starts containers itself"),
      )).action((flags: Omit<ContainerExtCommand, "name">) => parsed({ name: "container-ext", ...flags })),
    agent: () => agentFlags(program.command("agent", { hidden: true }), parsed),
  };
  for (const name of needed(first, Object.keys(declarations))) declarations[name]?.();
  return program;
}

/** Those of `all` commands that a command line needs whose first word is `first`. */
function needed(first: string | undefined, all: string[]): string[] {
  if (first === undefined) return all;
  if (versionFlags.includes(first)) return [];
  return all.includes(first) ? [first] : all;
}

function clusterFlags(command: Command): Command {
  return command
    .optionsGroup("Cluster:")
    .option("-n, --target-namespace <name>", "namespace of the target")
    .option("--namespace <name>", "same as --target-namespace")
    .option("--context <name>", "context of the kubeconfig")
    .option("--kubeconfig <file>", "kubeconfig to use instead of the usual ones")
    .option(
      "-f, --config-file [file]",
      "JSON, YAML or TOML file (default .mirrord/mirrord.json; - is standard input)",
    )
    .addOption(new Option("--config-hash <sha256>").hideHelp()) // mirrord's own
    .option("-c, --accept-invalid-certificates", "do not check the API server's certificate")
    .addOption(new Option("--no-accept-invalid-certificates").hideHelp())
    .option("--trust-project", "use .mirrord/mirrord.json without asking for consent");
}

const portMapText = "the app listens on one port, the pod on another; can be repeated";

function fsModeOption(): Option {
  return new Option("--fs-mode <mode>", "access to the target's files (default read)")
    .choices(["read", "write", "local", "localwithoverrides", "local-with-overrides"]);
}

function targetFlag(command: Command): Command {
  return command
    .optionsGroup("Target:")
    .option(
      "-t, --target <path>",
      "pod/NAME, deployment/NAME (each with /container/C), process/PID or targetless",
    );
}

function explainFlags(command: Command): Command {
  const about = command.description("say whose a path, a host or a port is, and which rule decides")
    .usage("[options] <path|host[:port]|port>")
    .argument("<what>", "/PATH, HOST, HOST:PORT, or a port that the app listens on");
  return clusterFlags(targetFlag(about))
    .optionsGroup("As for exec:")
    .option("--steal", "send the target's traffic to the app instead of the target")
    .option("--port-map <local:pod>", portMapText, collect)
    .addOption(fsModeOption())
    .addOption(new Option("-o, --output <format>", "print JSON, for programs").choices(["json"]));
}

function mcpFlags(command: Command): Command {
  const about = command.description(
    "serve coding agents by the Model Context Protocol, on standard input and output",
  );
  return clusterFlags(about)
    .optionsGroup("What agents may do:")
    .option("-t, --target <path>", "run programs as this target too; can be repeated", collect)
    .option("--steal", "steal a target's traffic, even where the configuration mirrors it");
}

function initFlags(command: Command): Command {
  return targetFlag(
    command.description("write .mirrord/mirrord.json for this folder, by questions or by flags"),
  )
    .option("--steal", "steal the target's traffic, instead of a copy of it")
    .optionsGroup("Cluster:")
    .option("-n, --target-namespace <name>", "namespace of the target")
    .option("--namespace <name>", "same as --target-namespace")
    .option("--context <name>", "context of the kubeconfig")
    .option("--kubeconfig <file>", "kubeconfig to use instead of the usual ones");
}

function doctorFlags(command: Command): Command {
  const about = command.description("check what a session needs, and what to do about what is missing")
    .addArgument(new Argument("[what]", "latency is the same as --link").choices(["latency"]));
  return clusterFlags(targetFlag(about))
    .optionsGroup("What to check:")
    .option("--steal", "the rights and the kernel that stealing needs")
    .option("-i, --agent-image <image>", "image of the agent, or target: send it to the target's")
    .option("--link", "start an agent in the target and measure the link to it")
    .addOption(new Option("-o, --output <format>", "print JSON, for programs").choices(["json"]));
}

function execFlags(command: Command): Command {
  const about = command
    .description("run a program in the conditions of the target")
    .usage("[options] [--] <program> [args...]")
    .argument("<program>", "the program to run")
    .argument("[args...]", "its arguments")
    .passThroughOptions();
  return ownedOptions(execOptions(about));
}

function containerFlags(command: Command): Command {
  const about = command
    .description("run a container of this machine in the conditions of the target")
    .usage("[options] -- docker|podman|nerdctl run [options] IMAGE [args...]")
    .argument("<program>", "the container engine: docker, podman or nerdctl")
    .argument("[args...]", "its own command line: run and what follows")
    .passThroughOptions();
  return ownedOptions(execOptions(about));
}

/** Mirrord's own, where it starts a session. */
function ownedOptions(command: Command): Command {
  return command.addOption(new Option("--ends-with <pid>").argParser(positive).hideHelp());
}

function execOptions(command: Command): Command {
  const own = clusterFlags(targetFlag(command))
    .optionsGroup("Traffic:")
    .option("--steal", "send the target's traffic to the app instead of the target")
    .option("--port-map <local:pod>", portMapText, collect)
    .option(
      "--http-filter <filter>",
      "only matching requests: 'header: PATTERN', path: or method:; several must all match",
      collect,
    )
    .option("--no-outgoing", "connect from this machine, not from the target")
    .option("--no-tcp-outgoing", "the same, for TCP only")
    .option("--no-udp-outgoing", "the same, for UDP only")
    .option("--no-remote-dns", "resolve names on this machine, not in the target")
    .optionsGroup("Variables and files:")
    .option(
      "-s, --override-env-vars-include <names>",
      "use only these variables of the target (separated by ; with * and ?)",
    )
    .option("-x, --override-env-vars-exclude <names>", "leave out these variables of the target")
    .option("--env-file <file>", "add variables from a dotenv file; they override the target's")
    .addOption(fsModeOption())
    .option("--skip-processes <names>", "programs to run without mirrord (separated by ;)")
    .option("-k, --key <key>", "value of {{ key }} in the configuration file");
  return agentOptions(own, "the program");
}

function portForwardFlags(command: Command): Command {
  const about = command
    .description("forward ports to what the target reaches, and ports of the target to this machine")
    .usage("--target <path> [-L <forward>]... [-R <forward>]...");
  const own = clusterFlags(targetFlag(about))
    .optionsGroup("Ports:")
    .option(
      "-L, --port-mapping <forward>",
      "[[address:]port:]host:port[/udp]: a port here leads to a host that the target reaches; can be repeated",
      collect,
    )
    .option(
      "-R, --reverse-port-mapping <forward>",
      "[port:][host:]port: a port of the target leads here, in its place; can be repeated",
      collect,
    );
  return agentOptions(own, "a connection");
}

/** `ended`: what has last bytes that are delivered. */
function agentOptions(command: Command, ended: string): Command {
  return command
    .optionsGroup("Agent:")
    .option("-i, --agent-image <image>", "image of the agent, or target: send it to the target's")
    .option("-l, --agent-log-level <level>", "log level of the agent: debug, info, warning or error")
    .option("--force", "start the agent even if the pod has too little memory for it")
    .option("--agent-startup-timeout <seconds>", "time limit for the agent's start")
    .option(
      "--linger <seconds>",
      `after ${ended} ended, give up on its last bytes after this time without progress (default 10)`,
    )
    // Flags of upstream that change nothing here, or are refused by the name of their key.
    .addOption(new Option("-a, --agent-namespace <name>").hideHelp())
    .addOption(new Option("--agent-ttl <seconds>").hideHelp())
    .addOption(new Option("-e, --ephemeral-container").hideHelp())
    .addOption(new Option("--no-telemetry").hideHelp())
    .addOption(new Option("--disable-version-check").hideHelp());
}

function extFlags(command: Command): Command {
  const about = command.description("open a session for an editor, which starts the programs itself");
  return clusterFlags(
    targetFlag(about)
      .option("-e, --executable <file>", "the program that will be started, to be checked before"),
  );
}
