// Deno's sockets as the session needs them: a ByteChannel towards the app, which buffers no more than one read.
// Called by incoming.ts; session.ts closes its listener by it.

import type { ByteChannel } from "../base/relay.ts";

/** A connection reads little at a time until it has shown that there is more: thousands of idle ones cost little. */
const firstRead = 4096;
const readSize = 65536;

/** Writes all of `bytes`. */
export async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) written += await conn.write(bytes.subarray(written));
}

/**
 * A connected socket as one end of a relay. Deno has no way to send a reset: `reset` closes, which the
 * kernel turns into a reset only when unread bytes are left (tcp(7)).
 */
export function connChannel(conn: Deno.Conn): ByteChannel {
  let buffer = new Uint8Array(firstRead);
  return {
    async read() {
      const count = await conn.read(buffer);
      const bytes = count === null ? null : buffer.subarray(0, count);
      if (count === firstRead) buffer = new Uint8Array(readSize);
      return bytes;
    },
    write: (bytes) => writeAll(conn, bytes),
    async closeWrite() {
      try {
        await conn.closeWrite();
      } catch (error) {
        // The other side may have gone between our last write and now; the read half tells how.
        if (!(error instanceof Deno.errors.NotConnected)) throw error;
      }
    },
    reset: () => closeQuietly(conn),
  };
}

/** Closes a socket that may be closed already. */
export function closeQuietly(conn: { close(): void }): void {
  try {
    conn.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
