// The byte stream under a link, and a socket as one. deploy, session and agent give link.ts such a stream.

/** The stream that carries a link. One read and one write at a time; both may be pending together. */
export interface LinkStream {
  /** Reads at least one byte into `into` and answers how many; null at the stream's end. */
  read(into: Uint8Array): Promise<number | null>;
  /** Resolves when all of `bytes` were handed on; they are the link's own memory and change after that. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends both ways; a pending read or write ends. Does nothing the second time. */
  close(): void;
}

/** `conn` as a link's stream; a TCP one no longer waits to fill segments (TCP_NODELAY, tcp(7)). */
export function connStream(conn: Deno.Conn): LinkStream {
  if ("setNoDelay" in conn) (conn as Deno.TcpConn).setNoDelay(true);
  let open = true;
  return {
    read: (into) => conn.read(into),
    async write(bytes) {
      for (let at = 0; at < bytes.length;) at += await conn.write(at === 0 ? bytes : bytes.subarray(at));
    },
    close() {
      if (!open) return;
      open = false;
      conn.close();
    },
  };
}
