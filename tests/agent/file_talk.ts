// A client's requests on files, as the tests of this folder make them: text in and out, an errno's name for a
// failure.

import {
  agentMessages,
  type Body,
  decode,
  type fileChanges,
  type Link,
  RemoteError,
} from "../../protocol-wasm/mod.ts";
import { errnoName } from "../../agent/sys/libc.ts";
import { deadline } from "../support/deadline.ts";

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
export const atPosition = (1n << 64n) - 1n;
/** x86_64's flags of open(2), as the wire has them. */
export const O = {
  WRONLY: 1,
  RDWR: 2,
  CREAT: 0o100,
  EXCL: 0o200,
  TRUNC: 0o1000,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  DIRECTORY: 0o200000,
  NOFOLLOW: 0o400000,
};

type Messages = typeof agentMessages;
type Kind = keyof Messages & string;

export interface OpenOptions {
  flags?: number;
  mode?: number;
  dir?: number;
  whole?: number;
  ahead?: number;
}

export class FileTalk {
  readonly link: Link<Messages>;

  constructor(link: Link<Messages>) {
    this.link = link;
  }

  async ask<K extends Kind, R extends Kind>(
    kind: K,
    body: Body<Messages[K]>,
    reply: R,
  ): Promise<Body<Messages[R]>> {
    const [frame] = await deadline(this.link.request(kind, body), `${kind} is answered`);
    return decode(agentMessages[reply], frame?.body ?? new Uint8Array()) as Body<Messages[R]>;
  }

  open(path: string, options: OpenOptions = {}): Promise<Body<Messages["openReply"]>> {
    const { flags = 0, mode = 0o644, dir = 0, whole = 1 << 18, ahead = 0 } = options;
    return this.ask("open", { dir, flags, mode, whole, ahead, path: bytes(path) }, "openReply");
  }

  /** The content of a small file. */
  async content(path: string): Promise<string> {
    const { file, content } = await this.open(path);
    return file === 0 ? text(content) : `file ${file}`;
  }

  async stat(path: string, flags = 0, dir = 0): Promise<Status> {
    const { status } = await this.ask("stat", { dir, flags, path: bytes(path) }, "statReply");
    return statusOf(status);
  }

  async read(file: number, count: number, offset = atPosition): Promise<Uint8Array> {
    return (await this.ask("read", { file, offset, count }, "readReply")).content;
  }

  write(file: number, content: string, offset = atPosition): Promise<Body<Messages["writeReply"]>> {
    return this.ask("write", { file, offset, content: bytes(content) }, "writeReply");
  }

  async change(
    what: typeof fileChanges[keyof typeof fileChanges],
    path: string,
    numbers: number[] = [],
    options: { flags?: number; dir?: number } = {},
  ): Promise<void> {
    const [first = 0n, second = 0n, third = 0n, fourth = 0n] = numbers.map(BigInt);
    const { flags = 0, dir = 0 } = options;
    await this.ask(
      "change",
      { what, dir, flags, first, second, third, fourth, path: bytes(path) },
      "changeReply",
    );
  }

  async move(what: number, from: string, to: string, flags = 0): Promise<void> {
    await this.ask(
      "move",
      { what, fromDir: 0, toDir: 0, flags, from: bytes(from), to: bytes(to) },
      "moveReply",
    );
  }

  async enter(path: string, dir = 0): Promise<string> {
    return text((await this.ask("enter", { dir, path: bytes(path) }, "enterReply")).physical);
  }

  async close(file: number): Promise<void> {
    await this.ask("close", { file }, "closeReply");
  }

  /** All names of a directory, "." and ".." too, and how many pages it took. */
  async names(path: string): Promise<{ names: string[]; pages: number }> {
    const { file, content, end } = await this.open(path, { flags: O.DIRECTORY });
    const names: string[] = [];
    let page = { entries: content, end };
    let pages = 1;
    for (;; pages++) {
      const found = entriesOf(page.entries);
      names.push(...found.map(({ name }) => name));
      if (page.end) break;
      const cursor = found.at(-1)?.next ?? 0n;
      page = await this.ask("list", { file, cursor }, "listReply");
    }
    await this.close(file);
    return { names, pages };
  }
}

/** The errno's name with which `work` is refused, or "no error". */
export async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "no error";
  } catch (error) {
    if (error instanceof RemoteError) return errnoName(error.errno);
    throw error;
  }
}

export interface Status {
  mode: number;
  uid: number;
  gid: number;
  size: number;
  inode: bigint;
  modified: number;
}

/** Of a struct statx (statx(2)). */
export function statusOf(status: Uint8Array): Status {
  const view = new DataView(status.buffer, status.byteOffset, status.byteLength);
  return {
    uid: view.getUint32(20, true),
    gid: view.getUint32(24, true),
    mode: view.getUint16(28, true),
    inode: view.getBigUint64(32, true),
    size: Number(view.getBigUint64(40, true)),
    modified: Number(view.getBigInt64(112, true)),
  };
}

/** Of struct linux_dirent64 (getdents(2)) one after another. */
export function entriesOf(entries: Uint8Array): { name: string; next: bigint; type: number }[] {
  const view = new DataView(entries.buffer, entries.byteOffset, entries.byteLength);
  const found = [];
  for (let at = 0; at < entries.length;) {
    const length = view.getUint16(at + 16, true);
    const name = entries.subarray(at + 19, at + length);
    const zero = name.indexOf(0);
    found.push({
      name: text(name.subarray(0, zero)),
      next: view.getBigUint64(at + 8, true),
      type: view.getUint8(at + 18),
    });
    at += length;
  }
  return found;
}
