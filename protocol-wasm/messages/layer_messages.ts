// The layer link's messages: the layer inside one process of the app ↔ the session, over a Unix socket.
// Both sides come from the same release, so there are no versions: `hello` compares the tables' hash.
// `scripts/wire.ts` writes `layer/wire.h` from this table.

import type { MessageTable } from "./codec.ts";
import { asks, tells } from "./file_requests.ts";

/** Where a path leads: first in the answer to a question about one. */
const place = { where: "u8", path: "bytes" } as const;

/**
 * The layer asks, the session answers with the same kind and id; fields of the answer are the table
 * entry `<kind>Reply`, which shares the kind's number. ERROR answers carry `failure` (errno, text).
 */
export const layerMessages = {
  /**
   * First frame of every link. tables = hash of this table; process = the same for all links of one process,
   * and its own.
   */
  hello: {
    kind: 1,
    since: 1,
    fields: { tables: "u32", process: "u64", pid: "u32", parent: "u32", executable: "bytes" },
  },
  /**
   * Which floors are to be caught at all. paths: the table of prefixes for files, in the form
   * `layer/ops/files/paths.c` reads; "" = ask about every path.
   */
  helloReply: {
    kind: 1,
    since: 1,
    fields: {
      incoming: "bool",
      outgoing: "bool",
      dns: "bool",
      files: "bool",
      paths: "bytes",
      interfaces: "bool",
    },
  },
  /** One way: the app starts a program that the layer cannot get into; reason = a clause with "it is …". */
  unhooked: { kind: 2, since: 1, fields: { executable: "bytes", reason: "str" } },
  /** One way: the app connected to the Unix socket at `path` (sun_path as it is), where `process` listens. */
  handed: { kind: 3, since: 1, fields: { process: "u32", path: "bytes" } },
  /**
   * macOS: what is to be started in place of the program at `path`? The system keeps the layer out of some,
   * so the answer's path is a copy's, or the same. arguments: words, each ended by a zero byte, that stand in
   * place of the first argument (a script's interpreter, its argument, the script); empty: that stays.
   */
  program: { kind: 4, since: 1, fields: { path: "bytes" } },
  programReply: { kind: 4, since: 1, fields: { path: "bytes", arguments: "bytes" } },
  /** Body of an ERROR answer. */
  failure: { kind: 7, since: 1, fields: { errno: "u32", text: "str" } },

  // -- incoming ------------------------------------------------------------------------------------------
  /** About to bind a socket to `address` (stream: TCP, not UDP): is that port the pod's business? */
  bind: { kind: 32, since: 1, fields: { address: "address", stream: "bool" } },
  /**
   * managed: the layer may move it to another local port when the asked one cannot be had; fixed: it takes
   * `suggested` and no other. place: where an address that this machine has not is bound, because it is the
   * target's own; no address when it is not; port 0 where a UDP socket of the app's that was bound to such a
   * one has that port.
   */
  bindReply: {
    kind: 32,
    since: 1,
    fields: { managed: "bool", suggested: "u16", fixed: "bool", place: "address" },
  },
  /**
   * A socket listens: asked = what the app bound, actual = where it really is, only6 = IPV6_V6ONLY, anyPort:
   * the kernel chose the port, as far as this process knows. Error = errno for the app.
   */
  listen: {
    kind: 33,
    since: 1,
    fields: { asked: "address", actual: "address", only6: "bool", anyPort: "bool" },
  },
  /** managed: its connections may be the pod's, and are to be asked about. */
  listenReply: { kind: 33, since: 1, fields: { managed: "bool" } },
  /**
   * Accepted on the listener at `listener` (actual) a connection from `peer` (real, local). Which client is
   * it?
   */
  accepted: { kind: 34, since: 1, fields: { listener: "address", peer: "address" } },
  /** known = a connection of the pod; its real client and the pod's own address. */
  acceptedReply: { kind: 34, since: 1, fields: { known: "bool", peer: "address", local: "address" } },
  /**
   * An unknown fd (inherited or passed) is bound or listens at `actual`: is it ours, and what did the app ask
   * for?
   */
  listener: { kind: 35, since: 1, fields: { actual: "address", stream: "bool" } },
  listenerReply: { kind: 35, since: 1, fields: { known: "bool", asked: "address" } },
  /**
   * This process closed its last descriptor of the listener at `actual`; answered, for it must not be
   * overtaken by `listen`.
   */
  closed: { kind: 36, since: 1, fields: { actual: "address" } },
  closedReply: { kind: 36, since: 1, fields: {} },
  /**
   * A socket was bound elsewhere than asked; another process may be handed it, or be asked by it from there.
   */
  bound: { kind: 37, since: 1, fields: { asked: "address", actual: "address", stream: "bool" } },
  boundReply: { kind: 37, since: 1, fields: {} },
  /**
   * A socket at `actual` is about to speak to another one of the app by an address of the target's, beside
   * which it is `name`.
   */
  looped: { kind: 38, since: 1, fields: { name: "address", actual: "address", stream: "bool" } },
  loopedReply: { kind: 38, since: 1, fields: {} },
  // -- outgoing (64..) -----------------------------------------------------------------------------------
  /**
   * About to connect a TCP socket to `address`: which side does that go to? source: bound to this address of
   * the target, if any.
   */
  connect: { kind: 64, since: 1, fields: { address: "address", source: "address" } },
  /**
   * remote: dial `endpoint` instead, send `dialled`, and the socket becomes connected, or fails, as the
   * target's would. Not remote: connect to `endpoint`, which is the asked address unless a socket of the app
   * is bound elsewhere.
   */
  connectReply: { kind: 64, since: 1, fields: { remote: "bool", connection: "u32", endpoint: "address" } },
  /** One way: the socket of `connection` waits at `local` for its outcome. */
  dialled: { kind: 65, since: 1, fields: { connection: "u32", local: "address" } },
  /** The socket is not waiting any more: why? errno 0 = connected; local and peer are the target's. */
  outcome: { kind: 66, since: 1, fields: { connection: "u32" } },
  outcomeReply: { kind: 66, since: 1, fields: { errno: "u32", local: "address", peer: "address" } },
  /**
   * A socket that this process did not connect, between the real addresses `local` and `peer`: is it ours?
   */
  connection: { kind: 67, since: 1, fields: { local: "address", peer: "address" } },
  connectionReply: {
    kind: 67,
    since: 1,
    fields: { known: "bool", connection: "u32", local: "address", peer: "address" },
  },
  /**
   * One way: this process closed its last descriptor of `connection`, which was not connected yet or is UDP.
   */
  abandoned: { kind: 68, since: 1, fields: { connection: "u32" } },
  /**
   * About to send from the UDP socket bound to `local` to `address`; the answer is as for `connect`, nothing
   * is dialled.
   */
  associate: { kind: 69, since: 1, fields: { address: "address", local: "address" } },
  associateReply: { kind: 69, since: 1, fields: { remote: "bool", connection: "u32", endpoint: "address" } },
  /** A datagram came from `endpoint`: which is its sender? */
  sender: { kind: 70, since: 1, fields: { endpoint: "address" } },
  senderReply: { kind: 70, since: 1, fields: { known: "bool", address: "address" } },

  // -- dns (96..) ----------------------------------------------------------------------------------------
  /**
   * The addresses of a host. name: as the app wrote it, any bytes. family: 0 both, 4, 6. flags: bits of
   * `lookupFlags`; without `sorted` as gethostbyname2(3), family 4 or 6. port: the one the app is about to
   * use, 0 when unknown. again: after a `pending`.
   */
  lookup: {
    kind: 96,
    since: 1,
    fields: { again: "bool", family: "u8", flags: "u16", port: "u16", name: "bytes" },
  },
  /**
   * pending: other questions of the process need the link; ask again soon, the look-up goes on meanwhile.
   * local: libc's own answer counts, and `found` reports it. ending: 0 found, otherwise the value of h_errno
   * (<netdb.h>). aliases: names, each ended by a zero byte. addresses: 17 bytes each, family (4, 6) and 16
   * bytes, IPv4 in the first 4.
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
   * One question to the name servers, as the agent's `resolve`; the query of res_send(3) is there beside name
   * and type, which are empty then. again: after a `pending`.
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
  /**
   * pending and local as in `lookupReply`, except that `resolved` reports what libc found; the rest as the
   * agent sends it.
   */
  resolveReply: {
    kind: 100,
    since: 1,
    fields: { pending: "bool", local: "bool", ending: "u8", errno: "u32", stream: "bool", reply: "bytes" },
  },
  /**
   * The reply that libc got for a name that is local; name as the app wrote it, empty when it wrote a query.
   */
  resolved: { kind: 101, since: 1, fields: { name: "bytes", reply: "bytes" } },
  resolvedReply: { kind: 101, since: 1, fields: {} },

  // -- files (128..) -------------------------------------------------------------------------------------
  // Paths are absolute, without ".", ".." and "//" (one slash at the end stays), or relative to the open
  // remote directory `dir`; dir 0 = none. Flags of open(2) are x86_64's numbers, whatever the machine; those
  // of the *at calls are the same everywhere. `where` of an answer: of `fileWhere`; local: call libc, with
  // the answer's path unless that is empty. What is asked is file_requests.ts's, for this link and the
  // agent's. Modes of new files are already reduced by the app's umask. Numbers that libc has as signed are
  // two's complement.
  /** open(2). */
  open: { kind: 128, since: 1, fields: { dir: "u32", flags: "u32", mode: "u32", path: "bytes" } },
  /**
   * whole: `content` is the regular file, no more is asked about it. remote: an open file `file`, kept open
   * by the hold (layer/ops/files/files.h); of a directory `content` is the first page of its list, the last
   * one if `end`. status, with both: struct statx, 256 bytes (statx(2)).
   */
  openReply: {
    kind: 128,
    since: 1,
    fields: { where: "u8", file: "u32", end: "bool", status: "bytes", path: "bytes", content: "bytes" },
  },
  stat: asks("stat"),
  statReply: tells("stat", place),
  access: asks("access"),
  accessReply: tells("access", place),
  readLink: asks("readLink"),
  readLinkReply: tells("readLink", place),
  statfs: asks("statfs"),
  statfsReply: tells("statfs", place),
  list: asks("list"),
  listReply: tells("list"),
  /** At the position all holders share when offset is 2^64-1. Empty content: the end. */
  read: asks("read"),
  readReply: tells("read"),
  write: asks("write"),
  writeReply: tells("write"),
  seek: asks("seek"),
  seekReply: tells("seek"),
  change: asks("change"),
  changeReply: tells("change", place),
  /** EXDEV when one path is local and the other remote. */
  move: asks("move"),
  moveReply: tells("move", {}, { where: "u8", from: "bytes", to: "bytes" }),
  /** One way, no answer: `file` was opened for this process but cannot be held; the session closes it. */
  release: { kind: 139, since: 1, fields: { file: "u32" } },
  /**
   * One way: the app asked to watch `path`, which is the target's, for changes, and was refused (inotify(7),
   * fanotify(7)).
   */
  unwatched: { kind: 140, since: 1, fields: { path: "bytes" } },
  enter: asks("enter"),
  /**
   * remote: `path` is what later relative paths are put behind, the directory as it was meant; physical: as
   * getcwd(2) in the target returns it.
   */
  enterReply: tells("enter", place),

  // -- interfaces (160..) --------------------------------------------------------------------------------
  /** As the agent's messages of these names. */
  netlink: { kind: 160, since: 1, fields: { strict: "bool", request: "bytes" } },
  netlinkReply: { kind: 160, since: 1, fields: { messages: "bytes" } },
  interface: { kind: 161, since: 1, fields: { command: "u32", request: "bytes" } },
  interfaceReply: { kind: 161, since: 1, fields: { content: "bytes" } },
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
  /**
   * atime's seconds and nanoseconds, mtime's; nanoseconds may be UTIME_NOW or UTIME_OMIT; flags
   * AT_SYMLINK_NOFOLLOW
   */
  utimens: 5,
  /** length */
  truncate: 6,
  /** 1 = the content only (fdatasync); open files only */
  sync: 7,
  /** mode, offset, length (fallocate(2)); open files only */
  allocate: 8,
  /** mode, device */
  mknod: 9,
  /** O_APPEND or 0 (fcntl(2), F_SETFL); open files only */
  flags: 10,
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
