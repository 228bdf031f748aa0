// What a process of the app runs: its program, and the script that its program reads. That is the developer's
// code, so it comes from this machine wherever it lies, and so does its folder where the target has none of
// that name. Asked by files.ts once for each process whose first question is not decided by the table of
// paths.
// Invariant: nothing that the target has is hidden, except the program's and the script's own files.

import { E, RemoteError } from "../../protocol-wasm/mod.ts";
import { log } from "../base/log.ts";
import { osBytes, osText } from "../base/os_text.ts";
import type { AppProcess } from "./floor.ts";
import type { PathUse, Policy } from "./policy.ts";
import { platform } from "../net/this_platform.ts";

const { reach } = await platform.files();
const { commandLine, directoryOf } = await platform.processes();

/** Paths that are this machine's because a process runs them. */
interface Places {
  files: ReadonlySet<string>;
  /** With all below them. */
  folders: readonly string[];
}

/** Folders of programs: what belongs to a program lies beside them. */
const programFolders = /\/(s?bin|libexec|shims)$/;
/** What is read of a file to see whether it is a script (execve(2), "Interpreter scripts"). */
const lineBytes = 256;

/** How a language's program gets the file to run. */
interface Interpreter {
  name: RegExp;
  /** Options with a value of their own. */
  valued: RegExp;
  /** Options after which no file follows. */
  none: RegExp;
}

const interpreters: Interpreter[] = [
  {
    name: /^(a|ba|da|k|mk|z|rba)?sh$/,
    valued: /^([-+]\w*[oO]|--(rc|init-)file)$/,
    none: /^-(?!-)\w*[cs]/,
  },
  {
    name: /^(python|pypy)[\d.]*$/,
    valued: /^(-[XWQ]|--check-hash-based-pycs)$/,
    none: /^-(?![WX])[A-Za-z]*[cm]/,
  },
  {
    name: /^(node|nodejs|bun|deno|tsx|ts-node)$/,
    valued: /^(-[rC]|--(require|import|(experimental-)?loader|conditions|env-file|input-type|title))$/,
    none: /^(-(e|p|pe|i)|--(eval|print|interactive|test))$/,
  },
  { name: /^j?ruby[\d.]*$/, valued: /^-[IrEF]$/, none: /^-(?![IrEFKTW])\w*e/ },
  { name: /^perl[\d.]*$/, valued: /^-I$/, none: /^-(?![IMmCDx])\w*[eE]/ },
  { name: /^php[\d.]*$/, valued: /^-[dcz]$/, none: /^-[rRBSaim]/ },
];

export class OwnCode {
  readonly #policy: Policy;
  readonly #stat: (path: Uint8Array) => Promise<unknown>;
  readonly #places = new WeakMap<AppProcess, Promise<Places>>();
  readonly #met = new WeakMap<AppProcess, Places>();
  /** Folders of programs, and whether the target has something there. */
  readonly #known = new Map<string, Promise<boolean>>();

  /** stat: stat(2) in the target, which rejects with RemoteError. */
  constructor(policy: Policy, stat: (path: Uint8Array) => Promise<unknown>) {
    this.#policy = policy;
    this.#stat = stat;
  }

