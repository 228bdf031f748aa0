// Which ports of a program are a debugger's, by its command line and variables: where it listens for a
// debugger, and where it dials one. Called by debuggers.ts. Pure but for argument files of Java. Each entry
// names the documentation that it was written from. In doubt an argument that may mean a debugger's port
// counts as one, which only keeps that port on this machine.

import { hostAndPort, optionValues, wordsOf } from "./command_words.ts";

/** A running program. */
export interface Program {
  /** Its executable's path. */
  file: string;
  args: readonly string[];
  variable: (name: string) => string;
  /** The files that it has mapped. */
  maps: () => string;
}

/** A port of a debugger. port 0: whichever the system gives it. */
export interface DebuggerPort {
  name: string;
  way: "listens" | "dials";
  port: number;
  /** Where it dials, as written; "" when it names no address. */
  host: string;
}

type Finder = (program: Program, words: readonly string[]) => DebuggerPort[];

/**
 * Programs that do nothing but debug others: whatever they listen on is theirs. By the names of their
 * executables.
 */
const debuggers =
  /^(dlv(-dap)?|gdbserver|lldb-(server|dap|vscode)|debugserver|codelldb|netcoredbg|vsdbg(-ui)?|rr)$/;

const finders: readonly Finder[] = [
  inspector,
  devTools,
  debugpy,
  pydevd,
  jdwp,
  ideaRuntime,
  resharper,
  ruby,
  xdebug,
  perl,
  dart,
  remotePdb,
];

/** The ports of debuggers of `program`. */
export function debuggerPorts(program: Program): DebuggerPort[] {
  const words = program.args.slice(1);
  return finders.flatMap((find) => find(program, words));
}

/**
 * The debugger that `program` itself is, whose listeners and connections on loopback are all its own; null:
 * none.
 */
export function debuggerItself({ file, args }: Program): string | null {
  const name = baseName(file);
  if (debuggers.test(name)) return name;
  const isAdapter = args.some((word, index) =>
    /\/debugpy\/(adapter|launcher)(\/__main__\.py)?$/.test(word) ||
    (args[index - 1] === "-m" && /^debugpy\.(adapter|launcher)$/.test(word))
  );
  return isAdapter ? "debugpy" : null;
}

/**
 * Node.js, "Command-line API" (--inspect and similar flags, NODE_OPTIONS); Bun, "Debugger"; `deno run
 * --help`.
 */
function inspector({ file, variable }: Program, words: readonly string[]): DebuggerPort[] {
  const program = baseName(file);
  const ofBun = program.startsWith("bun");
  const standard = ofBun ? 6499 : 9229;
  const name = "the inspector of JavaScript";
  const all = [...words, ...wordsOf(variable("NODE_OPTIONS"))];
  const found = all.flatMap((word, index) => {
    const match = /^--?(inspect|debug-port)(?:[-_](brk|wait|brk[-_]node|port))?(?:=(.*))?$/.exec(word);
    if (match === null) return [];
    const [, option, kind, value] = match;
    const next = kind === "port" || option === "debug-port" ? all[index + 1] ?? "" : "";
    return [{ name, way: "listens" as const, ...hostAndPort(value ?? next, standard) }];
  });
  const others = optionValues(all, "--inspector-port").map((value) => hostAndPort(value, standard));
  const asked = [variable("BUN_INSPECT").replace(/^wss?:\/\/|\/.*$/g, "")].filter(Boolean)
    .map((value) => hostAndPort(value, standard));
  // Without an argument: by SIGUSR1, or by the program itself (inspector.open()).
  const later = /^(node(js)?|electron)(\d|-|$)/i.test(program) ? [{ host: "", port: standard }] : [];
  return [
    ...found,
    ...[...others, ...asked, ...later].map((one) => ({ name, way: "listens" as const, ...one })),
  ];
}

/** Chrome DevTools Protocol, "HTTP Endpoints"; Firefox Source Docs, "Remote Protocols". */
function devTools(_program: Program, words: readonly string[]): DebuggerPort[] {
  const found = [
    ...optionValues(words, "--remote-debugging-port").map((value) => hostAndPort(value, 9222)),
    ...optionValues(words, "--start-debugger-server").map((value) => hostAndPort(value, 6000)),
  ];
  return found.map((one) => ({ name: "the browser's developer tools", way: "listens", ...one }));
}

