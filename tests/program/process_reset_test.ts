// Resets on a stolen connection, from the compiled binary: what is torn off at one end must not look complete
// at the other.

import assert from "node:assert/strict";
import { missingForProcess, registerCases } from "../support/cases.ts";
import { deadline } from "../support/deadline.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { SessionRun } from "../support/session_run.ts";

const python = "/usr/bin/python3";
const linger = "setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))";
/** Reads to the end and says on standard error how that was. */
const readToEnd = `
def read_to_end(s):
    try:
        while s.recv(4096): pass
        return 'orderly'
    except ConnectionResetError:
        return 'reset'
`;
const head = `import os, socket, struct, sys\n${readToEnd}`;

/** The app: one connection at a time; \`serve\` has it as \`s\`. */
function app(serve: string): string[] {
  const script = `${head}
l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); l.bind(('0.0.0.0', 80)); l.listen()
s = l.accept()[0]
${serve}
`;
  return [python, "-c", script];
}

/** A client of the pod; \`talk\` has its connection as \`s\`. Resolves with what it printed. */
async function client(stage: ProcessStage, talk: string): Promise<string> {
  const script = `${head}
s = socket.create_connection(('${stage.hosts.ipv4}', 80), 20)
${talk}
`;
  const output = new Deno.Command(python, { args: ["-c", script] }).output();
  const { code, stdout, stderr } = await deadline(output, "the client ends");
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

const stolen = /Stealing port 80/;

const cases = [
  ...["reset", "orderly"].map((how) => ({
    name: `a client's ${how} end reaches the app as ${how}`,
    run: async (stage: ProcessStage) => {
      await using run = new SessionRun(stage, {
        app: app("s.send(b'x'); print('end:', read_to_end(s), file=sys.stderr)"),
      });
      await run.until(stolen);
      await client(stage, `s.recv(1); ${how === "reset" ? `s.${linger}; ` : ""}s.close()`);
      const { code, stderr } = await run.finished();
      assert.equal(code, 0, stderr);
      assert.match(stderr, new RegExp(`^end: ${how}$`, "m"));
    },
  })),
  ...["reset", "orderly"].map((how) => ({
    name: `the app's ${how} end reaches the client as ${how}`,
    run: async (stage: ProcessStage) => {
      await using run = new SessionRun(stage, {
        app: app(`s.send(b'x'); s.recv(1); ${how === "reset" ? `s.${linger}; ` : ""}s.close()`),
      });
      await run.until(stolen);
      assert.equal(await client(stage, "s.recv(1); s.send(b'y'); print(read_to_end(s))"), how);
      assert.equal((await run.finished()).code, 0);
    },
  })),
];

registerCases(cases, () => ProcessStage.create(), missingForProcess());