  /** Looks at `process`, which waits meanwhile; once. */
  async meet(process: AppProcess): Promise<void> {
    if (this.#met.has(process)) return;
    const finding = this.#places.get(process) ?? this.#find(process);
    this.#places.set(process, finding);
    this.#met.set(process, await finding);
  }

  /** What the policy asks about a process that was met. */
  of(process: AppProcess): Pick<PathUse, "executable" | "isOwn"> {
    const { files, folders } = this.#met.get(process) ?? { files: new Set(), folders: [] };
    const isOwn = (path: Uint8Array): boolean => {
      if (files.size === 0) return false;
      const text = osText(path);
      return files.has(text) || folders.some((folder) => text.startsWith(`${folder}/`));
    };
    return { executable: process.executable, isOwn };
  }

  async #find(process: AppProcess): Promise<Places> {
    const isLocal = (path: string) =>
      this.#policy.decide({ path: osBytes(path), writes: false, executable: "" }).place !== "remote";
    const runs = [...runFiles(process)].filter((path) => !isLocal(path));
    const files = new Set(runs);
    const folders: string[] = [];
    for (const folder of new Set(runs.map(homeOf))) {
      if (folder === "" || isLocal(folder) || await this.#targetHas(folder)) continue;
      log.debug(`${folder} is this machine's: a program runs from there, and the target has no such folder`);
      folders.push(folder);
      // Programs look at each folder on the way to their own code.
      for (let above = folder; above !== "" && !files.has(above); above = parentOf(above)) {
        if (above !== folder && await this.#targetHas(above)) break;
        files.add(above);
      }
    }
    return { files, folders };
  }

  /** True when that cannot be determined. */
  #targetHas(path: string): Promise<boolean> {
    const known = this.#known.get(path) ?? this.#stat(osBytes(path)).then(
      () => true,
      (error) => !(error instanceof RemoteError && (error.errno === E.ENOENT || error.errno === E.ENOTDIR)),
    );
    this.#known.set(path, known);
    return known;
  }
}

/** "/srv/tool" for "/srv/tool/run" and for "/srv/tool/bin/run"; "" for what lies in the root. */
function homeOf(path: string): string {
  const folder = parentOf(path);
  return programFolders.test(folder) ? parentOf(folder) : folder;
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** The absolute paths of the program, as it is and as it was called, and of the script. */
function* runFiles({ pid, executable }: AppProcess): Iterable<string> {
  if (executable.startsWith("/")) yield executable;
  const argv = commandLine(pid);
  const [called = ""] = argv;
  if (called.includes("/")) yield absolute(pid, called);
  const script = scriptOf(argv, baseName(executable));
  if (script !== undefined) yield absolute(pid, script);
}

function absolute(pid: number, path: string): string {
  if (!path.startsWith("/")) path = `${directoryOf(pid) ?? ""}/${path}`;
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** The argument that names the file with the program's text; undefined when none does. */
export function scriptOf(argv: readonly string[], executable: string): string | undefined {
  const [called = "", ...args] = argv;
  const name = baseName(called).replace(/^-/, "");
  const known = interpreters.find((one) => one.name.test(name) || one.name.test(executable));
  if (known !== undefined) return firstFile(args, known);
  // What the kernel itself ran: INTERPRETER [ARGUMENT] SCRIPT …, whatever the interpreter is.
  return args.slice(0, 2).find((path) => {
    const interpreter = path.includes("/") ? baseName(interpreterOf(path)) : "";
    return interpreter !== "" && (interpreter === name || interpreter === executable);
  });
}

function firstFile(args: readonly string[], { valued, none }: Interpreter): string | undefined {
  for (let at = 0; at < args.length; at++) {
    const argument = args[at] ?? "";
    if (argument === "--") return args[at + 1];
    if (argument === "-f") return args[at + 1]; // php(1)
    if (none.test(argument)) return undefined;
    if (valued.test(argument)) at++;
    else if (argument === "run" && at === 0) continue; // deno, bun
    else if (!/^[-+]/.test(argument)) return argument;
  }
  return undefined;
}

/** The interpreter that the first line of the file at `path` names; "" when it names none. */
function interpreterOf(path: string): string {
  try {
    using reached = reach(path);
    if (!Deno.statSync(reached.path).isFile) return ""; // a pipe's open would wait for its other end
    using file = Deno.openSync(reached.path);
    const bytes = new Uint8Array(lineBytes);
    const line = osText(bytes.subarray(0, file.readSync(bytes) ?? 0)).split("\n")[0] ?? "";
    const [, interpreter = "", argument = ""] = /^#!\s*(\S+)\s*(?:-S\s*)?(\S*)/.exec(line) ?? [];
    return interpreter.endsWith("/env") ? argument : interpreter;
  } catch {
    return "";
  }
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
