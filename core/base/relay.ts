// The byte pump between two duplex streams, with half-close and reset carried over.
// Called by the session (link ↔ app) and the agent (socket ↔ original). It buffers nothing of its own: the
// next read starts when the last write was taken.

/** A duplex byte stream. `Link.channel` and the agent's sockets have this shape. */
export interface ByteChannel {
  /** The next bytes, or null after the peer's half-close; rejects once the stream is reset. */
  read(): Promise<Uint8Array | null>;
  /** Resolves when the bytes are taken: that is the back-pressure. Rejects once the stream is reset. */
  write(bytes: Uint8Array): Promise<void>;
  /** Half-close: this side sends no more. */
  closeWrite(): Promise<void>;
  /** Ends both ways at once; the peer sees a reset. Does nothing on a stream that ended. */
  reset(): void;
}

/** How a relay ended: both sides half-closed, or one of them was reset (and so was the other). */
export type RelayEnd = "closed" | "reset";

/** Pumps both ways until both are half-closed or one is reset; then the other is reset too. */
export async function relay(a: ByteChannel, b: ByteChannel): Promise<RelayEnd> {
  try {
    await Promise.all([pump(a, b), pump(b, a)]);
    return "closed";
  } catch {
    a.reset();
    b.reset();
    return "reset";
  }
}

async function pump(from: ByteChannel, to: ByteChannel): Promise<void> {
  for (;;) {
    const bytes = await from.read();
    if (bytes === null) return await to.closeWrite();
    await to.write(bytes);
  }
}
