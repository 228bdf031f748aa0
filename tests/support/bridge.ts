// Streams between a test and loopback ports of a network namespace: what a port-forward of Kubernetes is to a
// session, and an agent's listener to the unprotected variant.

import type { LinkStream } from "../../protocol-wasm/mod.ts";
import type { Netns } from "./netns.ts";
import { deadline } from "./deadline.ts";

/** A stream over the standard input and output of a program. */
export function programStream(argv: string[]): { stream: LinkStream } & AsyncDisposable {
  const [program = "", ...args] = argv;
  const child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped", stderr: "null" }).spawn();
  const reader = child.stdout.getReader();
  const writer = child.stdin.getWriter();
  let rest: Uint8Array = new Uint8Array();
  const stream: LinkStream = {
    async read(into) {
      if (rest.length === 0) rest = (await reader.read()).value ?? rest;
      const count = Math.min(into.length, rest.length);
      into.set(rest.subarray(0, count));
      rest = rest.subarray(count);
      return count === 0 ? null : count;
    },
    write: (part) => writer.write(part.slice()),
    close() {
      writer.close().catch(() => {});
      reader.cancel().catch(() => {});
    },
  };
  return {
    stream,
    async [Symbol.asyncDispose]() {
      stream.close();
      try {
        child.kill("SIGKILL");
      } catch {
        // It ended already.
      }
      await child.status;
    },
  };
}

/** A stream to 127.0.0.1:`port` inside. */
export function bridge(netns: Netns, port: number): { stream: LinkStream } & AsyncDisposable {
  const script = new URL("../agent/bridge.py", import.meta.url).pathname;
  return programStream(netns.inside(["python3", script, String(port)]));
}

const accepting = `import os, socket, sys, threading
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen()
os.write(1, b"!")
connection, _ = listener.accept()
def up():
    while chunk := os.read(0, 65536): connection.sendall(chunk)
threading.Thread(target=up, daemon=True).start()
while chunk := connection.recv(65536): os.write(1, chunk)
`;

/** Listens on 127.0.0.1:`port` inside, for one connection. */
export async function listenHere(
  netns: Netns,
  port: number,
): Promise<{ accept(): Promise<LinkStream> } & AsyncDisposable> {
  const { stream, ...rest } = programStream(
    netns.inside(["python3", "-c", accepting, String(port)]),
  );
  await deadline(stream.read(new Uint8Array(1)), "the unprotected agent listens");
  return { accept: () => Promise.resolve(stream), ...rest };
}