/** debugpy's README, "CLI Usage"; ptvsd is its older name. */
function debugpy(_program: Program, words: readonly string[]): DebuggerPort[] {
  const at = words.findIndex((word, index) =>
    (words[index - 1] === "-m" && /^(debugpy|ptvsd)(\.\w+)?$/.test(word)) ||
    /\/(debugpy|ptvsd)(\/__main__\.py|\/adapter|\/launcher)?$/.test(word)
  );
  if (at < 0) return [];
  const rest = words.slice(at + 1);
  const name = "debugpy";
  const [launcher = ""] = /launcher/.test(words[at] ?? "") ? rest : [];
  const way = rest.includes("--client") ? "dials" : "listens";
  const dialled = [...optionValues(rest, "--connect"), launcher].filter(Boolean);
  return [
    ...optionValues(rest, "--listen").map((value) => ({
      name,
      way: "listens" as const,
      ...hostAndPort(value, 5678),
    })),
    ...dialled.map((value) => ({ name, way: "dials" as const, ...hostAndPort(value, 5678) })),
    ...optionValues(rest, "--port").map((value) => ({ name, way, ...hostAndPort(value, 5678) } as const)),
  ];
}

/** `pydevd.py --help`: --client HOST or --server, --port; PyCharm starts it so. */
function pydevd(_program: Program, words: readonly string[]): DebuggerPort[] {
  const at = words.findIndex((word, index) =>
    /(^|\/)pydevd(_pycharm)?\.py$/.test(word) || (words[index - 1] === "-m" && /^pydevd/.test(word))
  );
  if (at < 0) return [];
  const rest = words.slice(at + 1);
  const [host = ""] = optionValues(rest, "--client");
  const way = host === "" ? "listens" : "dials";
  const ports = optionValues(rest, "--port");
  return (ports.length === 0 ? ["5678"] : ports).map((value) => ({
    name: "pydevd",
    way,
    host,
    port: hostAndPort(value, 5678).port,
  }));
}

/**
 * JPDA, "Connection and Invocation Details" (server=n is the default); java(1) for the variables and argument
 * files; mono(1), --debugger-agent.
 */
