// What the rooms above need of the operating system, as one interface. linux/ implements it, and
// this_platform.ts chooses. The agent runs on Linux only and uses linux/ directly. Failed calls are
// distinguished by errno: system_error.ts.

import type { Endpoint } from "./address.ts";
import type { RelayedSocket } from "./datagram_relay.ts";
import type { Bound } from "./fit.ts";
import type { ByteChannel } from "../../protocol-wasm/mod.ts";

/**
 * The parts of a platform, by which command needs them. Each is loaded when it is first asked for, so that no
 * command pays for what it does not use; a part is not split further, for each file that is loaded by itself
 * costs every start.
 */
export interface Platform {
  network(): Promise<Network>;
  noDelay(): Promise<NoDelay>;
  files(): Promise<Files>;
  processes(): Promise<Processes>;
  seal(): Promise<NativeSeal>;
}

/** What a session's connections are made of. */
export interface Network extends Sockets, Loop, Gates, Loopback, Datagrams, Listening, LocalPeers {}

/** A connected stream with half-close and reset. */
export interface Socket extends ByteChannel {
  readonly localAddress: Endpoint;
  readonly peerAddress: Endpoint;
  /** Bytes that came and were not read yet. */
  readonly unread: number;
  /** Did the peer half-close, close or reset it, whether that was read already or not? */
  readonly peerIsOver: boolean;
  /** Was it closed on this side? */
  readonly isClosed: boolean;
  close(): void;
}

/** Where to, and from which address; `bound` learns the source port before the first packet leaves. */
export interface DialOptions {
  destination: Endpoint;
  source?: Endpoint;
  /** Time to live, or hop limit, of its packets; the system's unless given. */
  hops?: number;
  /** Others are bound to `source` too, listeners among them (SO_REUSEPORT). */
  shared?: boolean;
  /**
   * The other end is the app, whose own TCP_NODELAY decides whether its small writes wait: what comes is
   * acknowledged as it is read (TCP_QUICKACK, tcp(7)), so that they do not wait 40 ms for this hop, which
   * does not exist beside the target.
   */
  acknowledges?: boolean;
  bound?: (source: Endpoint) => void;
  /**
   * Called with the socket's own address once it connects: before there can be a connection, except on macOS,
   * where it is called when there is one.
   */
  began?: (local: Endpoint) => void;
  signal?: AbortSignal;
}

export interface Sockets {
  /**
   * Connects. Rejects with SystemError (ECONNREFUSED without a listener; EADDRINUSE or EADDRNOTAVAIL when
   * the source port is taken, for this destination or wholly), or the signal's reason.
   */
  dialTcp(options: DialOptions): Promise<Socket>;
  /** Listens at one address; port 0 takes a free one. Throws SystemError (EADDRINUSE, EACCES, …). */
  listenTcp(endpoint: Endpoint): TcpListener;
}

/** A listening socket of the session's. */
export interface TcpListener {
  readonly address: Endpoint;
  /** The next connection, null once the listener is closed. */
  accept(): Promise<Socket | null>;
  /** Connections that nobody accepted are reset by the kernel. */
  close(): void;
}

/** What serves the sockets. */
export interface Loop {
  /** Resolves once it has left its thread; at once while something is still watched. */
  unwatched(): Promise<void>;
}

/** A listener to which the app's sockets connect instead of a destination of the target's. */
export interface Gate extends Disposable {
  readonly address: Endpoint;
  /**
   * The kernel leaves a connect waiting here until the session answers it. false: the layer waits for the
   * session's word, and dials when the target's connect has succeeded.
   */
  readonly holdsConnects: boolean;
  /**
   * Connects the socket that waits at `waiting`. Rejects with SystemError when it waits no longer
   * (ECONNREFUSED).
   */
  admit(waiting: Endpoint): Promise<Socket>;
  /**
   * Fails the socket that waits at `waiting`; one that waits no longer is left alone. Throws SystemError
   * without descriptors.
   */
  refuse(waiting: Endpoint): void;
}

export interface Gates {
  /**
   * Opens a gate at a free port of `host`, a loopback address. Throws SystemError where the family is
   * missing.
   */
  openGate(host: string): Gate;
}

/** This machine's loopback network. */
export interface Loopback {
  /** How many of 127.0.0.0/8 can be bound: all, or 127.0.0.1 alone. */
  readonly loopbacks: "all" | "one";
}

/** A UDP socket of the session's. */
export interface DatagramSocket extends RelayedSocket {
  readonly localAddress: Endpoint;
  /** Bytes that came and were not read yet. */
  readonly unread: number;
  /** From now on it takes datagrams of `remote` only, and sends there. */
  connect(remote: Endpoint): void;
}

