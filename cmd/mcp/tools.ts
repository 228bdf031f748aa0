// The tools of `mirrord mcp`. Each answers with JSON as text; what is refused or fails is an answer too,
// with what to do. Called by cmd/mcp.ts. Commands of mirrord run as processes of their own: their output
// cannot get into the protocol's.

import { resolve } from "node:path";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { z } from "zod";
import { MirrordError } from "../../core/base/errors.ts";
import { mirrordVersion } from "../../core/base/version.ts";
import type { SessionFacts } from "../../core/control/messages.ts";
import { listSessions } from "../../core/control/sessions.ts";
import { SessionsWatch } from "../../core/control/sessions_watch.ts";
import { ownProgram } from "../../core/net/own_program.ts";
import type { Permission } from "./permission.ts";
import { kinds, recentOf, withoutArguments } from "./recent.ts";
import { Runs } from "./runs.ts";

/** How long an ordinary command of mirrord may take. */
const commandMs = 60_000;
const usualSeconds = 120;
const mostSeconds = 3600;

const about =
  `mirrord runs a program of this machine as if it were a pod of a Kubernetes cluster: with the pod's
variables, names, files and outgoing connections, and with its incoming traffic, copied or stolen. What it may do
is the developer's to decide; a refusal says so, and is not to be worked around.`;

/** What a tool answers with. */
interface Answer {
  [key: string]: unknown;
  content: { type: "text"; text: string }[];
  isError?: boolean;
}

/** What a client is told of a tool. */
interface ToolFacts<Shape> {
  description: string;
  inputSchema?: Shape;
  annotations: { readOnlyHint?: boolean; destructiveHint?: boolean; openWorldHint?: boolean };
}

export class Tools implements AsyncDisposable {
  readonly server: McpServer = new McpServer(
    { name: "mirrord", version: mirrordVersion },
    { instructions: about },
  );
  readonly #permission: Permission;
  readonly #runs = new Runs();
  #watch: SessionsWatch | null = null;

  constructor(permission: Permission) {
    this.#permission = permission;
    this.#readingTools();
    this.#runningTools();
    this.#sessionTools();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#runs[Symbol.asyncDispose]();
    this.#watch?.[Symbol.dispose]();
  }

