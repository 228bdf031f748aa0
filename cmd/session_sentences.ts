// The line for people about an event of the session (core/session/events.ts), and its level. Called by ui.ts.
// An event without a line is for programs alone.

import type { LogLevel } from "../core/base/log.ts";
import { shownVariable, shownVariables } from "../core/session/env.ts";
import type { ForwardFacts, SessionEvent } from "../core/session/events.ts";
import { undeliveredText } from "../core/session/linger.ts";

/** One line, and from which level of MIRRORD_LOG it is shown. */
export interface Sentence {
  level: LogLevel;
  text: string;
}

type Event<Type extends SessionEvent["type"]> = Extract<SessionEvent, { type: Type }>;
type Sentences = { [Type in SessionEvent["type"]]: (event: Event<Type>) => Sentence | null };

const readOnlyRemedy =
  'To change the target\'s: feature.fs.mode "write", or feature.fs.read_write for such paths.';

const debug = (text: string): Sentence => ({ level: "debug", text });
const info = (text: string): Sentence => ({ level: "info", text });
const warning = (text: string): Sentence => ({ level: "warning", text });
const error = (text: string): Sentence => ({ level: "error", text });

const sentences: Sentences = {
  subscribed: (event) => ({ level: event.isNews ? "info" : "debug", text: subscribed(event) }),
  keptLocal: (event) => ({
    level: event.isNews ? "info" : "debug",
    text: `Port ${event.port} stays on this machine: ${keptReason(event)}`,
  }),
  subscriptionFailed: ({ port, mode, reason }) => {
    const action = `Cannot ${mode} port`;
    return error(reason.startsWith(action) ? reason : `${action} ${port}: ${reason}`);
  },
  moved: ({ asked, actual, port }) =>
    warning(
      `Local port ${asked} is not available: the app listens on local port ${actual} instead ` +
        `and still receives the pod's port ${port}`,
    ),
  released: ({ port, mode }) =>
    debug(
      `Port ${port} is ${
        mode === "steal" ? "the original's again" : "no longer mirrored"
      }: the app no longer listens on it`,
    ),
  releaseFailed: ({ port, reason }) => error(`Cannot give back port ${port}: ${reason}`),
  silent: ({ ports }) =>
    warning(
      `The link between agent and session is silent: the target answers new connections of ${
        portNames(ports)
      } until it works again`,
    ),
  heardAgain: ({ ports, milliseconds, connections }) => {
    const seconds = (milliseconds / 1000).toFixed(1);
    return info(
      `The link between agent and session works again after ${seconds} s: ${stolenAgain(ports, connections)}`,
    );
  },
  paused: ({ ports, seconds }) => {
    const whose = ports.length === 0
      ? ""
      : `: the target answers new connections of ${portNames(ports)} meanwhile`;
    const until = seconds === null
      ? ""
      : `. The session can be continued for ${Math.round(seconds / 60)} min`;
    return info(`Paused${whose}${until}`);
  },
  continued: ({ ports, milliseconds, connections }) =>
    info(
      `Continued after ${(milliseconds / 1000).toFixed(1)} s` +
        (ports.length === 0 ? "" : `: ${stolenAgain(ports, connections)}`),
    ),
  connectionOpened: () => null,
  connectionClosed: () => null,
  request: () => null,
  mirrorEnded: ({ port, discarded }) =>
    debug(`Port ${port}: a mirrored connection ended, ${discarded} bytes of the app's were dropped`),
  mirrorIncomplete: ({ port, reason }) => warning(`The mirror of port ${port} is incomplete: ${reason}`),
  foreignFamily: ({ port, client }) =>
    warning(
      `The app listens on port ${port} by IPv4 only: it sees clients that come by IPv6, such as ${client}, as 127.0.0.1`,
    ),
  appUnreachable: ({ port, reason }) =>
    warning(`Cannot reach the app on port ${port}, only the original answers: ${reason}`),
  targetUnreachable: ({ peer, reason }) => debug(`${peer} cannot be reached from the target: ${reason}`),
  carryFailed: ({ protocol, peer, reason }) =>
    error(`Cannot carry ${protocol === "tcp" ? "a connection" : "datagrams"} to ${peer}: ${reason}`),
  loopbackChosen: (event) => info(`The app connects to ${event.peer}: ${chosenReason(event)}`),
  datagramsDropped: ({ count }) =>
    warning(`${count} UDP datagrams were dropped: more arrived than could be forwarded`),
  delivering: ({ rests }) => info(`The app ended; mirrord delivers what it sent: ${undeliveredText(rests)}`),
  deliveryHurried: () =>
    info("The app's last bytes are still on their way; press Ctrl-C again to give them up"),
  deliveryLost: ({ rests }) =>
    error(`Cannot deliver everything that the app sent; lost: ${undeliveredText(rests)}`),
  unhooked: ({ executable, reason }) => warning(`${executable} runs outside the pod: ${reason}`),
  ownCalls: ({ executable, calls }) =>
    warning(
      calls === "files"
        ? `${executable} opens files without the C library: it reads and writes this machine's files, not the target's`
        : `${executable} connects without the C library: these connections are made from this machine, not from the target. ` +
          `For a Rust program, build with RUSTFLAGS="--cfg rustix_use_libc"`,
    ),
  handedOver: ({ to, pid, help }) =>
    warning(
      `The app hands work to ${to}${
        pid === null ? "" : ` (process ${pid})`
      }, which runs outside this session: what it starts runs outside the pod. ${help}`,
    ),
  processWaits: ({ reason }) => warning(`Cannot serve a new process of the app yet: ${reason}`),
  processRefused: ({ pid, executable }) =>
    error(`Cannot serve process ${pid} (${executable}): its layer comes from another release`),
  processGivenUp: ({ pid, executable, reason }) =>
    warning(
      `Cannot serve ${
        pid === null ? "a process of the app" : `process ${pid} (${executable})`
      } any more: ${reason}`,
    ),
  volumesUnread: ({ paths }) =>
    info(
      `Volumes of the target at ${
        paths.map((path) => `"${path}"`).join(", ")
      } are not read from the target: ` +
        "programs of this machine have files there. List the paths that the app needs in feature.fs.read_only.",
    ),
  unwatchable: ({ executable, path }) =>
    warning(
      `${executable} cannot watch ${path} for changes: it is the target's. ` +
        "Let the program poll, or make what it watches local (feature.fs.local).",
    ),
  filesUnavailable: ({ reason }) =>
    error(`${reason}. Without the target's files it goes on: "feature": {"fs": "local"}.`),
  missingFolder: ({ path }) =>
    warning(
      `Cannot enter "${path}": the target has no such directory, only this machine. ` +
        "To go to this machine's, make it local (feature.fs.local).",
    ),
  readOnlyRefused: ({ action, path }) =>
    warning(`Cannot ${action} "${path}": it is the target's, whose files are only read. ${readOnlyRemedy}`),
  writesLocal: ({ folder }) =>
    info(
      `What the app writes in "${folder}" stays on this machine: the target's files are only read. ${readOnlyRemedy}`,
    ),
  bytesLost: ({ path, bytes }) =>
    warning(
      `Cannot write ${bytes} bytes to "${path}" of the target: a program outside the session wrote them`,
    ),
  fileCloseFailed: ({ reason }) => warning(`Cannot close a file of the target cleanly: ${reason}`),
  holderWaits: ({ reason }) => warning(`Cannot watch an open file of the app yet: ${reason}`),
  agentTooOld: () => warning("The agent is too old for res_query(3): such look-ups fail"),
  variablesLeft: ({ names }) => {
    const rest = names.length > shownVariables ? ` and ${names.length - shownVariables} more` : "";
    return info(
      `Left out of the target's variables, because programs here would run or load something from them: ${
        names.slice(0, shownVariables).map(shownVariable).join(", ")
      }${rest} (docs/variables.md; "feature.env.include" takes the names that it lists)`,
    );
  },
  forwarding: (event) => info(`Forwarding ${forwardText(event)}`),
  forwardFailed: (event) => ({
    level: event.isNews ? "warning" : "debug",
    text: `Cannot forward ${forwardText(event)}: ${event.reason}${
      event.direction === "incoming" ? "; the target answers" : ""
    }`,
  }),
  reconnecting: ({ reason, connections, seconds }) =>
    warning(
      `${reason}. ${connectionsReset(connections)}` +
        `The next agent is started in ${seconds} s`,
    ),
  reconnected: ({ milliseconds }) => info(`Forwarding again, after ${(milliseconds / 1000).toFixed(1)} s`),
  notice: ({ level, text }) => ({ level, text }),
  servingFailed: ({ reason }) => error(`Cannot serve the session: ${reason}`),
  lost: () => null, // the command ends with an error that says so
};