export interface Datagrams {
  /** A socket at a free port of `host`. Throws SystemError where the family is missing. */
  bindDatagrams(host: string): DatagramSocket;
}

/** Where a socket is bound, and the number by which the descriptors of its holders name it. */
export interface BoundSocket extends Bound {
  port: number;
  inode: number;
}

/** What is listed: TCP listeners, TCP sockets whose connect is under way, bound UDP sockets. */
export type SocketList = "tcp" | "waiting" | "udp";

/** Which local ports some process has. */
export interface Listening {
  /** All of a list, of both families. */
  sockets(list: SocketList): BoundSocket[];
  /** Ports that UDP sockets are bound to; local ports of TCP sockets whose connect is under way. */
  boundUdpPorts(): Set<number>;
  waitingPorts(): Set<number>;
  /** Has one of the processes `pids` a descriptor of the socket `inode`? */
  holds(pids: Iterable<number>, inode: number): boolean;
  /** Which of the processes `pids` has a TCP listener at `port`; null: none of them. */
  listenerAt(port: number, pids: Iterable<number>): number | null;
  /** Is `port` one of those that the kernel chooses from for a socket that asks for none? */
  isKernelsPort(port: number): boolean;
}

export interface LocalPeers {
  /**
   * The users at the other ends of all connections that this process accepted at its Unix socket `path`;
   * empty where the system does not tell.
   */
  localPeers(path: string): number[];
}

export interface NoDelay {
  /** TCP_NODELAY on every TCP socket that this process made, the runtime's own among them. */
  sendSmallAtOnce(): void;
}

/** A path by which the runtime's own calls reach a file, for as long as it is kept. */
export interface Reached extends Disposable {
  path: string;
}

/** Files and places whose names need not be UTF-8: text is in the form of osText (core/base/os_text.ts). */
export interface Files {
  /** Trees of this machine's system that no Linux has: with all below them they are never the target's. */
  readonly systemTrees: readonly string[];
  readLink(path: string): string | null;
  workingDirectory(): string;
  reach(path: string): Reached;
  /**
   * Why the kernel will start the program at `path` in a mode in which the dynamic linker loads nothing that
   * a variable names; or null.
   */
  secureReason(path: string, file: Deno.FileInfo): string | null;
  /** May files below `folder` be mapped to be run, and is there room for `bytes`? */
  mayMapThere(folder: string, bytes: number): boolean;
  /** True when this process may map the file at `path` to run it. */
  canMap(path: string): boolean;
  /**
   * The path of a new file in memory that holds `bytes` and may be run; it lives as long as this process.
   * null: none can be made.
   */
  memoryFile(name: string, bytes: Uint8Array): string | null;
}

/** What is known of processes; nothing of one that ended or may not be looked at. Texts are osText's. */
export interface Processes {
  allProcesses(): number[];
  /** The words of its command line; with a blank in one it may be two. */
  commandLine(pid: number): string[];
  /** Its variables, each ended by a zero byte; "" where they are not told. */
  environmentOf(pid: number): string;
  nameOf(pid: number): string;
  /**
   * The process that calls itself `pid` in its own process namespace and has the variable `entry`
   * (NAME=value); 0: it is not known.
   */
  processInside(pid: number, entry: string): number;
  /** The file of its program. */
  programOf(pid: number): string | null;
  directoryOf(pid: number): string | null;
  /** The files that it has mapped, with text around them; "" where they are not told. */
  mapsOf(pid: number): string;
  /** Seconds of a clock that goes on while the machine sleeps. */
  secondsSinceBoot(): number;
}

/** The functions of seal.zig's library (core/net/seal.zig). */
export interface SealLibrary {
  seal_record: (
    into: Uint8Array<ArrayBuffer>,
    text: Uint8Array<ArrayBuffer>,
    length: number,
    key: Uint8Array<ArrayBuffer>,
    number: number,
  ) => void;
  open_record: (
    into: Uint8Array<ArrayBuffer>,
    record: Uint8Array<ArrayBuffer>,
    length: number,
    key: Uint8Array<ArrayBuffer>,
    number: number,
  ) => number;
}

/** The seal by the processor's own instructions. */
export interface NativeSeal {
  hasInstructions(): boolean;
  /** Throws where the library in `file` cannot be loaded. */
  sealLibrary(file: URL): SealLibrary;
}

/** What to start; texts are osText's. The first argument is the program's name for itself. */
export interface ChildOptions {
  program: string;
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
}

/** A running child. */
export interface Child {
  readonly pid: number;
  /** Resolves with its exit code, 128 + n when signal n ended it. */
  readonly code: Promise<number>;
  readonly hasEnded: boolean;
}
