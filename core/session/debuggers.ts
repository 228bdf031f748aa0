// The debuggers of the app: which ports are theirs, by the command lines and variables of its processes, and
// by the variable that editors set (MIRRORD_IGNORE_DEBUGGER_PORTS). Owned by session.ts; asked by the floors
// incoming and outgoing. Invariant: a port on which a program listens for a debugger is never subscribed, and
// a debugger that a process dials is never looked for in the target.

import type { Address } from "../../protocol-wasm/mod.ts";
import type { PortRange } from "../config/debugger_ports.ts";
import { isLoopback } from "../net/fit.ts";
import { debuggerItself, type DebuggerPort, debuggerPorts, type Program } from "./debugger_table.ts";
import { platform } from "../net/this_platform.ts";

const { commandLine, environmentOf, mapsOf, programOf } = await platform.processes();

interface Seen {
  itself: string | null;
  ports: DebuggerPort[];
}

const nothing: Seen = { itself: null, ports: [] };

export class Debuggers {
  readonly #ranges: readonly PortRange[];
  readonly #pids: () => Iterable<number>;
  /** What was seen of each process; one that runs another program now is looked at again (`began`). */
  readonly #seen = new Map<number, Seen>();

  /**
   * ranges: ports on loopback that are debuggers' whichever process has them. pids: the processes of the app.
   */
  constructor({ ranges, pids }: { ranges: readonly PortRange[]; pids: () => Iterable<number> }) {
    this.#ranges = ranges;
    this.#pids = pids;
  }

  /** A process of the app began, or runs another program. */
  began(pid: number): void {
    this.#seen.delete(pid);
  }

  /**
   * The debugger for which `pid` listens at `asked`, at a port of the kernel's choice (`anyPort`) or of its
   * own; null: for none.
   */
  listens(pid: number, asked: Address, anyPort: boolean): string | null {
    this.began(pid); // it may have another name by now, and the right one only while it starts
    const { itself } = this.#look(pid);
    if (itself !== null) return itself;
    // One that took any port cannot be distinguished from the program's own listeners that did.
    const wanted = anyPort ? 0 : asked.port;
    const asking = anyPort ? this.#look(pid).ports : this.#all();
    const found = asking.find(({ way, port }) => way === "listens" && port === wanted);
    if (found !== undefined) return found.name;
    return isLoopback(asked.address) && this.isGiven(asked.port) ? "MIRRORD_IGNORE_DEBUGGER_PORTS" : null;
  }

  /** The debugger that `pid` dials at `destination`; null: it is none. */
  dials(pid: number, { address, port }: Address): string | null {
    const { itself, ports } = this.#look(pid);
    const local = isLoopback(address);
    if (itself !== null && local) return itself;
    // Every connect asks; one that leaves this machine is judged by what its own process declares.
    const found = (local ? this.#all() : ports).find((one) =>
      one.way === "dials" && one.port === port && (local || one.host === address)
    );
    return found?.name ?? null;
  }

  /** Is `port` one of those that were given? */
  isGiven(port: number): boolean {
    return this.#ranges.some(({ first, last }) => first <= port && port <= last);
  }

  /** Those of all processes: one may name on its command line what its child listens on. */
  #all(): DebuggerPort[] {
    const pids = new Set(this.#pids());
    for (const pid of this.#seen.keys()) if (!pids.has(pid)) this.#seen.delete(pid);
    return [...pids].flatMap((pid) => this.#look(pid).ports);
  }

  #look(pid: number): Seen {
    const known = this.#seen.get(pid);
    if (known !== undefined) return known;
    const program = readProgram(pid);
    const seen = program === null
      ? nothing
      : { itself: debuggerItself(program), ports: debuggerPorts(program) };
    this.#seen.set(pid, seen);
    return seen;
  }
}

/** null: it has ended, or may not be looked at. */
function readProgram(pid: number): Program | null {
  const args = commandLine(pid);
  if (args.length === 0) return null;
  const environment = environmentOf(pid);
  return {
    file: programOf(pid) ?? args[0] ?? "",
    args,
    variable: (name) => {
      const at = environment.startsWith(`${name}=`) ? 0 : environment.indexOf(`\0${name}=`) + 1;
      if (at === 0 && !environment.startsWith(`${name}=`)) return "";
      return environment.slice(at + name.length + 1, environment.indexOf("\0", at));
    },
    maps: () => mapsOf(pid),
  };
}
