// DNS messages: a query to bytes, a reply's bytes to records (RFC 1035, 4). Used by agent/dns/ and
// core/session/dns.ts. Invariant: whatever arrives is read within its bounds, in time linear in its length;
// what cannot be read is null. A name is text with one character for each byte, labels joined by dots,
// without the last dot; a dot or backslash inside a label has a backslash before it (RFC 1035, 5.1).

/** Types of records that are read (RFC 1035, 3.2.2; RFC 3596, 2.1). */
export const recordType = { a: 1, cname: 5, ptr: 12, aaaa: 28 } as const;
/** Response codes that decide something (RFC 1035, 4.1.1). */
export const responseCode = {
  none: 0,
  format: 1,
  server: 2,
  name: 3,
  notImplemented: 4,
  refused: 5,
} as const;

/** What is asked. */
export interface DnsQuestion {
  name: string;
  type: number;
  /** The Internet's unless given. */
  class?: number;
}

/** What a query contains beside its question. */
export interface QueryOptions {
  /** The largest reply by UDP, announced by EDNS (RFC 6891, 6.2.3). */
  payload?: number;
  /** Signatures are wanted (RFC 3225, 3); only with `payload`. */
  dnssec?: boolean;
  /** Whether the reply is authentic is wanted (RFC 6840, 5.7). */
  authentic?: boolean;
  /** The server is to ask no other. */
  noRecursion?: boolean;
}

/** One record of an answer section. */
export interface DnsRecord {
  name: string;
  type: number;
  /** The address of an A or AAAA record: 4 or 16 bytes. */
  address?: Uint8Array;
  /** The name that a CNAME or PTR record points to. */
  target?: string;
}

/** A reply. */
export interface Reply {
  id: number;
  code: number;
  truncated: boolean;
  authoritative: boolean;
  recursive: boolean;
  question: DnsQuestion | null;
  answers: DnsRecord[];
  /** How many records the answer section has, read or not. */
  count: number;
  /** How many records the additional section has. */
  additional: number;
  bytes: Uint8Array;
}

const internetClass = 1;
const headerLength = 12;
const maxName = 255;
const maxLabel = 63;
const ednsType = 41;
const flag = {
  reply: 0x8000,
  truncated: 0x0200,
  authoritative: 0x0400,
  recursion: 0x0100,
  recursive: 0x0080,
  authentic: 0x20,
};

/** The bytes of a query, or null for a name that no query can carry. */
export function encodeQuery(
  id: number,
  { name, type, class: asked = internetClass }: DnsQuestion,
  options: QueryOptions = {},
): Uint8Array<ArrayBuffer> | null {
  const { payload, dnssec = false, authentic = false, noRecursion = false } = options;
  const labels = encodeName(name);
  if (labels === null) return null;
  const bytes = new Uint8Array(headerLength + labels.length + 4 + (payload === undefined ? 0 : 11));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, id);
  view.setUint16(2, (noRecursion ? 0 : flag.recursion) | (authentic ? flag.authentic : 0));
  view.setUint16(4, 1);
  view.setUint16(10, payload === undefined ? 0 : 1);
  bytes.set(labels, headerLength);
  const at = headerLength + labels.length;
  view.setUint16(at, type);
  view.setUint16(at + 2, asked);
  if (payload !== undefined) { // the root's name, then type, payload size, flags (RFC 6891, 6.1.2)
    view.setUint16(at + 5, ednsType);
    view.setUint16(at + 7, payload);
    view.setUint16(at + 11, dnssec ? 0x8000 : 0);
  }
  return bytes;
}

/** Labels and the root's; null when a label is empty or too long, or the whole is. */
function encodeName(name: string): Uint8Array | null {
  if (name === "" || name === ".") return Uint8Array.of(0);
  const bytes: number[] = [];
  for (const label of labelsOf(name)) {
    if (label === null || label.length === 0 || label.length > maxLabel) return null;
    bytes.push(label.length, ...label);
  }
  return bytes.length + 1 > maxName ? null : Uint8Array.from([...bytes, 0]);
}

/** The bytes of each label of a written name; null for one that cannot be. */
function* labelsOf(name: string): Generator<number[] | null> {
  let label: number[] = [];
  for (let at = 0; at < name.length; at++) {
    let code = name.charCodeAt(at);
    if (name[at] === ".") {
      yield label;
      label = [];
      if (at === name.length - 1) return;
      continue;
    }
    if (name[at] === "\\") { // a number of three digits, or what follows as it is (RFC 1035, 5.1)
      const [digits] = /^\d{3}/.exec(name.slice(at + 1)) ?? [];
      code = digits === undefined ? name.charCodeAt(at + 1) : Number(digits);
      at += digits === undefined ? 1 : 3;
    }
    if (!(code <= 255)) return yield null;
    label.push(code);
  }
  yield label;
}

/** What a query asks; null when it cannot be read, or asks not one question. */
export function questionOf(query: Uint8Array): DnsQuestion | null {
  if (query.length < headerLength) return null;
  const view = new DataView(query.buffer, query.byteOffset, query.byteLength);
  return view.getUint16(4) === 1 ? new Reader(query, view).question() : null;
}

/**
 * The addresses in a reply, in whichever section, each with its name; an answer's has the name asked for too.
 */
