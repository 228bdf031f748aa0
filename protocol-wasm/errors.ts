// How a link and a request on it fail. link.ts, codec.ts and wasm.ts throw them; session and agent tell them apart.
// Both are plain errors: this room imports nothing of core.

/** The link is over, or what came over it is malformed: nothing more can be said to the peer. */
export class LinkError extends Error {
  override readonly name = "LinkError";
}

/** The peer answered a request with ERROR: a Linux errno (errno(3)) and one sentence. The link goes on. */
export class RemoteError extends Error {
  override readonly name = "RemoteError";
  readonly errno: number;

  constructor(errno: number, text: string) {
    super(text);
    this.errno = errno;
  }
}
