// What the rooms above need of the operating system, as one interface. linux/ implements it, and
// this_platform.ts chooses. The agent runs on Linux only and uses linux/ directly. Failed calls are
// distinguished by errno: system_error.ts.

import type { Endpoint } from "./address.ts";
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
}

/** What a session's connections are made of. */
export interface Network extends Sockets, Loop, Gates, Datagrams, Listening {}

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
  signal?: AbortSignal;
}

export interface Sockets {
  /**
   * Connects. Rejects with SystemError (ECONNREFUSED without a listener; EADDRINUSE or EADDRNOTAVAIL when
   * the source port is taken, for this destination or wholly), or the signal's reason.
   */
  dialTcp(options: DialOptions): Promise<Socket>;
}

/** What serves the sockets. */
export interface Loop {
  /** Resolves once it has left its thread; at once while something is still watched. */
  unwatched(): Promise<void>;
}

/** A listener that leaves a connect waiting until the session answers it. */
export interface Gate extends Disposable {
  readonly address: Endpoint;
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

/** A UDP socket of the session's. */
export interface DatagramSocket {
  readonly localAddress: Endpoint;
  /** Bytes that came and were not read yet; datagrams that there was no room for. */
  readonly unread: number;
  readonly dropped: number;
  connect(remote: Endpoint): void;
  /** Ends what reads it once all that came is read, and nothing more comes for `lateMs`. */
  finish(lateMs: number): void;
  close(): void;
}

/** How a relay of datagrams treats the errors of its socket. */
export interface DatagramRelayOptions {
  /**
   * ECONNREFUSED means that the other end of the socket was closed: what it sent before is still carried.
   * Otherwise it is ignored.
   */
  endsRefused: boolean;
  /** So many datagrams were dropped for want of room. */
  dropped?: (count: number) => void;
}

export interface Datagrams {
  /** A socket at a free port of `host`. Throws SystemError where the family is missing. */
  bindDatagrams(host: string): DatagramSocket;
  readonly lateMs: number;
  /**
   * Carries datagrams both ways until the channel ends, or `finish` was called and all is carried; then both
   * are closed.
   */
  relayDatagrams(channel: ByteChannel, socket: DatagramSocket, options: DatagramRelayOptions): Promise<void>;
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
