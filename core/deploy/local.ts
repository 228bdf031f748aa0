// The agent for a process on this machine: this same program again, as root where it must be, spoken to over
// its standard input and output. Called by deploy.ts. This file ends it: the agent gets the end of its input,
// and is killed by its process id if that does not end it.

import { DeployError, exitCodes } from "../base/errors.ts";
import { log } from "../base/log.ts";
import { holdSteps } from "../base/progress.ts";
import { startTimeOf } from "../target/process.ts";
import type { ProcessTarget } from "../target/target.ts";
import type { LinkStream } from "../../protocol-wasm/mod.ts";
import { type ConnectedAgent, NoAnswer, proveLink } from "./connect.ts";
import { agentArguments, type Deployed, type DeployOrder } from "./order.ts";
import { ownProgram } from "../net/own_program.ts";

/** How long the agent may take to leave before it is killed. */
const leaveMilliseconds = 2000;
const readBytes = 65_536;

/** Starts the agent beside `target`. */
export async function deployLocal(target: ProcessTarget, order: DeployOrder): Promise<Deployed> {
  const { needs, startup, key } = order;
  startup.phase(`Starting the agent for ${target.label}`);
  if (await startTimeOf(target.pid) !== target.startTime) {
    throw new DeployError(`Cannot start the agent: the process ${target.pid} is gone`);
  }
  const place = ["--stdio", "--target-pid", String(target.pid)];
  const enters = needs.steal || needs.mirror === true ||
    ((needs.dns === true || needs.outgoing === true) && !await sharesNetwork(target.pid));
  if (enters) place.push("--netns-of", String(target.pid));
  const argv = [...await ownProgram(), ...agentArguments(order, place)];
  const asRoot = Deno.uid() !== 0 &&
    (enters || !await canReadEnvironment(target.pid) ||
      (needs.files !== undefined && !await sharesFiles(target.pid)));
  if (asRoot) log.info("The agent must run as root to enter the target; sudo may ask for your password");
  const held = asRoot ? holdSteps() : undefined;
  const child = spawn(asRoot ? ["sudo", "--", ...argv] : argv);
  const logged = showLines(child.stderr);
  const stream = childStream(child);
  return {
    async connect(): Promise<ConnectedAgent> {
      try {
        const { steal, mirror = false } = needs;
        return await proveLink(stream, { key, steal, mirror, signal: startup.signal });
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        const { code } = await child.status;
        throw new DeployError(`Cannot start the agent: it ended with code ${code}: ${await logged}`, {
          cause: error,
          exitCode: asRoot && code === 1 ? exitCodes.permission : exitCodes.unavailable,
        });
      } finally {
        held?.[Symbol.dispose]();
        startup[Symbol.dispose]();
      }
    },
    async [Symbol.asyncDispose]() {
      startup[Symbol.dispose]();
      stream.close();
      await reap(child);
      await logged;
      target[Symbol.dispose]();
    },
  };
}

function spawn([program = "", ...args]: string[]): Deno.ChildProcess {
  try {
    // Not in the developer's directory: it would keep a file system busy, and need not have a name that is
    // UTF-8.
    const options = { cwd: "/", stdin: "piped", stdout: "piped", stderr: "piped" } as const;
    return new Deno.Command(program, { args, ...options }).spawn();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new DeployError(`Cannot start the agent: there is no program "${program}"`, {
      help: program === "sudo"
        ? "Run mirrord as root: a process can be entered by root only."
        : "Install mirrord again.",
      cause,
      exitCode: exitCodes.permission,
    });
  }
}

/** proc(5): who may read it depends on more than the user id, so it is tried. */
async function canReadEnvironment(pid: number): Promise<boolean> {
  return await Deno.readFile(`/proc/${pid}/environ`).then(() => true, () => false);
}

/**
 * Whether the process is in our own network namespace (namespaces(7)); one that may not be looked at is taken
 * for apart.
 */
async function sharesNetwork(pid: number): Promise<boolean> {
  const [own, other] = await Promise.all(
    ["self", String(pid)].map((one) => Deno.readLink(`/proc/${one}/ns/net`).catch(() => one)),
  );
  return own === other;
}

/** Whether its files are this process's own: then nobody needs to be root to see them. */
async function sharesFiles(pid: number): Promise<boolean> {
  try {
    const [own, other] = await Promise.all(["/", `/proc/${pid}/root/`].map((path) => Deno.stat(path)));
    const [mounts, others] = await Promise.all(
      ["self", pid].map((one) => Deno.readLink(`/proc/${one}/ns/mnt`)),
    );
    return own?.ino === other?.ino && own?.dev === other?.dev && mounts === others;
  } catch {
    return false;
  }
}

/** The child's standard input and output as a link's stream. */
export function childStream(child: Deno.ChildProcess): LinkStream {
  // The stream fills one buffer again and again: otherwise each read would cost a new one of 64 KiB, and much
  // garbage collection.
  const reader = child.stdout.getReader({ mode: "byob" });
  const writer = child.stdin.getWriter();
  let rest = new Uint8Array(readBytes).subarray(0, 0);
  let open = true;
  return {
    async read(into) {
      if (rest.length === 0) {
        const { value, done } = await reader.read(new Uint8Array(rest.buffer));
        if (done) return null;
        rest = value;
      }
      const count = Math.min(rest.length, into.length);
      into.set(rest.subarray(0, count));
      rest = rest.subarray(count);
      return count;
    },
    // A copy: the caller's memory changes, and a stream may keep what it was given.
    write: (bytes) => writer.write(bytes.slice()),
    close() {
      if (!open) return;
      open = false;
      writer.close().catch(() => {});
      reader.cancel().catch(() => {});
    },
  };
}

/** Shows what the agent says on stderr; resolves with its last line. */
async function showLines(stderr: ReadableStream<Uint8Array>): Promise<string> {
  let rest = "";
  let last = "no output";
  const show = (line: string) => {
    if (line.trim() === "") return;
    last = line.trim().slice(0, 500);
    log.debug(`agent: ${line.slice(0, 2000)}`);
  };
  for await (const text of stderr.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = (lines.pop() ?? "").slice(-4096);
    lines.forEach(show);
  }
  show(rest);
  return last;
}

/** Waits for the agent's end; after a while asks it to end, then makes it. */
async function reap(child: Deno.ChildProcess): Promise<void> {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    const { promise, resolve } = Promise.withResolvers<"late">();
    const timer = setTimeout(() => resolve("late"), leaveMilliseconds);
    const outcome = await Promise.race([child.status, promise]);
    clearTimeout(timer);
    if (outcome !== "late") return;
    log.debug(`The agent does not end; sending ${signal}`);
    try {
      child.kill(signal);
    } catch (error) {
      // This process may not kill root's; sudo hands on the end of input, which it has seen.
      if (!(error instanceof Deno.errors.PermissionDenied)) return;
      log.warning(`The agent (process ${child.pid}) does not end and cannot be killed: ${error.message}`);
      child.unref();
      return;
    }
  }
  await child.status;
}
