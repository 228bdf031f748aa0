// The errors of a link, of a request on it and of a filter's text. Every folder of this room may throw them;
// session and agent distinguish them.
// All are plain errors: this room imports nothing of core.

/** The link is over, or what came over it is malformed: nothing more can be sent to the peer. */
export class LinkError extends Error {
  override readonly name = "LinkError";
}

/** The peer sent a message that makes no sense: the link ends, and its owner reports why. */
export class NonsenseError extends LinkError {}

/** The peer answered a request with ERROR: a Linux errno (errno(3)) and one sentence. The link goes on. */
export class RemoteError extends Error {
  override readonly name = "RemoteError";
  readonly errno: number;

  constructor(errno: number, text: string) {
    super(text);
    this.errno = errno;
  }
}

/** The source text of a filter or a rule cannot be used; the message names the place and the reason. */
export class FilterError extends Error {
  override readonly name = "FilterError";
}

/** The message of `cause`, whatever was thrown. */
export function causeText(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
