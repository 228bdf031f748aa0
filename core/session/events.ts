// What happens in a session, as typed events: every file of core/session emits them through the one `Emit`
// that its session was given. cmd/session_sentences.ts makes lines for people from them, cmd/ui.ts lines of
// JSON. docs/events.md lists them; events_test.ts compares that list with this file. Invariant: an event is
// plain JSON; a type or a field is never renamed.

/** Takes every event of a session, in order. */
export type Emit = (event: SessionEvent) => void;

/** The other end of a connection: "10.0.0.1:80", "[2001:db8::1]:80". */
type Peer = string;

/** What of a peer's bytes is not delivered. */
export interface Undelivered {
  peer: Peer;
  bytes: number;
}

/** Ports: of the pod, and of this machine. */
type PortEvent =
  /**
   * From where the port is reached: `opened` is why the cluster reaches it, or "loopback" when only the pod
   * does. isNews: it differs from the last.
   */
  | {
    type: "subscribed";
    port: number;
    mode: "steal" | "mirror";
    opened: "bound" | "declared" | "named" | "served" | "loopback";
    filtered: boolean;
    sparedProbes: ("http" | "https" | "tcp" | "grpc")[];
    declaredPorts: number[];
    isNews: boolean;
  }
  /** The app listens on a port that stays on this machine. */
  | {
    type: "keptLocal";
    port: number;
    reason: "anyPort" | "debugger" | "undeclared";
    debugger: string | null;
    isNews: boolean;
  }
  | { type: "subscriptionFailed"; port: number; mode: "steal" | "mirror"; reason: string }
  /** The app listens elsewhere than it asked, and still gets the pod's port. */
  | { type: "moved"; asked: number; actual: number; port: number }
  | { type: "released"; port: number; mode: "steal" | "mirror" }
  | { type: "releaseFailed"; port: number; reason: string }
  /** Nothing arrives between agent and session: the target answers new connections of the stolen ports. */
  | { type: "silent"; ports: number[] }
  /** connections: how many the target answered meanwhile; null: not known. */
  | { type: "heardAgain"; ports: number[]; milliseconds: number; connections: number | null }
  /**
   * mirrord is about to stop (Ctrl-Z): the target answers new connections of the stolen ports. seconds: for
   * so long the agent waits; null: it was not told.
   */
  | { type: "paused"; ports: number[]; seconds: number | null }
  /** It goes on, and the ports are stolen again. */
  | { type: "continued"; ports: number[]; milliseconds: number; connections: number | null };

/** Connections. */
type ConnectionEvent =
  /** port: the pod's, for an incoming connection; null for an outgoing one. */
  | { type: "connectionOpened"; direction: "incoming" | "outgoing"; port: number | null; peer: Peer }
  | { type: "connectionClosed"; direction: "incoming" | "outgoing"; port: number | null; peer: Peer }
  /**
   * An HTTP/1 request reached the app, and its answer has ended. path: without the query. status: the app's;
   * null: it gave none.
   */
  | {
    type: "request";
    mode: "steal" | "mirror";
    port: number;
    peer: Peer;
    method: string;
    host: string | null;
    path: string;
    status: number | null;
    milliseconds: number;
  }
  /** discarded: bytes of the app's answers. */
  | { type: "mirrorEnded"; port: number; discarded: number }
  | { type: "mirrorIncomplete"; port: number; reason: string }
  /** A client by IPv6 of an app that listens by IPv4 alone. */
  | { type: "foreignFamily"; port: number; client: string }
  | { type: "appUnreachable"; port: number; reason: string }
  | { type: "targetUnreachable"; peer: Peer; reason: string }
  | { type: "carryFailed"; protocol: "tcp" | "udp"; peer: string; reason: string }
  /**
   * A peer on loopback that this machine serves too, or alone; debugger: the port is one, as its user says
   * or by `debugger`.
   */
  | {
    type: "loopbackChosen";
    peer: Peer;
    served: "here" | "both" | "debugger";
    debugger: string | null;
  }
  | { type: "datagramsDropped"; count: number }
  /** The app ended; the session waits for what it sent. */
  | { type: "delivering"; rests: Undelivered[] }
  | { type: "deliveryHurried" }
  | { type: "deliveryLost"; rests: Undelivered[] };

/** Processes of the app, and what runs outside of the session. */
type ProcessEvent =
  | { type: "unhooked"; executable: string; reason: string }
  /** The program makes such calls past the C library. */
  | { type: "ownCalls"; executable: string; calls: "files" | "sockets" }
  /** pid: of the process to which the app hands work; null: not known. */
  | { type: "handedOver"; to: string; pid: number | null; help: string }
  | { type: "processWaits"; reason: string }
  | { type: "processRefused"; pid: number; executable: string; reason: "release" }
  /** pid and executable are null for a process that has not said hello. */
  | { type: "processGivenUp"; pid: number | null; executable: string | null; reason: string };

/** Files, names and variables of the target. */
type TargetEvent =
  /** Volumes of the target that are not read as such: programs of this machine have files there. */
  | { type: "volumesUnread"; paths: string[] }
  | { type: "unwatchable"; executable: string; path: string }
  | { type: "filesUnavailable"; reason: string }
  | { type: "missingFolder"; path: string }
  | { type: "readOnlyRefused"; action: string; path: string }
  /** What is written in `folder` stays on this machine. */
  | { type: "writesLocal"; folder: string }
  /** Bytes that a program without the layer wrote to a file of the target's. */
  | { type: "bytesLost"; path: string; bytes: number }
  | { type: "fileCloseFailed"; reason: string }
  | { type: "holderWaits"; reason: string }
  | { type: "agentTooOld"; lacks: "res_query" }
  /** Variables left in the target, since programs here would run or load something by them. */
  | { type: "variablesLeft"; names: string[] };

/**
 * `mirrord port-forward`. direction: outgoing, from this machine to what the target reaches; incoming, from a
 * port of the target to this machine. from: where clients come; to: where their bytes go.
 */
type ForwardEvent =
  | {
    type: "forwarding";
    direction: "outgoing" | "incoming";
    protocol: "tcp" | "udp";
    from: string;
    to: string;
  }
  /** A connection, or a client's datagrams, reached nobody. isNews: it differs from this forward's last. */
  | {
    type: "forwardFailed";
    direction: "outgoing" | "incoming";
    protocol: "tcp" | "udp";
    from: string;
    to: string;
    reason: string;
    isNews: boolean;
  }
  /** There is no agent. connections: so many were reset. seconds: until another is started. */
  | { type: "reconnecting"; reason: string; connections: number; seconds: number }
  | { type: "reconnected"; milliseconds: number };

/** The session itself. */
type OwnEvent =
  /** What the agent wants the developer to read. */
  | { type: "notice"; level: "info" | "warning" | "error"; text: string }
  | { type: "servingFailed"; reason: string }
  /** The session is over; the command's error reports it. */
  | { type: "lost"; reason: string };

/** Whatever happens in a session. */
export type SessionEvent = PortEvent | ConnectionEvent | ProcessEvent | TargetEvent | ForwardEvent | OwnEvent;

/** Which forward of `mirrord port-forward` an event is about. */
export type ForwardFacts = Omit<Extract<SessionEvent, { type: "forwarding" }>, "type">;
