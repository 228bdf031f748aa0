// A launch configuration as a line for a shell that runs the same by `mirrord exec`. Nothing here knows the
// editor's API.

import type { DebugConfiguration } from "./api.ts";
import type { Order } from "./session.ts";

/** The line; undefined: the configuration names no program that a shell could run. */
export function commandLine(
  configuration: DebugConfiguration,
  { binary, order: { configFile, target } }: { binary: string; order: Omit<Order, "executable"> },
): string | undefined {
  const program = programOf(configuration);
  if (program === undefined) return undefined;
  const { cwd, env = {} } = configuration as { cwd?: string; env?: Record<string, string | null> };
  const variables = Object.entries(env).filter(([name, value]) =>
    value !== null && name !== "MIRRORD_ACTIVE"
  );
  return [
    ...(cwd === undefined ? [] : ["cd", quoted(cwd), "&&"]),
    ...variables.map(([name, value]) => `${name}=${quoted(String(value))}`),
    quoted(binary),
    "exec",
    ...(configFile === undefined ? [] : ["-f", quoted(configFile)]),
    ...(target?.namespace === undefined ? [] : ["-n", quoted(target.namespace)]),
    ...(target === undefined ? [] : ["-t", quoted(target.path)]),
    "--",
    program,
  ].join(" ");
}

/** The program with its arguments, as a shell reads them. */
function programOf(configuration: DebugConfiguration): string | undefined {
  const word = (...keys: string[]): string =>
    keys.map((key) => configuration[key]).filter(isGiven).slice(0, 1).map((one) => words(one, quoted)).join(
      "",
    );
  /** A list of arguments, or a text that holds several. */
  const list = (key: string): string => words(configuration[key] ?? "", (text) => text);
  const line = (needed: string, ...parts: string[]): string | undefined =>
    needed === "" ? undefined : [...parts, list("args")].filter((part) => part !== "").join(" ");
  const program = word("program", "script");
  switch (configuration.type) {
    case "node":
    case "pwa-node":
      return line(
        program + list("runtimeArgs"),
        word("runtimeExecutable") || "node",
        list("runtimeArgs"),
        program,
      );
    case "node-terminal":
      return line(word("command"), `sh -c ${word("command")}`);
    case "python":
    case "debugpy": {
      const what = isGiven(configuration["module"]) ? `-m ${word("module")}` : program;
      return line(what, word("python", "pythonPath") || "python3", list("pythonArgs"), what);
    }
    case "go": {
      const { mode } = configuration;
      if (mode === "exec") return line(program, program);
      return line(program, "go", mode === "test" ? "test" : "run", list("buildFlags"), program);
    }
    case "java": {
      const paths = configuration["classPaths"];
      const classes = Array.isArray(paths) && paths.length > 0 ? `-cp ${quoted(paths.join(":"))}` : "";
      return line(word("mainClass"), "java", list("vmArgs"), classes, word("mainClass"));
    }
    case "php":
      return line(
        program + list("runtimeArgs"),
        word("runtimeExecutable") || "php",
        list("runtimeArgs"),
        program,
      );
    case "rdbg":
    case "Ruby":
      return line(program, "ruby", program);
    default:
      return line(program, program);
  }
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "";
}

function words(value: unknown, text: (text: string) => string): string {
  return Array.isArray(value) ? value.map((one) => quoted(String(one))).join(" ") : text(String(value));
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
