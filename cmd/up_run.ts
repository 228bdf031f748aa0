// Runs the sessions of `mirrord up`: starts all at once, prints what each prints line by line behind its
// name, and ends all when one ends or a signal comes. Called by up.ts. The invariant: each session runs with
// `--ends-with`, so none outlives this process, however that ends.

import { log } from "../core/base/log.ts";
import { within } from "../core/base/pause.ts";
import { killInOrder, killSessions, signalSessions } from "../core/launch/session_programs.ts";
import { launchPlatform } from "../core/launch/this_platform.ts";
import { wholeLines } from "./lines.ts";
import { prefixedLines, type Style } from "./ui.ts";

/** How to start one session. */
export interface Order {
  name: string;
  argv: readonly string[];
  directory: string | undefined;
  env: Record<string, string>;
}

interface Running {
  name: string;
  child: Deno.ChildProcess;
  /** Resolves with its exit code, 128 + n when signal n ended it. */
  ended: Promise<number>;
  /** Resolves when all that it printed is printed. */
  printed: Promise<unknown>;
}

/** What a session's end may wait for: as long as container runtimes wait, and upstream. */
const graceMs = 10_000;
/** A program that lives on holds its output open. */
const outputMs = 1000;
/** A Ctrl-C reaches the services a little before it is heard of here. */
const signalMs = 100;

const endings = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 } as const;
type Ending = keyof typeof endings;
const styles: Style[] = ["cyan", "yellow", "green", "magenta", "blue"];

/**
 * Resolves when all have ended: with the exit code of the first that ended by itself, or 128 + n after
 * signal n.
 */
export async function runAll(orders: readonly Order[]): Promise<number> {
  const heard = new Endings();
  const width = Math.max(...orders.map(({ name }) => name.length));
  const all: Running[] = [];
  try {
    orders.forEach((order, index) => {
      const style = styles[index % styles.length] ?? "cyan";
      all.push(start(order, { prefix: `${order.name.padEnd(width)} | `, style }));
    });
    const ends = all.map(async ({ name, ended }) => ({ name, code: await ended }));
    const first = await Promise.race([heard.first, ...ends]);
    const signal = typeof first === "string" ? first : await within(heard.first, signalMs, null);
    if (typeof first !== "string" && signal === null) {
      const said = `${JSON.stringify(first.name)} ended with exit code ${first.code}`;
      const rest = all.length === 1 ? said : `${said}; the other services are ended`;
      if (first.code === 0) log.info(rest);
      else log.warning(rest);
    }
    if (signal === null || !reachedAll(signal)) {
      signalSessions(all.map(({ child }) => child), signal ?? "SIGTERM");
    }
    await endAll(all, heard);
    return signal === null && typeof first !== "string" ? first.code : 128 + endings[signal ?? "SIGTERM"];
  } finally {
    if (all.length < orders.length) killSessions(all.map(({ child }) => child)); // one could not be started
    await within(Promise.all(all.map(({ printed }) => printed)), outputMs, []);
    for (const { child } of all) await child.stdin.close().catch(() => {});
  }
}

function start(
  { name, argv: [program = "", ...args], directory, env }: Order,
  { prefix, style }: { prefix: string; style: Style },
): Running {
  const child = new Deno.Command(program, {
    args,
    env,
    ...(directory === undefined ? {} : { cwd: directory }),
    stdin: "piped", // open and empty: programs that watch for its end go on
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const printed = (["stdout", "stderr"] as const).map(async (output) => {
    const print = prefixedLines(prefix, style, output);
    for await (const line of wholeLines(child[output])) print(line);
  });
  return {
    name,
    child,
    ended: child.status.then(({ code }) => code),
    printed: Promise.all(printed),
  };
}

/** Waits for the end of all. After the grace, or at a second signal, their programs are killed. */
async function endAll(all: readonly Running[], heard: Endings): Promise<void> {
  const everyEnd = Promise.all(all.map(({ ended }) => ended)).then(() => true);
  const outcome = await within(Promise.race([everyEnd, heard.second]), graceMs, null);
  if (outcome === true) return;
  const left = new Set(all);
  for (const one of all) void one.ended.then(() => left.delete(one));
  await Promise.resolve(); // those that have ended are out
  const late = outcome === null ? ` after ${graceMs / 1000} s` : "";
  log.warning(`Not ended${late}, and so killed: ${[...left].map(({ name }) => name).join(", ")}`);
  await killInOrder([...left].map(({ child }) => child), everyEnd);
}

/** Did the terminal send the signal to the whole process group, and so to the sessions and programs too? */
function reachedAll(signal: Ending): boolean {
  return (signal === "SIGINT" || signal === "SIGQUIT") && launchPlatform.inForeground();
}

/** Signals that ask to end, from now on. The listeners stay: the teardown is not ended by one more. */
class Endings {
  readonly #first = Promise.withResolvers<Ending>();
  readonly #second = Promise.withResolvers<false>();
  #count = 0;

  constructor() {
    for (const signal of Object.keys(endings) as Ending[]) {
      Deno.addSignalListener(signal, () => {
        if (++this.#count === 1) this.#first.resolve(signal);
        else this.#second.resolve(false);
      });
    }
  }

  get first(): Promise<Ending> {
    return this.#first.promise;
  }

  get second(): Promise<false> {
    return this.#second.promise;
  }
}
