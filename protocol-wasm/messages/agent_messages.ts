// The agent link's messages: session (client) on one side, agent on the other.
// Versioned and append-only: a kind or a field is never removed or renumbered, a new one carries the
// version that brought it (`since`). `codec.ts` turns these tables into bytes and types.
// Data frames (kind `data`) skip the codec: raw bytes, the connection id in the header.

import type { MessageTable } from "./codec.ts";
import { asks, tells } from "./file_requests.ts";

/** The newest protocol version this build speaks; `welcome` names the lower of both sides' versions. */
export const agentProtocolVersion = 7;

/**
 * Field types: u8 u16 u32 u64 (bigint), bool, str (UTF-8), bytes, address (IP address and port).
 * A reply has the kind and id of its request; its last frame carries END. A failed one carries ERROR
 * and the body of `failure` instead.
 */
export const agentMessages = {
  // -- link: the peer's identity, and whether it is there -----------------------------------------------------
  /** agent → client, first frame, in clear. Since 4 `greeting` follows with more. */
  challenge: { kind: 1, since: 1, fields: { version: "u16", nonce: "bytes", release: "str" } },
  /** `challenge`, then the agent's public keys: Ed25519 for this agent's life, X25519 for its one link. */
  greeting: {
    kind: 1,
    since: 4,
    fields: { version: "u16", nonce: "bytes", release: "str", identity: "bytes", key: "bytes" },
  },
  /** client → agent, up to version 3, in place of `join`: refused since, as nothing proved the agent. */
  prove: {
    kind: 2,
    since: 1,
    fields: { version: "u16", signature: "bytes", release: "str", steal: "bool", mirror: "bool" },
  },
  /**
   * agent → client: the proof holds and what was asked for is ready; an ERROR frame names what is missing.
   */
  welcome: { kind: 3, since: 1, fields: { version: "u16", kernel: "str" } },
  /** Either way; the other side answers with the same id and END. Silence for too long is a lost link. */
  ping: { kind: 4, since: 1, fields: {} },
  /** client → agent: the session ends now; the agent frees everything and leaves. */
  goodbye: { kind: 5, since: 1, fields: {} },
  /** agent → client: something the developer should read. level: of `noticeLevels`. */
  notice: { kind: 6, since: 1, fields: { level: "u8", text: "str" } },
  /** Body of any frame that carries ERROR in answer to a request: a Linux errno and one sentence. */
  failure: { kind: 7, since: 1, fields: { errno: "u32", text: "str" } },
  /**
   * client → agent: what of the data that the client sent has not reached its peers yet? Replies: one frame
   * for each connection that has some, END on a last, empty one.
   */
  unsent: { kind: 10, since: 3, fields: {} },
  unsentReply: { kind: 10, since: 3, fields: { peer: "address", bytes: "u64" } },

  /**
   * client → agent, in clear: what this session asks for. `steal` and `mirror` ask for their kernel part now;
   * sealed: every byte behind the proofs is in records (sealed_stream.ts). key: X25519, of this link alone.
   */
  join: {
    kind: 11,
    since: 4,
    fields: { version: "u16", release: "str", steal: "bool", mirror: "bool", sealed: "bool", key: "bytes" },
  },
  /** Either way, in clear, the client first: the Ed25519 signature of the transcript (handshake.ts). */
  proof: { kind: 12, since: 4, fields: { signature: "bytes" } },
  /**
   * client → agent, one way, before anything is asked: who runs the session, for others that want the same
   * port.
   */
  owner: { kind: 13, since: 4, fields: { text: "str" } },

  /**
   * client → agent: this side stands still from now on (Ctrl-Z), for at most `seconds`; 0: it goes on. Until
   * then its silence is no loss, and new connections of stolen ports are the original's.
   */
  standStill: { kind: 14, since: 5, fields: { seconds: "u32" } },
  standStillReply: { kind: 14, since: 5, fields: {} },

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
  /**
   * client → agent: as `env`, for the names alone. Replies: frames of kind `envNames` with raw `NAME\0`, END
   * on the last.
   */
  envNames: { kind: 17, since: 4, fields: { include: "str", exclude: "str" } },

  // -- incoming ----------------------------------------------------------------------------------------
  /**
   * client → agent: send me the connections of `port`. mode: of `subscribeModes`; mirror: what its clients
   * send is copied, what the client of this link sends back is dropped. filter: source text (JSON), "" = all.
   * probes: the kubelet probes this port by HTTP; a steal leaves its requests to the original whatever the
   * filter says.
   */
  subscribe: { kind: 32, since: 1, fields: { port: "u16", mode: "u8", filter: "str", probes: "bool" } },
  /**
   * client → agent: `port` belongs to the original again. Replied when no new connection can be stolen or
   * mirrored.
   */
  unsubscribe: { kind: 33, since: 1, fields: { port: "u16" } },
  /**
   * agent → client: a connection of a subscribed port, `id` chosen by the agent; data may follow at once.
   * The client answers with the same kind and id: END = taken, ERROR = no listener, give it to the original
   * (the agent keeps what it sent until then, so no byte is lost). Of a mirrored port the original has it
   * anyway: the agent resets the connection when it can bring no more of it (a slow client of this link), the
   * client resets it when it wants no more.
   * `opens`: both sides' links have the connection's channel from this frame on, so no early data is lost.
   */
  incoming: {
    kind: 34,
    since: 1,
    opens: true,
    fields: { port: "u16", peer: "address", local: "address", http: "bool" },
  },
  /**
   * client → agent, one way, before `subscribe` or after: which connections of `port` are stolen or mirrored,
   * by the addresses that they are for (bits of `reachBits`); all of them where this is not said. covered:
   * the app listens there. standIn: stolen as long as one server of the target's takes those, too, so that
   * the app is in its place (`standsIn` of core/net/fit.ts).
   */
  reach: { kind: 35, since: 3, fields: { port: "u16", covered: "u8", standIn: "u8" } },
  /**
   * client → agent: for which addresses (`reachBits`) is the subscribed `port` stolen or mirrored at this
   * moment?
   */
  reached: { kind: 36, since: 4, fields: { port: "u16" } },
  reachedReply: { kind: 36, since: 4, fields: { reach: "u8" } },
  /**
   * client → agent, one way, before `subscribe`: a probe of the kubelet's at `port`, which is left to the
   * original. how: a value of `probeKinds`. nodes: addresses of the target's node, newline-separated. filter:
   * source text (JSON) of what an HTTP probe asks, "" for the other kinds.
   */
  probe: { kind: 37, since: 4, fields: { port: "u16", how: "u8", nodes: "str", filter: "str" } },
  /**
   * agent → client, one way: no frame of this client came in time, so the original gets new connections.
   * over: they come again; that lasted `milliseconds`, and the original got `connections` meanwhile.
   */
  silence: { kind: 38, since: 4, fields: { over: "bool", milliseconds: "u32", connections: "u32" } },
  /**
   * client → agent: copies of every packet to and from `ports` (two bytes each, big-endian) of the target.
   * The connection's bytes are records (packet_records.ts). The client sends nothing on it but its end: then
   * the agent copies no more, and ends too when it has sent what it had.
   */
  packets: { kind: 39, since: 6, opens: true, fields: { ports: "bytes" } },
  packetsReply: { kind: 39, since: 6, fields: {} },
  /**
   * client → agent: on which TCP ports do programs listen? Those of the target process and its children where
   * the agent knows which that is, otherwise those of the target's network. ports: as in `packets`.
   */
  listening: { kind: 40, since: 6, fields: {} },
  listeningReply: { kind: 40, since: 6, fields: { ports: "bytes" } },
  // -- outgoing (64..) ---------------------------------------------------------------------------------
  /**
   * client → agent: connect to `remote` by TCP, as the target would; `id` is the connection's. ERROR:
   * connect(2)'s errno.
   */
  connect: { kind: 64, since: 1, opens: true, fields: { remote: "address" } },
  connectReply: { kind: 64, since: 1, fields: { local: "address", peer: "address" } },
  /**
   * client → agent: a UDP socket towards `remote`. The connection's bytes are datagrams, each after its
   * length (u16).
   */
  associate: { kind: 65, since: 1, opens: true, fields: { remote: "address" } },
  associateReply: { kind: 65, since: 1, fields: { local: "address", peer: "address" } },
  /** client → agent: is the address one of the target's own? */
  held: { kind: 66, since: 3, fields: { address: "address" } },
  heldReply: { kind: 66, since: 3, fields: { own: "bool" } },
  /**
   * As `connect`, from `source`: its port too, unless that is 0 or taken there. ERROR: bind(2)'s errno or
   * connect(2)'s.
   */
  connectFrom: { kind: 67, since: 3, opens: true, fields: { remote: "address", source: "address" } },
  connectFromReply: { kind: 67, since: 3, fields: { local: "address", peer: "address" } },
  /** As `associate`, from the address of `source`. */
  associateFrom: { kind: 68, since: 3, opens: true, fields: { remote: "address", source: "address" } },
  associateFromReply: { kind: 68, since: 3, fields: { local: "address", peer: "address" } },

  /**
   * client → agent: is there a socket in the target's network that gets what is sent to `address` by TCP
   * (stream) or UDP?
   */
  served: { kind: 69, since: 4, fields: { address: "address", stream: "bool" } },
  /** inode: the socket's, which identifies the network; 0 without one. */
  servedReply: { kind: 69, since: 4, fields: { inode: "u32" } },

  // -- dns (96..) --------------------------------------------------------------------------------------
  /**
   * client → agent: the addresses of a host, as a program beside the target would get them. name: one
   * character for each byte. family: 0 both, 4, 6. flags: bits of `lookupFlags`; without `sorted` as
   * gethostbyname2(3), family 4 or 6.
   */
  lookup: { kind: 96, since: 1, fields: { name: "str", family: "u8", flags: "u16" } },
  /**
   * ending: 0 found, otherwise the value of h_errno (<netdb.h>): 1 not found, 2 try again, 3 no recovery, 4
   * no address. aliases: names, each ended by a zero byte. addresses: 17 bytes each, family (4, 6) and 16
   * bytes, IPv4 in the first 4.
   */
  lookupReply: {
    kind: 96,
    since: 1,
    fields: { ending: "u8", name: "str", aliases: "str", addresses: "bytes" },
  },
  /** client → agent: the names of an address, as gethostbyaddr(3). */
  reverse: { kind: 97, since: 1, fields: { address: "address" } },
  reverseReply: { kind: 97, since: 1, fields: { ending: "u8", name: "str", aliases: "str" } },
  /**
   * client → agent: the target's own name, and the domains that it tries behind a short name,
   * newline-separated.
   */
  hostName: { kind: 98, since: 1, fields: {} },
  hostNameReply: { kind: 98, since: 1, fields: { name: "str", search: "str" } },
  /**
   * client → agent: one question to the target's name servers, as res_query(3). name: one character for each
   * byte. flags: bits of `resolveFlags`. room: bytes that the asking program has for the reply. query: a
   * whole query to be sent as it is, as res_send(3); then the fields before are empty, but for flags.
   */
  resolve: {
    kind: 100,
    since: 2,
    fields: { flags: "u16", class: "u16", type: "u16", room: "u16", name: "str", query: "bytes" },
  },
  /**
   * ending: as in `lookupReply`. reply: the message as it came, with a failure the last one that came, if
   * any. stream: by TCP. errno: when no server answered, ECONNREFUSED or ETIMEDOUT.
   */
  resolveReply: {
    kind: 100,
    since: 2,
    fields: { ending: "u8", errno: "u32", stream: "bool", reply: "bytes" },
  },

  // -- files (128..) -----------------------------------------------------------------------------------
  // All client → agent, in the target's root and with its process's rights. A path is absolute, or relative
  // to the open directory `dir` (0 = none); empty = `dir` itself. Flags of open(2) are x86_64's. `file` is
  // the agent's number of an open file. What is asked is file_requests.ts's, for this link and the layer's.
  /**
   * open(2). A regular file of at most `whole` bytes opened for reading is answered whole and not kept open
   * (file 0); of a longer one `content` is the first `ahead` bytes, of a directory its first page (`end`: and
   * last).
   */
  open: {
    kind: 128,
    since: 1,
    fields: { dir: "u32", flags: "u32", mode: "u32", whole: "u32", ahead: "u32", path: "bytes" },
  },
  /** status: struct statx (statx(2)), 256 bytes. */
  openReply: { kind: 128, since: 1, fields: { file: "u32", end: "bool", status: "bytes", content: "bytes" } },
  stat: asks("stat"),
  statReply: tells("stat"),
  access: asks("access"),
  accessReply: tells("access"),
  readLink: asks("readLink"),
  readLinkReply: tells("readLink"),
  statfs: asks("statfs"),
  statfsReply: tells("statfs"),
  list: asks("list"),
  listReply: tells("list"),
  read: asks("read"),
  readReply: tells("read"),
  write: asks("write"),
  /** offset: where that ended. */
  writeReply: tells("write", {}, { offset: "u64" }),
  seek: asks("seek"),
  seekReply: tells("seek"),
  change: asks("change"),
  changeReply: tells("change"),
  move: asks("move"),
  moveReply: tells("move"),
  /** The last holder is gone; errors of close(2) come as the answer. */
  close: { kind: 139, since: 1, fields: { file: "u32" } },
  closeReply: { kind: 139, since: 1, fields: {} },
  /**
   * Read ahead: a connection on which the agent sends the file from `offset` to its end, then END; credit
   * limits how far ahead. A reset is a failed read, which `read` then names.
   */
  stream: { kind: 140, since: 1, opens: true, fields: { file: "u32", offset: "u64" } },
  streamReply: { kind: 140, since: 1, fields: {} },
  enter: asks("enter"),
  enterReply: tells("enter"),
  /**
   * The names of the folder at `path` with the attributes that lstat(2) of each would give, at most `most` of
   * them from `cursor` on (0, or that of an answer before). entries: folder_entries.ts; without attributes:
   * what has none that stay, as a device or a mount. Nothing, and not the end: the folder's file system
   * changes by itself (procfs), and is not read. cursor: where it goes on. end: nothing comes after these.
   * certain: and when they were read, any other name was not there. folder: the folder's struct statx.
   */
  scan: {
    kind: 142,
    since: 7,
    fields: { dir: "u32", most: "u32", cursor: "u64", path: "bytes" },
  },
  scanReply: {
    kind: 142,
    since: 7,
    fields: { end: "bool", certain: "bool", cursor: "u64", folder: "bytes", entries: "bytes" },
  },

  // -- interfaces (160..) --------------------------------------------------------------------------------
  /**
   * client → agent: one question of rtnetlink(7) that changes nothing, with its header, asked in the target's
   * network. strict: as with NETLINK_GET_STRICT_CHK. Reply: the kernel's messages, one behind the other,
   * addressed to port 0.
   */
  netlink: { kind: 160, since: 3, fields: { strict: "bool", request: "bytes" } },
  netlinkReply: { kind: 160, since: 3, fields: { messages: "bytes" } },
  /**
   * client → agent: an ioctl of netdevice(7) that changes nothing. request: struct ifreq, 40 bytes, and
   * behind it what its pointer points to; empty for SIOCGIFCONF. Reply: the same as the kernel left it; for
   * SIOCGIFCONF every struct ifreq.
   */
  interface: { kind: 161, since: 3, fields: { command: "u32", request: "bytes" } },
  interfaceReply: { kind: 161, since: 3, fields: { content: "bytes" } },
} as const satisfies MessageTable;

/** Sets of local addresses, in `reach`. */
export const reachBits = { loopback4: 1, other4: 2, loopback6: 4, other6: 8, all: 15 } as const;

/** How the kubelet asks, in `probe`. */
export const probeKinds = { http: 1, https: 2, tcp: 3, grpc: 4 } as const;
