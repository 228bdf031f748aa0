// Standard input and output as the stream under a link, between a session and an agent that it started on the
// same machine. Called by main.ts. Both must be pipes or sockets; they become non-blocking.

import type { LinkStream } from "../../protocol-wasm/mod.ts";
import { c, check, E, K, lastErrno, SystemError } from "./libc.ts";
import { Watch } from "../../core/net/linux/poll.ts";

const input = 0;
const output = 1;

/** Takes over descriptors 0 and 1. Throws SystemError when one is neither pipe nor socket. */
export function stdioStream(): LinkStream {
  // A write to a closed pipe must be EPIPE, not the end of the process (signal(7)). What is typed at the
  // session's terminal (Ctrl-C, Ctrl-Z) reaches its whole process group: what ends this process is the end of
  // its link, and a session that stops says so.
  for (const signal of [K.SIGPIPE, K.SIGINT, K.SIGHUP, K.SIGTSTP]) {
    c.signal(signal, Deno.UnsafePointer.create(K.SIG_IGN));
  }
  for (const fd of [input, output]) {
    check("fcntl", c.fcntl(fd, K.F_SETFL, check("fcntl", c.fcntl(fd, K.F_GETFL, 0)) | K.O_NONBLOCK));
  }
  const readWatch = new Watch(input);
  const writeWatch = new Watch(output);
  let open = true;
  /** The call's count; 0 when it was closed, null when the kernel returns EAGAIN. */
  const attempt = (name: string, call: () => number): number | null => {
    for (;;) {
      if (!open) throw new SystemError(name, E.EPIPE);
      const count = call();
      if (count >= 0) return count;
      const code = lastErrno();
      if (code === E.EAGAIN) return null;
      if (code !== E.EINTR) throw new SystemError(name, code);
    }
  };
  return {
    async read(into) {
      for (;;) {
        const bytes = into as Uint8Array<ArrayBuffer>;
        const count = attempt("read", () => c.read(input, bytes, BigInt(bytes.length)));
        if (count !== null) return count === 0 ? null : count;
        await readWatch.readable();
      }
    },
    async write(bytes) {
      for (let at = 0; at < bytes.length;) {
        const rest = bytes.subarray(at) as Uint8Array<ArrayBuffer>;
        const count = attempt("write", () => c.write(output, rest, BigInt(rest.length)));
        if (count === null) await writeWatch.writable();
        else at += count;
      }
    },
    close() {
      if (!open) return;
      open = false;
      readWatch.close();
      writeWatch.close();
    },
  };
}