export function addressesIn(reply: Uint8Array): { name: string; address: Uint8Array }[] {
  const question = questionOf(reply);
  if (question === null) return [];
  const view = new DataView(reply.buffer, reply.byteOffset, reply.byteLength);
  const reader = new Reader(reply, view);
  reader.question();
  const answers = view.getUint16(6);
  const count = answers + view.getUint16(8) + view.getUint16(10);
  const found: { name: string; address: Uint8Array }[] = [];
  for (let index = 0; index < count; index++) {
    const record = reader.record();
    if (record === null) break;
    if (record === "passed" || record.address === undefined) continue;
    const { name, address } = record;
    found.push({ name, address });
    if (index < answers && !sameName(name, question.name)) found.push({ name: question.name, address });
  }
  return found;
}

/** A reply without the flag that marks it as authentic. */
export function notAuthentic(reply: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(reply);
  bytes[3] = (bytes[3] ?? 0) & ~flag.authentic;
  return bytes;
}

/**
 * A reply's header and answers; null when it is no reply, or is cut or wrong anywhere in them. `headOnly`:
 * its records are not looked at.
 */
export function decodeReply(bytes: Uint8Array, headOnly = false): Reply | null {
  if (bytes.length < headerLength) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint16(2);
  if ((flags & flag.reply) === 0) return null;
  const reader = new Reader(bytes, view);
  const reply: Reply = {
    id: view.getUint16(0),
    code: flags & 15,
    truncated: (flags & flag.truncated) !== 0,
    authoritative: (flags & flag.authoritative) !== 0,
    recursive: (flags & flag.recursive) !== 0,
    question: null,
    answers: [],
    count: view.getUint16(6),
    additional: view.getUint16(10),
    bytes,
  };
  const questions = view.getUint16(4);
  if (questions > 1) return null;
  if (questions === 1) {
    const question = reader.question();
    if (question === null) return null;
    reply.question = question;
  }
  for (let left = headOnly ? 0 : reply.count; left > 0; left--) {
    const record = reader.record();
    // A truncated reply ends where it was cut; it is asked for again.
    if (record === null) return reply.truncated ? reply : null;
    if (record !== "passed") reply.answers.push(record);
  }
  return reply;
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = headerLength;
  /**
   * Bytes of names that were read through pointers: a reply of pointers only must not cost more than it is
   * long.
   */
  #budget: number;

  constructor(bytes: Uint8Array, view: DataView) {
    this.#bytes = bytes;
    this.#view = view;
    this.#budget = 16 * bytes.length + 1024;
  }

  question(): DnsQuestion | null {
    const name = this.#name();
    if (name === null || this.#at + 4 > this.#bytes.length) return null;
    const type = this.#view.getUint16(this.#at);
    const asked = this.#view.getUint16(this.#at + 2);
    this.#at += 4;
    return asked === internetClass ? { name, type } : { name, type, class: asked };
  }

  /** The next record; "passed" for one of another class or type. */
  record(): DnsRecord | "passed" | null {
    const name = this.#name();
    if (name === null || this.#at + 10 > this.#bytes.length) return null;
    const type = this.#view.getUint16(this.#at);
    const isInternet = this.#view.getUint16(this.#at + 2) === internetClass;
    const length = this.#view.getUint16(this.#at + 8);
    const start = this.#at + 10;
    const end = start + length;
    if (end > this.#bytes.length) return null;
    this.#at = end;
    if (!isInternet) return "passed";
    const size = type === recordType.a ? 4 : type === recordType.aaaa ? 16 : 0;
    if (size !== 0) {
      return length === size ? { name, type, address: this.#bytes.slice(start, end) } : "passed";
    }
    if (type !== recordType.cname && type !== recordType.ptr) return "passed";
    this.#at = start;
    const target = this.#name();
    if (target === null || this.#at !== end) return null;
    return { name, type, target };
  }

  /** A name from here on; a pointer may only point back (RFC 1035, 4.1.4), so no name is without end. */
  #name(): string | null {
    let text = "";
    let size = 0;
    let at = this.#at;
    let lowest = at;
    let jumped = false;
    for (;;) {
      const length = this.#bytes[at];
      if (length === undefined || --this.#budget < 0) return null;
      if (length >= 0xc0) {
        const to = (length & 0x3f) << 8 | (this.#bytes[at + 1] ?? 0);
        if (at + 1 >= this.#bytes.length || to >= lowest) return null;
        if (!jumped) this.#at = at + 2;
        jumped = true;
        at = lowest = to;
        continue;
      }
      if (length > maxLabel || at + 1 + length > this.#bytes.length) return null;
      if (length === 0) break;
      size += length + 1;
      if (size >= maxName) return null;
      if (text !== "") text += ".";
      text += String.fromCharCode(...this.#bytes.subarray(at + 1, at + 1 + length)).replace(/[.\\]/g, "\\$&");
      this.#budget -= length;
      at += 1 + length;
    }
    if (!jumped) this.#at = at + 1;
    return text;
  }
}

/** Whether two names are the same (RFC 4343: ASCII letters count as equal in either case). */
export function sameName(one: string, other: string): boolean {
  return one.length === other.length && lower(one) === lower(other);
}

function lower(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase()).replace(/\.$/, "");
}

/**
 * What may stand as a host's name in an answer: letters, digits, "-", "_" and dots, no "-" in front, as glibc
 * sees it.
 */
export function isHostName(name: string): boolean {
  return /^[A-Za-z0-9_.][A-Za-z0-9_.-]*$/.test(name);
}