function jdwp({ file, variable }: Program, words: readonly string[]): DebuggerPort[] {
  const names = ["JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "MONO_ENV_OPTIONS"];
  const files = /^java/.test(baseName(file)) ? words.filter((word) => word.startsWith("@")) : [];
  const all = [
    ...words,
    ...names.flatMap((name) => wordsOf(variable(name))),
    ...files.flatMap((word) => wordsOf(readArguments(word.slice(1)))),
  ];
  return all.flatMap((word) => {
    const [, options] =
      /^-(?:agentlib:jdwp=|Xrunjdwp:|agentpath:.*jdwp[^=]*=|-debugger-agent=)(.*)$/.exec(word) ?? [];
    if (options === undefined) return [];
    const values = new Map(options.split(",").map((one) => one.split("=", 2) as [string, string]));
    const way = values.get("server") === "y" ? "listens" : "dials";
    return [{ name: "JDWP", way, ...hostAndPort(values.get("address") ?? "", 0) } as const];
  });
}

/**
 * IntelliJ IDEA's idea_rt.jar, a Java agent that dials the editor: -javaagent:…/idea_rt.jar=PORT[:FOLDER].
 */
function ideaRuntime(_program: Program, words: readonly string[]): DebuggerPort[] {
  return words.flatMap((word) => {
    const [, port] = /^-javaagent:.*\bidea_rt\.jar=(\d+)/.exec(word) ?? [];
    return port === undefined
      ? []
      : [{ name: "IntelliJ IDEA", way: "dials" as const, host: "", port: Number(port) }];
  });
}

/** JetBrains Rider's debugger worker: --frontend-port=PORT, where it meets the editor. */
function resharper(_program: Program, words: readonly string[]): DebuggerPort[] {
  return optionValues(words, "--frontend-port").flatMap((value) => {
    const one = { name: "Rider", ...hostAndPort(value, 0) };
    return [{ ...one, way: "listens" as const }, { ...one, way: "dials" as const }];
  });
}

/** `rdbg --help` and the README of the debug gem (RUBY_DEBUG_PORT); `rdebug-ide --help`. */
function ruby({ variable }: Program, words: readonly string[]): DebuggerPort[] {
  const name = "the debugger of Ruby";
  const at = words.findIndex((word) => /(^|\/)(rdbg|rdebug-ide|gdb_wrapper)$/.test(word));
  const rest = at < 0 ? [] : words.slice(at + 1);
  const standard = /rdebug-ide$/.test(words[at] ?? "") ? 1234 : 0;
  const listens = [...optionValues(rest, "--port"), variable("RUBY_DEBUG_PORT")].filter(Boolean);
  const dials = [...optionValues(rest, "--dispatcher-port"), variable("IDE_PROCESS_DISPATCHER")].filter(
    Boolean,
  );
  return [
    ...listens.map((value) => ({ name, way: "listens" as const, ...hostAndPort(value, standard) })),
    ...dials.map((value) => ({ name, way: "dials" as const, ...hostAndPort(value, 26162) })),
    ...(standard === 0 ? [] : [{ name, way: "listens" as const, host: "", port: standard }]),
  ];
}

/** Xdebug, "All settings" (client_host, client_port, XDEBUG_CONFIG). What stands in php.ini is not read. */
function xdebug({ file, variable, maps }: Program, words: readonly string[]): DebuggerPort[] {
  if (!/^(php|apache2|httpd|frankenphp|lsphp)/.test(baseName(file)) || !/xdebug[^/]*\.so/.test(maps())) {
    return [];
  }
  const name = "Xdebug";
  const settings = [
    ...wordsOf(variable("XDEBUG_CONFIG")),
    ...words.map((word) => word.replace(/^-d\s*/, "").replace(/^xdebug\./, "")),
  ].join("\n");
  const [, host = ""] = /^(?:client|remote)_host=(.*)$/m.exec(settings) ?? [];
  const ports = [...settings.matchAll(/^(?:client|remote)_port=(\d+)$/gm)].map(([, port]) => Number(port));
  return [...ports, 9003].map((port) => ({ name, way: "dials", host, port }));
}

/** perldebug(1): PERLDB_OPTS="RemotePort=HOST:PORT". */
function perl({ variable }: Program): DebuggerPort[] {
  const [, place = ""] = /\bRemotePort=(\S+)/.exec(variable("PERLDB_OPTS")) ?? [];
  return place === "" ? [] : [{ name: "the debugger of Perl", way: "dials", ...hostAndPort(place, 0) }];
}

/** `dart --help --verbose`: --enable-vm-service[=PORT[/ADDRESS]], --observe. */
function dart({ file }: Program, words: readonly string[]): DebuggerPort[] {
  if (!/^(dart|flutter)/.test(baseName(file))) return [];
  return words.flatMap((word) => {
    const [all, port] = /^--(?:enable-vm-service|observe)(?:=(\d+).*)?$/.exec(word) ?? [];
    if (all === undefined) return [];
    return [{
      name: "the VM service of Dart",
      way: "listens" as const,
      host: "",
      port: Number(port ?? 8181),
    }];
  });
}

/** remote-pdb's README (REMOTE_PDB_PORT). */
function remotePdb({ variable }: Program): DebuggerPort[] {
  const port = variable("REMOTE_PDB_PORT");
  return port === "" ? [] : [{ name: "remote-pdb", way: "listens", ...hostAndPort(port, 0) }];
}

function baseName(file: string): string {
  return file.slice(file.lastIndexOf("/") + 1);
}

/** java(1), "Command-Line Argument Files"; a relative path is not looked for. */
function readArguments(path: string): string {
  try {
    return path.startsWith("/") && Deno.statSync(path).size < 1 << 20 ? Deno.readTextFileSync(path) : "";
  } catch {
    return ""; // removed meanwhile
  }
}
