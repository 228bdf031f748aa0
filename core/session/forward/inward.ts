// From clients of the target's ports to programs that this machine reaches, over one agent: the whole port is
// stolen. Made by forwarding.ts. Invariant: a stolen connection that nothing here takes is handed back to the
// original, with every byte.

import { type AgentLink, E, parseIp, RemoteError } from "../../../protocol-wasm/mod.ts";
import { exitCodes, SessionError } from "../../base/errors.ts";
import { isLoopback } from "../../net/fit.ts";
import type { Socket } from "../../net/platform.ts";
import { relay } from "../../net/relay.ts";
import { SystemError } from "../../net/system_error.ts";
import { platform } from "../../net/this_platform.ts";
import type { Emit, ForwardFacts } from "../events.ts";
import type { Taker } from "../heard.ts";
import type { StolenConnection } from "../incoming.ts";
import type { IncomingRules } from "../incoming_rules.ts";
import { addressText } from "../../net/address.ts";
import { Listeners } from "../listeners.ts";
import { News } from "../openness.ts";
import type { Requests } from "../requests.ts";
import { Subscriptions } from "../subscriptions.ts";
import type { Carried } from "./carried.ts";
import type { Failures } from "./failures.ts";
import { type Place, placeText, type RemoteForward } from "./written.ts";

const { dialTcp } = await platform.network();

export interface InwardOptions {
  rules: IncomingRules;
  remotes: readonly RemoteForward[];
  carried: Carried;
  failures: Failures;
  emit: Emit;
  requests: Requests;
}

export class Inward implements Taker, Disposable {
  readonly subscriptions: Subscriptions;
  readonly #remotes: readonly RemoteForward[];
  readonly #carried: Carried;
  readonly #failures: Failures;
  readonly #emit: Emit;
  readonly #requests: Requests;

  constructor(agent: AgentLink, options: InwardOptions) {
    const { rules, remotes, carried, failures, emit, requests } = options;
    const listeners = new Listeners();
    for (const { port } of remotes) {
      // Every address of the port, as a listener on all of this machine's would have it.
      const address = { address: "::", port };
      const open = { who: "cluster", since: "bound" } as const;
      listeners.add({ asked: address, actual: address, only6: false, port, open });
    }
    this.subscriptions = new Subscriptions(agent, { rules, listeners, news: new News(), emit });
    this.#remotes = remotes;
    this.#carried = carried;
    this.#failures = failures;
    this.#emit = emit;
    this.#requests = requests;
  }

  /** Steals every port. Rejects with SessionError when one cannot be had. */
  async open(): Promise<void> {
    for (const { port } of this.#remotes) {
      try {
        await this.subscriptions.want(port);
      } catch (error) {
        if (!(error instanceof RemoteError)) throw error;
        const isTaken = error.errno === E.EADDRINUSE;
        throw new SessionError(
          /^Cannot steal/.test(error.message) ? error.message : `Cannot steal port ${port}: ${error.message}`,
          {
            exitCode: isTaken ? exitCodes.conflict : exitCodes.unavailable,
            ...(isTaken ? { help: "Only one session at a time can have all connections of a port." } : {}),
          },
        );
      }
    }
  }

  async connection({ port, peer, channel, take, refuse }: StolenConnection): Promise<void> {
    const forward = this.#remotes.find((one) => one.port === port);
    if (forward === undefined) return await refuse(E.ECONNREFUSED, `port ${port} is not forwarded`);
    const facts = remoteFacts(forward);
    let socket: Socket;
    try {
      socket = await dial(forward.to);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#failures.failed(facts, error);
      return await refuse(E.ECONNREFUSED, `nothing listens at ${facts.to}`);
    }
    this.#failures.worked(facts);
    const client = addressText(peer);
    const told = { direction: "incoming", port, peer: client } as const;
    this.#emit({ type: "connectionOpened", ...told });
    try {
      using one = this.#carried.enter(socket, client);
      using watched = this.#requests.watch(one.follow(channel), { mode: "steal", port, peer: client });
      await take();
      await relay(watched, socket);
    } finally {
      socket.close();
      this.#emit({ type: "connectionClosed", ...told });
    }
  }

  [Symbol.dispose](): void {
    this.subscriptions[Symbol.dispose]();
  }
}

/** What events say of a forward of a port of the target's. */
export function remoteFacts({ port, to }: RemoteForward): ForwardFacts {
  return { direction: "incoming", protocol: "tcp", from: `port ${port}`, to: placeText(to) };
}

/** Connects to `place` as programs of this machine would. Rejects with SystemError. */
async function dial({ host, port }: Place): Promise<Socket> {
  let failure: unknown = new SystemError("getaddrinfo", E.EHOSTUNREACH);
  for (const address of await addressesOf(host)) {
    try {
      return await dialTcp({ destination: { address, port }, acknowledges: isLoopback(address) });
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

async function addressesOf(host: string): Promise<string[]> {
  if (parseIp(host) !== null) return [host];
  const { lookup } = await import("node:dns/promises");
  const found = await lookup(host, { all: true }).catch(() => []);
  return found.map(({ address }) => address);
}
