// What a link accepts: every frame of the peer other than bytes, credit and ping is checked here before any
// other code sees it, against the rule of its kind. link.ts calls a door for each frame; agent_limits.ts and
// layer_limits.ts hold the rules. Invariant: the reader of a frame that passed need not check it again; one
// that does not pass ends the link (NonsenseError).

import { type Body, type Message, type MessageTable, view } from "./codec.ts";
import { NonsenseError } from "../errors.ts";

/** Why a body makes no sense; null: it does. */
export type Complaint = string | null;

/** What a frame is, beside its body. */
interface Head {
  readonly flags: number;
  readonly body: Uint8Array;
}

/** The request that a frame answers. */
interface Asked {
  readonly kind: string;
  /** As it was sent. */
  readonly body: unknown;
  /** Frames of the answer that came before this one. */
  readonly before: number;
}

/** The door of one end of a link. Both throw NonsenseError. */
export interface Door {
  /** A frame that answers `asked`. */
  answered(asked: Asked, frame: Head): void;
  /** A frame that answers nothing. `isOurs`: its id is one that this end counts up. */
  said(kind: string, frame: Head & { isOurs: boolean }): void;
}

/** The request that entry `K` answers: `readReply` answers `read`, `subscribe` itself. */
type AskedOf<T extends MessageTable, K> = K extends `${infer Q}Reply` ? Q extends keyof T ? Q : never
  : K extends keyof T ? K
  : never;

/** The rule for one kind of message. Each has a check, also where there is nothing to check. */
export interface Rule<T extends MessageTable, K extends keyof T> {
  /**
   * The sender: one side, or both. `answer`: only in answer to a request. `link`: link.ts and its core check
   * it.
   */
  by: "client" | "agent" | "either" | "answer" | "link";
  /** As a message that answers no request. */
  check: (body: Body<T[K]>) => Complaint;
  /** As an answer. */
  answer?: (body: Body<T[K]>, asked: Body<T[AskedOf<T, K>]>) => Complaint;
  /** Most frames of an answer, if it may have more than one. */
  frames?: number;
  /** The body is bytes past the codec. */
  raw?: (bytes: Uint8Array) => Complaint;
  /** It comes with an id of the other end's, or flags, though it answers no request: the handshake. */
  late?: true;
}

/** A rule for every entry of the table: the compiler demands each. */
export type Rules<T extends MessageTable> = { readonly [K in keyof T]: Rule<T, K> };

/** What `makeDoor` reads of a rule, whatever its message. */
interface AnyRule {
  by: string;
  check: (body: never) => Complaint;
  answer?: (body: never, asked: never) => Complaint;
  frames?: number;
  raw?: (bytes: Uint8Array) => Complaint;
  late?: true;
}

const endFlag = 1;
const errorFlag = 2;
/**
 * The largest number that a system call fails with on Linux, and one of the kernel's own that some leak
 * (errno(3)).
 */
const lastErrno = 133;
const leakedErrno = 524;
/** Sentences are for people. */
export const mostText = 4096;

/** Whether Linux has such an errno. */
export function isErrno(errno: number): boolean {
  return (errno >= 1 && errno <= lastErrno) || errno === leakedErrno;
}

/** The rule of a failed answer's body. */
export function failureComplaint({ errno, text }: { errno: number; text: string }): Complaint {
  if (!isErrno(errno)) return `its errno is ${errno}`;
  return text.length > mostText ? `its sentence has ${text.length} characters` : null;
}

/**
 * The door of the end that receives the messages of `peer`. anyId: the peer numbers its requests as it likes.
 */
export function makeDoor<T extends MessageTable>(
  table: T,
  rules: Rules<T>,
  { peer, anyId = false }: { peer: "client" | "agent"; anyId?: boolean },
): Door {
  const ruleOf = (name: string) => rules[name] as AnyRule | undefined;
  const judge = (name: string, verdict: Complaint, what: string): void => {
    if (verdict !== null) throw new NonsenseError(`Cannot accept ${what} "${name}": ${verdict}`);
  };
  const failed = (name: string, { body }: Head, what: string): void => {
    const failure = table["failure"];
    if (failure === undefined) return judge(name, "this link has no failures", what);
    judge(name, failureComplaint(read(failure, body) as { errno: number; text: string }), what);
  };
  return {
    answered({ kind, body, before }, frame) {
      const what = "the answer to";
      if ((frame.flags & errorFlag) !== 0) return failed(kind, frame, what);
      const name = table[`${kind}Reply`] === undefined ? kind : `${kind}Reply`;
      const rule = ruleOf(name);
      const message = table[name];
      if (rule === undefined || message === undefined) return judge(kind, "nothing answers it", what);
      if (before >= (rule.frames ?? 1)) return judge(kind, `it has more than ${before} parts`, what);
      if (rule.frames === undefined && (frame.flags & endFlag) === 0) {
        return judge(kind, "it goes on where it has one part only", what);
      }
      if (rule.raw !== undefined) return judge(kind, rule.raw(frame.body), what);
      if (rule.answer === undefined) return judge(kind, "nothing answers it", what);
      judge(kind, rule.answer(read(message, frame.body) as never, body as never), what);
    },
    said(name, frame) {
      const what = "a message";
      const rule = ruleOf(name);
      const message = table[name];
      if (rule === undefined || message === undefined) return judge(name, "it has no rule", what);
      if (rule.by !== peer && rule.by !== "either") return judge(name, "nobody asked for it", what);
      if (rule.late === true && (frame.flags & errorFlag) !== 0) return failed(name, frame, what);
      if (rule.late !== true && frame.isOurs && !anyId) {
        return judge(name, "it answers a request that nobody made", what);
      }
      if (rule.late !== true && frame.flags !== 0) {
        return judge(name, `it has the flags ${frame.flags}`, what);
      }
      judge(name, rule.check(read(message, frame.body) as never), what);
    },
  };
}

/** The body, in place. */
function read(message: Message, bytes: Uint8Array): unknown {
  return view(message, bytes);
}
