// Deno's own sockets where the session needs them: layers connect to one. Called by session.ts.

/** Closes a socket that may be closed already. */
export function closeQuietly(conn: { close(): void }): void {
  try {
    conn.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
