// The agent link's messages: session (client) on one side, agent on the other.
// Versioned and append-only: a kind or a field is never removed or renumbered, a new one carries the
// version that brought it (`since`). `codec.ts` turns these tables into bytes and types.
// Data frames (kind `data`) skip the codec: raw bytes, the connection id in the header.

import type { MessageTable } from "./codec.ts";

/** The newest protocol version this build speaks; `welcome` names the lower of both sides' versions. */
export const agentProtocolVersion = 2;

/**
 * Field types: u8 u16 u32 u64 (bigint), bool, str (UTF-8), bytes, address (IP address and port).
 * A reply has the kind and id of its request; its last frame carries END. A failed one carries ERROR
 * and the body of `failure` instead.
 */
export const agentMessages = {
  // -- link: who is there, and is it still there -----------------------------------------------------
  /** agent → client, first frame: prove that you hold the session's private key. */
  challenge: { kind: 1, since: 1, fields: { version: "u16", nonce: "bytes", release: "str" } },
  /** client → agent: Ed25519 signature of `"mirrord-agent-v1\0" + nonce`; `steal` and `mirror` ask for their kernel part now. */
  prove: {
    kind: 2,
    since: 1,
    fields: { version: "u16", signature: "bytes", release: "str", steal: "bool", mirror: "bool" },
  },
  /** agent → client: the proof holds and what was asked for is ready; an ERROR frame says what lacks. */
  welcome: { kind: 3, since: 1, fields: { version: "u16", kernel: "str" } },
  /** Either way; the other side answers with the same id and END. Silence for too long is a lost link. */
  ping: { kind: 4, since: 1, fields: {} },
  /** client → agent: the session ends now; the agent frees everything and leaves. */
  goodbye: { kind: 5, since: 1, fields: {} },
  /** agent → client: something the developer should read. level: 0 info, 1 warning, 2 error. */
  notice: { kind: 6, since: 1, fields: { level: "u8", text: "str" } },
  /** Body of any frame that carries ERROR in answer to a request: a Linux errno and one sentence. */
  failure: { kind: 7, since: 1, fields: { errno: "u32", text: "str" } },

  // -- streams: every connection, incoming or outgoing -------------------------------------------------
  /** Raw bytes of connection `id`. END = half-close (FIN), ERROR = reset (RST). No codec. */
  data: { kind: 8, since: 1, fields: {} },
  /** The receiver took `bytes` of connection `id`; the sender may send as many more. */
  credit: { kind: 9, since: 1, fields: { bytes: "u32" } },

  // -- env ---------------------------------------------------------------------------------------------
  /**
   * client → agent; include/exclude are newline-separated globs over names (include empty = all).
   * Replies: frames of kind `env` whose body is raw `NAME=value\0` pairs (no codec), END on the last.
   */
  env: { kind: 16, since: 1, fields: { include: "str", exclude: "str" } },

  // -- incoming ----------------------------------------------------------------------------------------
  /**
   * client → agent: send me the connections of `port`. mode: 1 steal, 2 mirror: what its clients send is copied, what the
   * client of this link sends back is dropped. filter: source text (JSON), "" = all. probes: the kubelet probes this port
   * by HTTP; a steal leaves its requests to the original whatever the filter says.
   */
  subscribe: { kind: 32, since: 1, fields: { port: "u16", mode: "u8", filter: "str", probes: "bool" } },
  /** client → agent: `port` is the original's again. Replied when no new connection can be stolen or mirrored. */
  unsubscribe: { kind: 33, since: 1, fields: { port: "u16" } },
  /**
   * agent → client: a connection of a subscribed port, `id` chosen by the agent; data may follow at once.
   * The client answers with the same kind and id: END = taken, ERROR = nobody listens, give it to the
   * original (the agent keeps what it sent until then, so no byte is lost). Of a mirrored port the original has it anyway:
   * the agent resets the connection when it can bring no more of it (a slow client of this link), the client resets it when
   * it wants no more.
   * `opens`: both sides' links have the connection's channel from this frame on, so no early data is lost.
   */
  incoming: {
    kind: 34,
    since: 1,
    opens: true,
    fields: { port: "u16", peer: "address", local: "address", http: "bool" },
  },
  // -- outgoing (64..) ---------------------------------------------------------------------------------
  /** client → agent: connect to `remote` by TCP, as the target would; `id` is the connection's. ERROR: connect(2)'s errno. */
  connect: { kind: 64, since: 1, opens: true, fields: { remote: "address" } },
  connectReply: { kind: 64, since: 1, fields: { local: "address", peer: "address" } },
  /** client → agent: a UDP socket towards `remote`. The connection's bytes are datagrams, each after its length (u16). */
  associate: { kind: 65, since: 1, opens: true, fields: { remote: "address" } },
  associateReply: { kind: 65, since: 1, fields: { local: "address", peer: "address" } },

  // -- dns (96..) --------------------------------------------------------------------------------------
  /**
   * client → agent: the addresses of a host, as a program beside the target would get them. name: one character for
   * each byte. family: 0 both, 4, 6. flags: bits of `lookupFlags`; without `sorted` as gethostbyname2(3), family 4 or 6.
   */
  lookup: { kind: 96, since: 1, fields: { name: "str", family: "u8", flags: "u16" } },
  /**
   * ending: 0 found, else the value of h_errno (<netdb.h>): 1 not found, 2 try again, 3 no recovery, 4 no address.
   * aliases: names, each ended by a zero byte. addresses: 17 bytes each, family (4, 6) and 16 bytes, IPv4 in the first 4.
   */
  lookupReply: {
    kind: 96,
    since: 1,
    fields: { ending: "u8", name: "str", aliases: "str", addresses: "bytes" },
  },
  /** client → agent: the names of an address, as gethostbyaddr(3). */
  reverse: { kind: 97, since: 1, fields: { address: "address" } },
  reverseReply: { kind: 97, since: 1, fields: { ending: "u8", name: "str", aliases: "str" } },
  /** client → agent: the target's own name, and the domains that it tries behind a short name, newline-separated. */
  hostName: { kind: 98, since: 1, fields: {} },
  hostNameReply: { kind: 98, since: 1, fields: { name: "str", search: "str" } },
  /**
   * client → agent: one question to the target's name servers, as res_query(3). name: one character for each byte.
   * flags: bits of `resolveFlags`. room: bytes that whoever asks has for the reply. query: a whole query to be sent as it
   * is, as res_send(3); then the fields before are empty, but for flags.
   */
  resolve: {
    kind: 100,
    since: 2,
    fields: { flags: "u16", class: "u16", type: "u16", room: "u16", name: "str", query: "bytes" },
  },
  /**
   * ending: as in `lookupReply`. reply: the message as it came, with a failure the last one that came, if any. stream: by
   * TCP. errno: when no server answered, ECONNREFUSED or ETIMEDOUT.
   */
  resolveReply: {
    kind: 100,
    since: 2,
    fields: { ending: "u8", errno: "u32", stream: "bool", reply: "bytes" },
  },

  // -- files (128..) -----------------------------------------------------------------------------------
  // All client → agent, in the target's root and with its process's rights. A path is absolute, or relative to the open
  // directory `dir` (0 = none); empty = `dir` itself. Flags of open(2) are x86_64's. `file` is the agent's number of an open file.
  /**
   * open(2). A regular file of at most `whole` bytes opened for reading is answered whole and not kept open (file 0);
   * of a longer one `content` is the first `ahead` bytes, of a directory its first page (`end`: and last).
   */
  open: {
    kind: 128,
    since: 1,
    fields: { dir: "u32", flags: "u32", mode: "u32", whole: "u32", ahead: "u32", path: "bytes" },
  },
  /** status: struct statx (statx(2)), 256 bytes. */
  openReply: { kind: 128, since: 1, fields: { file: "u32", end: "bool", status: "bytes", content: "bytes" } },
  stat: { kind: 129, since: 1, fields: { dir: "u32", flags: "u32", path: "bytes" } },
  statReply: { kind: 129, since: 1, fields: { status: "bytes" } },
  access: { kind: 130, since: 1, fields: { dir: "u32", mode: "u32", flags: "u32", path: "bytes" } },
  accessReply: { kind: 130, since: 1, fields: {} },
  readLink: { kind: 131, since: 1, fields: { dir: "u32", path: "bytes" } },
  readLinkReply: { kind: 131, since: 1, fields: { target: "bytes" } },
  /** status: struct statfs of 64-bit Linux (statfs(2)), 120 bytes. */
  statfs: { kind: 132, since: 1, fields: { dir: "u32", path: "bytes" } },
  statfsReply: { kind: 132, since: 1, fields: { status: "bytes" } },
  /** One page from `cursor` (0, or an entry's d_off): struct linux_dirent64 after another (getdents(2)). */
  list: { kind: 133, since: 1, fields: { file: "u32", cursor: "u64" } },
  listReply: { kind: 133, since: 1, fields: { end: "bool", entries: "bytes" } },
  /** pread(2); offset 2^64-1 for what has no positions (pipes, devices): read(2). */
  read: { kind: 134, since: 1, fields: { file: "u32", offset: "u64", count: "u32" } },
  readReply: { kind: 134, since: 1, fields: { content: "bytes" } },
  /** pwrite(2); offset 2^64-1: write(2), at the end with O_APPEND. The reply's offset: where that ended. */
  write: { kind: 135, since: 1, fields: { file: "u32", offset: "u64", content: "bytes" } },
  writeReply: { kind: 135, since: 1, fields: { count: "u32", offset: "u64" } },
  seek: { kind: 136, since: 1, fields: { file: "u32", offset: "u64", whence: "u32" } },
  seekReply: { kind: 136, since: 1, fields: { offset: "u64" } },
  /** what: `fileChanges`, the same on both links. */
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
  changeReply: { kind: 137, since: 1, fields: {} },
  /** what: `fileMoves`. */
  move: {
    kind: 138,
    since: 1,
    fields: { what: "u8", fromDir: "u32", toDir: "u32", flags: "u32", from: "bytes", to: "bytes" },
  },
  moveReply: { kind: 138, since: 1, fields: {} },
  /** The last holder is gone; errors that close(2) tells come as the answer. */
  close: { kind: 139, since: 1, fields: { file: "u32" } },
  closeReply: { kind: 139, since: 1, fields: {} },
  /**
   * Read ahead: a connection on which the agent sends the file from `offset` to its end, then END; credit says how far ahead.
   * A reset is a failed read, which `read` then names.
   */
  stream: { kind: 140, since: 1, opens: true, fields: { file: "u32", offset: "u64" } },
  streamReply: { kind: 140, since: 1, fields: {} },
  /** chdir(2) and getcwd(2) as one: may the target's process go there, and how is it called without links? */
  enter: { kind: 141, since: 1, fields: { dir: "u32", path: "bytes" } },
  enterReply: { kind: 141, since: 1, fields: { physical: "bytes" } },
} as const satisfies MessageTable;