/** What people read of `event`; null: nothing. */
export function sentenceOf<Type extends SessionEvent["type"]>(event: Event<Type>): Sentence | null {
  const sentence = sentences[event.type] as (event: Event<Type>) => Sentence | null;
  return sentence(event);
}

function subscribed(
  { port, mode, opened, filtered, sparedProbes, declaredPorts }: Event<"subscribed">,
): string {
  const verb = mode === "steal" ? "Stealing" : "Mirroring";
  const names = { http: "HTTP", https: "HTTPS", tcp: "TCP", grpc: "gRPC" };
  const kinds = [...new Set(sparedProbes.map((how) => names[how]))];
  const parts = [
    ...(filtered ? ["requests that match the filter"] : []),
    ...(kinds.length === 0 ? [] : [`not the kubelet's ${kinds.join(" and ")} probes`]),
  ];
  const conditions = parts.length === 0 ? "" : ` (${parts.join(", ")})`;
  const hint = declaredPorts.length === 0 || declaredPorts.includes(port)
    ? ""
    : `. The pod declares no port ${port}, only ${declaredPorts.join(", ")}: ` +
      `if nothing comes, map it: "port_mapping": [[${port}, ${declaredPorts[0]}]]`;
  return `${verb} port ${port}${conditions}: ${openedText[opened]}${hint}`;
}

