// What the agent tells its client when it cannot do what was asked: an errno and one sentence. Thrown by
// env.ts and incoming/, turned into an ERROR frame by client.ts. Anything else thrown there is a bug.

/** An expected failure; `errno` is Linux's (errno(3)). */
export class Failure extends Error {
  readonly errno: number;

  constructor(errno: number, sentence: string, options: ErrorOptions = {}) {
    super(sentence, options);
    this.name = "Failure";
    this.errno = errno;
  }
}