  #readingTools(): void {
    const reads = { readOnlyHint: true, openWorldHint: true };
    this.#tool("list_targets", {
      description:
        "Lists the targets of the configured namespace, and says as which of them programs may be run.",
      annotations: reads,
    }, () =>
      answered(async () => {
        const listed = await this.#command(["ls", ...await this.#permission.placeFlags(), "-o", "json"]);
        return { allowed: this.#permission.targets, targets: listed };
      }));
    this.#tool(
      "explain",
      {
        description:
          "Says whose a path, a host or a port would be in a session, the target's or this machine's, and " +
          "which rule of the configuration decides. Starts nothing.",
        inputSchema: {
          what: z.string().describe("/PATH, HOST, HOST:PORT, or a port that the program listens on"),
        },
        annotations: reads,
      },
      ({ what }) =>
        answered(async () =>
          this.#command(["explain", ...await this.#permission.placeFlags(), "-o", "json", "--", what])
        ),
    );
    this.#tool("doctor", {
      description:
        "Checks what a session needs: configuration, cluster, rights, target. What to do stands in help.",
      inputSchema: { target: z.string().optional().describe("one of the allowed targets") },
      annotations: reads,
    }, ({ target }) =>
      answered(async () => {
        const flags = target === undefined ? [] : ["--target", this.#permission.targetOf(target)];
        return this.#command(["doctor", ...await this.#permission.placeFlags(), ...flags, "-o", "json"]);
      }));
  }

  #runningTools(): void {
    this.#tool("run", {
      description: "Runs a command as a target and returns its exit code and output. A server is run with " +
        "background: true, then read by output and ended by stop.",
      inputSchema: {
        command: z.array(z.string()).min(1).describe("the program and its arguments; no shell is used"),
        target: z.string().optional().describe("one of the allowed targets; otherwise the configuration's"),
        steal: z.boolean().optional().describe(
          "the program answers in the target's place, instead of getting a copy",
        ),
        directory: z.string().optional().describe("working directory"),
        timeoutSeconds: z.number().int().min(1).max(mostSeconds).optional()
          .describe(`it is ended after so long (${usualSeconds}); not in the background`),
        background: z.boolean().optional(),
      },
      annotations: { readOnlyHint: false, destructiveHint: true, openWorldHint: true },
    }, ({ command, target, steal, directory, timeoutSeconds, background }) =>
      answered(async () => {
        const flags = await this.#permission.runFlags({ command, target, steal });
        if (directory !== undefined && !await isFolder(directory)) {
          throw new MirrordError(`Cannot run in "${directory}": there is no such folder`);
        }
        this.#watch ??= new SessionsWatch();
        const words = ["exec", "--ends-with", String(Deno.pid), ...flags, "--", ...command];
        const run = this.#runs.start([...await ownProgram(), ...words], directory);
        if (background !== true) await run.within((timeoutSeconds ?? usualSeconds) * 1000);
        return run.report;
      }));
    this.#tool("output", {
      description: "The end of the output of a run so far, and its exit code once it has ended.",
      inputSchema: { run: z.number().int() },
      annotations: { readOnlyHint: true },
    }, ({ run }) => answered(() => this.#run(run).report));
    this.#tool("stop", {
      description: "Ends a run of this connection in order: the target has its traffic again.",
      inputSchema: { run: z.number().int() },
      annotations: { destructiveHint: true },
    }, ({ run }) =>
      answered(async () => {
        const found = this.#run(run);
        await found.end();
        return found.report;
      }));
  }

  #sessionTools(): void {
    this.#tool(
      "sessions",
      {
        description: "The running sessions of this user on this machine, with their targets and ports.",
        annotations: { readOnlyHint: true },
      },
      () =>
        answered(async () =>
          (await listSessions()).map(({ id, pid, facts }) =>
            facts === null ? { id, pid, state: "silent" } : withoutArguments(facts)
          )
        ),
    );
    this.#tool("recent", {
      description:
        "What happened in sessions of this project since this connection first looked: HTTP/1 requests, " +
        "or connections, names and files, each with whose it was and which rule decided.",
      inputSchema: {
        kind: z.enum(kinds).default("requests"),
        session: z.string().optional().describe("its id; otherwise all of this project"),
        limit: z.number().int().min(1).max(200).default(50),
        bodies: z.boolean().default(false).describe("requests with heads and the beginnings of bodies"),
      },
      annotations: { readOnlyHint: true },
    }, ({ kind, session, limit, bodies }) =>
      answered(async () => {
        const watch = this.#watch ??= new SessionsWatch();
        const ours = (await listSessions()).filter(({ id, pid, facts }) =>
          (session === undefined || id === session) && this.#isOurs(pid, facts)
        );
        return ours.map(({ id }) => ({
          session: id,
          [kind]: recentOf(watch.of(id), { kind, limit, bodies }),
        }));
      }));
  }

  /** Declares one; what its input is, is known by `shape`. */
  #tool<Shape extends z.ZodRawShape = Record<never, never>>(
    name: string,
    { inputSchema: shape, ...rest }: ToolFacts<Shape>,
    work: (input: z.infer<z.ZodObject<Shape>>) => Promise<Answer>,
  ): void {
    const facts = { ...rest, inputSchema: shape ?? {} };
    this.server.registerTool(name, facts as never, ((input: never) => work(input)) as never);
  }

  /** Sessions that this connection started, or of the same configuration. */
  #isOurs(pid: number, facts: SessionFacts | null): boolean {
    if (this.#runs.pids.includes(pid)) return true;
    if (facts === null || facts.config === null) return false;
    return resolve(facts.directory, facts.config) === this.#permission.file;
  }

  #run(number: number) {
    const run = this.#runs.of(number);
    if (run === undefined) {
      throw new MirrordError(`Cannot find run ${number}: this connection has none of that number`);
    }
    return run;
  }

  /** What a command of mirrord prints, which is JSON. Throws MirrordError with what it says. */
  async #command(args: readonly string[]): Promise<unknown> {
    await using runs = new Runs();
    const run = runs.start([...await ownProgram(), ...args], undefined);
    await run.within(commandMs);
    const { stdout, stderr, exitCode } = run.report;
    try {
      return JSON.parse(stdout);
    } catch {
      const [, message = stderr.trim(), help] = /error: ([^\n]*)(?:\n +help: ([^\n]*))?/.exec(stderr) ?? [];
      throw new MirrordError(message, {
        ...(help === undefined ? {} : { help }),
        ...(exitCode === null ? {} : { exitCode }),
      });
    }
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    return false;
  }
}

/** The result as a tool's answer; a refusal or failure is one, a bug is the protocol's error. */
async function answered(work: () => unknown): Promise<Answer> {
  try {
    return { content: [{ type: "text", text: JSON.stringify(await work(), null, 2) }] };
  } catch (error) {
    if (!(error instanceof MirrordError)) throw error;
    const text = error.help === undefined ? error.message : `${error.message}\n${error.help}`;
    return { content: [{ type: "text", text }], isError: true };
  }
}