const openedText: Record<Event<"subscribed">["opened"], string> = {
  bound: "open to the cluster",
  declared: "open to the cluster, as the pod declares this port",
  named: "open to the cluster, as the configuration names this port",
  served: "open to the cluster, as the target listens on this port",
  loopback: "only inside the pod, as the app listens on loopback and the target does not serve this port " +
    '(to open it, let the app listen on 0.0.0.0, or name the port in "incoming.ports")',
};

function connectionsReset(count: number): string {
  if (count === 0) return "";
  return count === 1 ? "1 connection was reset. " : `${count} connections were reset. `;
}

function forwardText({ direction, protocol, from, to }: ForwardFacts): string {
  const where = direction === "incoming" ? `${from} of the target` : from;
  return `${where} to ${to}${protocol === "udp" ? " by UDP" : ""}`;
}

function keptReason({ reason, debugger: name }: Event<"keptLocal">): string {
  switch (reason) {
    case "anyPort":
      return "the app left the choice of the port to the system " +
        '(port 0; "incoming": { "dynamic_ports": true } takes such ports)';
    case "debugger":
      return `it is the port of a debugger (${name})`;
    case "undeclared":
      return "the pod uses its node's network and does not declare this port";
  }
}

function chosenReason({ peer, served, debugger: name }: Event<"loopbackChosen">): string {
  switch (served) {
    case "debugger":
      return name === null
        ? "it is this machine's, as MIRRORD_IGNORE_DEBUGGER_PORTS names the port"
        : `the app's debugger (${name}) is looked for on this machine`;
    case "both":
      return 'both this machine and the target serve it: the app reaches the target\'s ("outgoing": {"filter": {"local": ' +
        `[":${peer.replace(/^.*:/, "")}"]}} chooses this machine's)`;
    case "here":
      return "it is this machine's, as the target does not serve it";
  }
}

function stolenAgain(ports: readonly number[], connections: number | null): string {
  const answered = connections === 1 ? "1 connection" : `${connections} connections`;
  const count = connections === null ? "" : `; the target answered ${answered} meanwhile`;
  return `${portNames(ports)} ${ports.length === 1 ? "is" : "are"} stolen again${count}`;
}

function portNames(ports: readonly number[]): string {
  return ports.length === 1 ? `port ${ports[0]}` : `the ports ${ports.join(", ")}`;
}
