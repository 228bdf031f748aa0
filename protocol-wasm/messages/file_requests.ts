// Requests on the target's files, one table for both links: each kind with the fields of its question and of
// its answer. The tables of both links are made with it, and session and agent pass a question through by it
// where they have nothing to decide. Invariant: a field's name means the same on every floor: `dir`,
// `fromDir` and `toDir` are open directories (0 = none) and `file` an open file, each by the number that the
// answering side gave it; `path`, `from` and `to` are paths beside them.

import type { FieldType } from "./codec.ts";

interface FileRequest {
  readonly kind: number;
  readonly asked: Readonly<Record<string, FieldType>>;
  readonly told: Readonly<Record<string, FieldType>>;
}

/** Only `open` is not among them: what is asked of the agent is more than what the layer asks. */
export const fileRequests = {
  /** statx(2) and family; flags AT_SYMLINK_NOFOLLOW. status: struct statx, 256 bytes. */
  stat: { kind: 129, asked: { dir: "u32", flags: "u32", path: "bytes" }, told: { status: "bytes" } },
  /** faccessat(2): mode R_OK…; flags AT_EACCESS, AT_SYMLINK_NOFOLLOW. */
  access: { kind: 130, asked: { dir: "u32", mode: "u32", flags: "u32", path: "bytes" }, told: {} },
  /** readlinkat(2). */
  readLink: { kind: 131, asked: { dir: "u32", path: "bytes" }, told: { target: "bytes" } },
  /**
   * statfs(2), or fstatfs(2) of `dir` when path is empty. status: struct statfs of 64-bit Linux, 120 bytes.
   */
  statfs: { kind: 132, asked: { dir: "u32", path: "bytes" }, told: { status: "bytes" } },
  /**
   * getdents64(2) from `cursor` (0, or the d_off of an entry seen before). entries: struct linux_dirent64
   * after another.
   */
  list: { kind: 133, asked: { file: "u32", cursor: "u64" }, told: { end: "bool", entries: "bytes" } },
  /** pread(2), or read(2) when offset is 2^64-1. */
  read: { kind: 134, asked: { file: "u32", offset: "u64", count: "u32" }, told: { content: "bytes" } },
  /** pwrite(2), or write(2) when offset is 2^64-1. */
  write: { kind: 135, asked: { file: "u32", offset: "u64", content: "bytes" }, told: { count: "u32" } },
  /** lseek(2): whence SEEK_SET 0, CUR 1, END 2, DATA 3, HOLE 4; the new position. */
  seek: { kind: 136, asked: { file: "u32", offset: "u64", whence: "u32" }, told: { offset: "u64" } },
  /**
   * What changes one file, by path or (empty path) by the open file `dir`; what: `fileChanges`, its arguments
   * in order.
   */
  change: {
    kind: 137,
    asked: {
      what: "u8",
      dir: "u32",
      flags: "u32",
      first: "u64",
      second: "u64",
      third: "u64",
      fourth: "u64",
      path: "bytes",
    },
    told: {},
  },
  /** What takes two paths; what: `fileMoves`. */
  move: {
    kind: 138,
    asked: { what: "u8", fromDir: "u32", toDir: "u32", flags: "u32", from: "bytes", to: "bytes" },
    told: {},
  },
  /**
   * chdir(2), or fchdir(2) of `dir` when path is empty, and getcwd(2) as one: physical: the directory without
   * links.
   */
  enter: { kind: 141, asked: { dir: "u32", path: "bytes" }, told: { physical: "bytes" } },
} as const satisfies Record<string, FileRequest>;

type FileRequests = typeof fileRequests;
export type FileKind = keyof FileRequests;

/** All of them, by name. */
export const fileKinds = Object.keys(fileRequests) as FileKind[];

/** The message that asks for `name`. */
export function asks<K extends FileKind>(
  name: K,
): { kind: FileRequests[K]["kind"]; since: 1; fields: FileRequests[K]["asked"] } {
  const { kind, asked } = fileRequests[name];
  return { kind, since: 1, fields: asked };
}

/** The message that answers it; `first` and `last`: fields around those that the answer has on both links. */
export function tells<K extends FileKind, First extends Fields = None, Last extends Fields = None>(
  name: K,
  first = {} as First,
  last = {} as Last,
): { kind: FileRequests[K]["kind"]; since: 1; fields: First & FileRequests[K]["told"] & Last } {
  const { kind, told } = fileRequests[name];
  return { kind, since: 1, fields: { ...first, ...told, ...last } };
}

type Fields = Readonly<Record<string, FieldType>>;
type None = Record<never, never>;
