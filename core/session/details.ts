// What happens in a session in detail: paths, names and connections with the rule that decided, and HTTP/1
// requests with their heads and the beginnings of their bodies. Only those who watch get it
// (core/control): nothing is made of it where nobody does. docs/sessions.md lists it. Invariant: header
// values that are secrets by their name are left out (preview.ts).

/** To whom something of the app's was given. */
export type Whose = "target" | "machine" | "nobody";

/** One message, as far as it is shown. */
export interface Preview {
  /** Request line or status line, and the fields; "" as long as there is none. */
  head: string;
  /** The beginning of the body: text, or null where it is none. */
  body: string | null;
  /** Of the whole body, in its transfer coding. */
  bytes: number;
}

/** One thing that happened. */
export type SessionDetail =
  /** A process of the app asked about a path. */
  | {
    type: "file";
    path: string;
    writes: boolean;
    whose: Whose;
    why: string;
    pid: number;
    executable: string;
  }
  /** A name was looked up. */
  | { type: "name"; name: string; whose: Whose; why: string; pid: number }
  /** A socket of the app's was connected; names: by which the address was found. */
  | {
    type: "connection";
    protocol: "tcp" | "udp";
    peer: string;
    names: string[];
    whose: Whose;
    why: string;
    pid: number;
  }
  /**
   * An HTTP/1 request reached the app; once more, with the same number, when its answer has ended. answer:
   * null for a mirrored request, whose client gets the target's.
   */
  | {
    type: "exchange";
    number: number;
    isOver: boolean;
    mode: "steal" | "mirror";
    port: number;
    peer: string;
    status: number | null;
    milliseconds: number;
    request: Preview;
    answer: Preview | null;
  };

export class Details {
  readonly #listening = new Set<(detail: SessionDetail) => void>();
  #lastNumber = 0;

  /** Does somebody want them? */
  get isWatched(): boolean {
    return this.#listening.size > 0;
  }

  /** For the next exchange. */
  nextNumber(): number {
    return ++this.#lastNumber;
  }

  /** To be called where `isWatched` alone. */
  tell(detail: SessionDetail): void {
    for (const listen of this.#listening) listen(detail);
  }

  /** Tells `listen` all of it until the result is disposed. */
  watch(listen: (detail: SessionDetail) => void): Disposable {
    this.#listening.add(listen);
    return { [Symbol.dispose]: () => void this.#listening.delete(listen) };
  }
}
