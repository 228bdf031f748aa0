// The layer link's messages: the layer inside one process of the app ↔ the session, over a Unix socket.
// Both sides come from the same release, so there are no versions: `hello` compares the tables' hash.
// `scripts/wire.ts` writes `layer/wire.h` from this table.

import type { MessageTable } from "./codec.ts";

/**
 * The layer asks, the session answers with the same kind and id; fields of the answer are the table
 * entry `<kind>Reply`, which shares the kind's number. ERROR answers carry `failure` (errno, text).
 */
export const layerMessages = {
  /** First frame of every link. tables = hash of this table; process = the same for all links of one process, and its own. */
  hello: {
    kind: 1,
    since: 1,
    fields: { tables: "u32", process: "u64", pid: "u32", parent: "u32", executable: "str" },
  },
  /**
   * Which floors are to be caught at all. paths: the table of prefixes for files, in the form `layer/ops/paths.c` reads;
   * "" = ask about every path.
   */
  helloReply: {
    kind: 1,
    since: 1,
    fields: { incoming: "bool", outgoing: "bool", dns: "bool", files: "bool", paths: "str" },
  },
  /** One way: the app starts a program that the layer cannot get into; reason = a clause with "it is …". */
  unhooked: { kind: 2, since: 1, fields: { executable: "str", reason: "str" } },
  /** Body of an ERROR answer. */
  failure: { kind: 7, since: 1, fields: { errno: "u32", text: "str" } },

  // -- incoming ------------------------------------------------------------------------------------------
  /** About to bind a TCP socket to `address`: is that port the pod's business? */
  bind: { kind: 32, since: 1, fields: { address: "address" } },
  /** managed: the layer may move it to another local port when the asked one cannot be had. */
  bindReply: { kind: 32, since: 1, fields: { managed: "bool", suggested: "u16" } },
  /** A managed socket listens: asked = what the app bound, actual = where it really is. Error = errno for the app. */
  listen: { kind: 33, since: 1, fields: { asked: "address", actual: "address" } },
  listenReply: { kind: 33, since: 1, fields: {} },
  /** Accepted on the listener at `listener` (actual) a connection from `peer` (real, local). Who is it? */
  accepted: { kind: 34, since: 1, fields: { listener: "address", peer: "address" } },
  /** known = a connection of the pod; its real client and the pod's own address. */
  acceptedReply: { kind: 34, since: 1, fields: { known: "bool", peer: "address", local: "address" } },
  /** An unknown fd (inherited or passed) is bound or listens at `actual`: is it ours, and what did the app ask for? */
  listener: { kind: 35, since: 1, fields: { actual: "address" } },
  listenerReply: { kind: 35, since: 1, fields: { known: "bool", asked: "address" } },
  /** This process closed its last descriptor of the listener at `actual`; answered, for it must not be overtaken by `listen`. */
  closed: { kind: 36, since: 1, fields: { actual: "address" } },
  closedReply: { kind: 36, since: 1, fields: {} },
  /** A managed socket was bound elsewhere than asked; another process may be handed it before it listens. */
  bound: { kind: 37, since: 1, fields: { asked: "address", actual: "address" } },
  boundReply: { kind: 37, since: 1, fields: {} },
  // -- outgoing (64..) -----------------------------------------------------------------------------------
  /** About to connect a TCP socket to `address`: whose business is that? */
  connect: { kind: 64, since: 1, fields: { address: "address" } },
  /**
   * remote: dial `endpoint` instead, say `dialled`, and the socket becomes connected, or fails, as the target's would.
   * Not remote: connect to `endpoint`, which is the asked address but for a listener of the app that was moved.
   */
  connectReply: { kind: 64, since: 1, fields: { remote: "bool", connection: "u32", endpoint: "address" } },
  /** One way: the socket of `connection` waits at `local` for its outcome. */
  dialled: { kind: 65, since: 1, fields: { connection: "u32", local: "address" } },
  /** The socket is not waiting any more: why? errno 0 = connected; local and peer are the target's. */
  outcome: { kind: 66, since: 1, fields: { connection: "u32" } },
  outcomeReply: { kind: 66, since: 1, fields: { errno: "u32", local: "address", peer: "address" } },
  /** A socket that this process did not connect, between the real addresses `local` and `peer`: is it ours? */
  connection: { kind: 67, since: 1, fields: { local: "address", peer: "address" } },
  connectionReply: {
    kind: 67,
    since: 1,
    fields: { known: "bool", connection: "u32", local: "address", peer: "address" },
  },
  /** One way: this process closed its last descriptor of `connection`, which was not connected yet or is UDP. */
  abandoned: { kind: 68, since: 1, fields: { connection: "u32" } },
  /** About to send from the UDP socket bound to `local` to `address`; the answer is as for `connect`, nothing is dialled. */
  associate: { kind: 69, since: 1, fields: { address: "address", local: "address" } },
  associateReply: { kind: 69, since: 1, fields: { remote: "bool", connection: "u32", endpoint: "address" } },
  /** A datagram came from `endpoint`: who sent it? */
  sender: { kind: 70, since: 1, fields: { endpoint: "address" } },
  senderReply: { kind: 70, since: 1, fields: { known: "bool", address: "address" } },

  // -- dns (96..) ----------------------------------------------------------------------------------------
  /**
   * The addresses of a host. name: as the app wrote it, any bytes. family: 0 both, 4, 6. flags: bits of `lookupFlags`;
   * without `sorted` as gethostbyname2(3), family 4 or 6. port: the one the app is about to use, 0 when it does not say.
   * again: after a `pending`.
   */
  lookup: {
    kind: 96,
    since: 1,
    fields: { again: "bool", family: "u8", flags: "u16", port: "u16", name: "bytes" },
  },
  /**
   * pending: other questions of the process need the link; ask again soon, the look-up goes on meanwhile.
   * local: libc's own answer counts, and `found` tells it. ending: 0 found, else the value of h_errno (<netdb.h>).
   * aliases: names, each ended by a zero byte. addresses: 17 bytes each, family (4, 6) and 16 bytes, IPv4 in the first 4.
   */
  lookupReply: {
    kind: 96,
    since: 1,
    fields: {
      pending: "bool",
      local: "bool",
      ending: "u8",
      name: "bytes",
      aliases: "bytes",
      addresses: "bytes",
    },
  },
  /** The names of an address. */
  reverse: { kind: 97, since: 1, fields: { again: "bool", address: "address" } },
  reverseReply: {
    kind: 97,
    since: 1,
    fields: { pending: "bool", local: "bool", ending: "u8", name: "bytes", aliases: "bytes" },
  },
  /** The host's own name. */
  hostName: { kind: 98, since: 1, fields: {} },
  hostNameReply: { kind: 98, since: 1, fields: { local: "bool", name: "bytes" } },
  /** What libc answered for a name that is local: rules over names may be about these addresses. */
  found: { kind: 99, since: 1, fields: { name: "bytes", addresses: "bytes" } },
  foundReply: { kind: 99, since: 1, fields: {} },
  /**
   * One question to the name servers, as the agent's `resolve`; the query of res_send(3) is there beside name and type,
   * which are empty then. again: after a `pending`.
   */
  resolve: {
    kind: 100,
    since: 1,
    fields: {
      again: "bool",
      flags: "u16",
      class: "u16",
      type: "u16",
      room: "u16",
      name: "bytes",
      query: "bytes",
    },
  },
  /** pending and local as in `lookupReply`, but that `resolved` tells what libc found; the rest as the agent says it. */
  resolveReply: {
    kind: 100,
    since: 1,
    fields: { pending: "bool", local: "bool", ending: "u8", errno: "u32", stream: "bool", reply: "bytes" },
  },
  /** The reply that libc got for a name that is local; name as the app wrote it, empty when it wrote a query. */
  resolved: { kind: 101, since: 1, fields: { name: "bytes", reply: "bytes" } },
  resolvedReply: { kind: 101, since: 1, fields: {} },

  // -- files (128..) -------------------------------------------------------------------------------------
  // Paths are absolute, without ".", ".." and "//" (one slash at the end stays), or relative to the open remote directory
  // `dir`; dir 0 = none. Flags of open(2) are x86_64's numbers, whatever the machine; those of the *at calls are the same
  // everywhere. `where` of an answer: 0 local (call libc, with the answer's path unless that is empty), 1 whole, 2 remote.
  // Modes of new files are already reduced by the app's umask. Numbers that libc has as signed are two's complement.
  /** open(2). */
  open: { kind: 128, since: 1, fields: { dir: "u32", flags: "u32", mode: "u32", path: "bytes" } },
  /**
   * 1 whole: `content` is the regular file, no more is asked about it. 2 remote: an open file `file`, kept open by the hold
   * (layer/ops/files.h); of a directory `content` is the first page of its list, the last one if `end`.
   * status, with 1 and 2: struct statx, 256 bytes (statx(2)).
   */
  openReply: {
    kind: 128,
    since: 1,
    fields: { where: "u8", file: "u32", end: "bool", status: "bytes", path: "bytes", content: "bytes" },
  },
  /** statx(2) and family; flags AT_SYMLINK_NOFOLLOW. An empty path: `dir` itself, any open remote file. */
  stat: { kind: 129, since: 1, fields: { dir: "u32", flags: "u32", path: "bytes" } },
  statReply: { kind: 129, since: 1, fields: { where: "u8", path: "bytes", status: "bytes" } },
  /** faccessat(2): mode R_OK…; flags AT_EACCESS, AT_SYMLINK_NOFOLLOW. */
  access: { kind: 130, since: 1, fields: { dir: "u32", mode: "u32", flags: "u32", path: "bytes" } },
  accessReply: { kind: 130, since: 1, fields: { where: "u8", path: "bytes" } },
  /** readlinkat(2). */
  readLink: { kind: 131, since: 1, fields: { dir: "u32", path: "bytes" } },
  readLinkReply: { kind: 131, since: 1, fields: { where: "u8", path: "bytes", target: "bytes" } },
  /** statfs(2), or fstatfs(2) of `dir` when path is empty. status: struct statfs of 64-bit Linux, 120 bytes. */
  statfs: { kind: 132, since: 1, fields: { dir: "u32", path: "bytes" } },
  statfsReply: { kind: 132, since: 1, fields: { where: "u8", path: "bytes", status: "bytes" } },
  /** getdents64(2) from `cursor` (0, or the d_off of an entry seen before). entries: struct linux_dirent64 after another. */
  list: { kind: 133, since: 1, fields: { file: "u32", cursor: "u64" } },
  listReply: { kind: 133, since: 1, fields: { end: "bool", entries: "bytes" } },
  /** read(2) at the position all holders share when offset is 2^64-1, else pread(2). Empty content: the end. */
  read: { kind: 134, since: 1, fields: { file: "u32", offset: "u64", count: "u32" } },
  readReply: { kind: 134, since: 1, fields: { content: "bytes" } },
  /** write(2) or pwrite(2), as with read. */
  write: { kind: 135, since: 1, fields: { file: "u32", offset: "u64", content: "bytes" } },
  writeReply: { kind: 135, since: 1, fields: { count: "u32" } },
  /** lseek(2): whence SEEK_SET 0, CUR 1, END 2, DATA 3, HOLE 4; the new position. */
  seek: { kind: 136, since: 1, fields: { file: "u32", offset: "u64", whence: "u32" } },
  seekReply: { kind: 136, since: 1, fields: { offset: "u64" } },
  /** What changes one file, by path or (empty path) by the open file `dir`; what: `fileChanges`, its arguments in order. */
  change: {
    kind: 137,
    since: 1,
    fields: {
      what: "u8",
      dir: "u32",
      flags: "u32",
      first: "u64",
      second: "u64",
      third: "u64",
      fourth: "u64",
      path: "bytes",
    },
  },
  changeReply: { kind: 137, since: 1, fields: { where: "u8", path: "bytes" } },
  /** What takes two paths; what: `fileMoves`. EXDEV when one is local and the other remote. */
  move: {
    kind: 138,
    since: 1,
    fields: { what: "u8", fromDir: "u32", toDir: "u32", flags: "u32", from: "bytes", to: "bytes" },
  },
  moveReply: { kind: 138, since: 1, fields: { where: "u8", from: "bytes", to: "bytes" } },
  /** One way, no answer: `file` was opened for this process but cannot be held; the session closes it. */
  release: { kind: 139, since: 1, fields: { file: "u32" } },
  /** One way: the app asked to be told of changes of `path`, which is the target's, and was refused (inotify(7), fanotify(7)). */
  unwatched: { kind: 140, since: 1, fields: { path: "bytes" } },
  /** chdir(2), or fchdir(2) of `dir` when path is empty. */
  enter: { kind: 141, since: 1, fields: { dir: "u32", path: "bytes" } },
  /**
   * remote: `path` is what later relative paths are put behind, the directory as it was meant; physical: as getcwd(2) in
   * the target tells it.
   */
  enterReply: { kind: 141, since: 1, fields: { where: "u8", path: "bytes", physical: "bytes" } },
} as const satisfies MessageTable;

/** `what` of a change, on both links, and its arguments. */
export const fileChanges = {
  /** mode */
  mkdir: 1,
  /** unlinkat(2): flags AT_REMOVEDIR */
  remove: 2,
  /** mode; flags AT_SYMLINK_NOFOLLOW */
  chmod: 3,
  /** uid, gid (2^32-1 = as it is); flags AT_SYMLINK_NOFOLLOW */
  chown: 4,
  /** atime's seconds and nanoseconds, mtime's; nanoseconds may be UTIME_NOW or UTIME_OMIT; flags AT_SYMLINK_NOFOLLOW */
  utimens: 5,
  /** length */
  truncate: 6,
  /** 1 = the content only (fdatasync); open files only */
  sync: 7,
  /** mode, offset, length (fallocate(2)); open files only */
  allocate: 8,
  /** mode, device */
  mknod: 9,
} as const;

/** `what` of a move, on both links. */
export const fileMoves = {
  /** renameat2(2), its flags */
  rename: 1,
  /** linkat(2), flags AT_SYMLINK_FOLLOW */
  link: 2,
  /** symlinkat(2): from is the link's text, whatever it is */
  symlink: 3,
} as const;
