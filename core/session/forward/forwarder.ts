// The forwards of one `mirrord port-forward`, over one agent after the other. Made by cmd/port_forward.ts.
//
// The ports of this machine are open from the beginning to the end; an agent comes (`use`) and goes.
// A client that comes while there is none waits a moment for the next one, then its connection is reset.

import { type AgentLink, LinkError } from "../../../protocol-wasm/mod.ts";
import { within } from "../../base/pause.ts";
import type { Socket } from "../../net/platform.ts";
import { platform } from "../../net/this_platform.ts";
import type { Details } from "../details.ts";
import type { Emit, ForwardFacts } from "../events.ts";
import type { IncomingRules } from "../incoming_rules.ts";
import { Requests } from "../requests.ts";
import { addressText } from "../../net/address.ts";
import { DatagramPort } from "./datagrams.ts";
import { Failures } from "./failures.ts";
import { Forwarding } from "./forwarding.ts";
import { remoteFacts } from "./inward.ts";
import { closePort, type LocalPort, openLocalPorts } from "./local_ports.ts";
import type { ClientDatagrams } from "./outward.ts";
import { TcpPort } from "./tcp_port.ts";
import { type LocalForward, placeText, type RemoteForward } from "./written.ts";

const { unwatched } = await platform.network();

/** How long a client waits for the next agent. */
const agentWaitMs = 10_000;

/** What is forwarded. */
export interface Forwards {
  locals: readonly LocalForward[];
  remotes: readonly RemoteForward[];
}

export interface ForwarderOptions {
  emit: Emit;
  /** Emit `request` events too. */
  requests?: boolean;
  /** What is told to programs that watch. */
  details?: Details;
}

export class Forwarder implements AsyncDisposable {
  readonly #ports: LocalPort[];
  readonly #remotes: readonly RemoteForward[];
  readonly #emit: Emit;
  readonly #requests: Requests;
  readonly #failures: Failures;
  readonly #served: (TcpPort | DatagramPort)[] = [];
  /** null: there is no agent. */
  #current: Forwarding | null = null;
  #next = Promise.withResolvers<Forwarding>();
  #isServing = false;

  /** Opens the ports of this machine. Throws MirrordError when one cannot be had. */
  constructor({ locals, remotes }: Forwards, { emit, requests = false, details }: ForwarderOptions) {
    this.#ports = openLocalPorts(locals);
    this.#remotes = remotes;
    this.#emit = emit;
    this.#requests = new Requests(requests ? emit : null, details);
    this.#failures = new Failures(emit);
  }

  /**
   * Forwards over `agent` until that is lost; the result is the caller's to dispose. rules: for the target's
   * ports. Rejects with SessionError when one of these cannot be had.
   */
  async use(agent: AgentLink, rules: IncomingRules | null): Promise<Forwarding> {
    const forwarding = new Forwarding(agent, {
      remotes: this.#remotes,
      rules: this.#remotes.length === 0 ? null : rules,
      failures: this.#failures,
      emit: this.#emit,
      requests: this.#requests,
    });
    try {
      await forwarding.open();
    } catch (error) {
      await forwarding[Symbol.asyncDispose]();
      throw error;
    }
    this.#current = forwarding;
    this.#next.resolve(forwarding);
    this.#next = Promise.withResolvers();
    void forwarding.lost.then(() => this.#current = null);
    this.#serve();
    return forwarding;
  }

  /** Emits an event for each forward: clients may come. */
  announce(): void {
    const all = [...this.#ports.map(({ forward }) => localFacts(forward)), ...this.#remotes.map(remoteFacts)];
    for (const facts of all) this.#emit({ type: "forwarding", ...facts });
  }

  /** Takes no more clients; what came is still carried. */
  async close(): Promise<void> {
    await Promise.all(this.#served.map((port) => port.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#next.promise.catch(() => {}); // nobody waits, perhaps
    this.#next.reject(new LinkError("the forward ends"));
    if (this.#served.length === 0) { for (const port of this.#ports) closePort(port); }
    await Promise.all(this.#served.map((port) => port[Symbol.asyncDispose]()));
    await unwatched();
  }

  #serve(): void {
    if (this.#isServing) return;
    this.#isServing = true;
    for (const port of this.#ports) {
      const { forward, protocol } = port;
      const facts = localFacts(forward);
      const served = protocol === "tcp"
        ? new TcpPort(port.listener, (socket) => this.#connection(socket, forward, facts))
        : new DatagramPort(port.conn, { carry: (client) => this.#datagram(client, forward, facts) });
      this.#served.push(served);
      void served.serve();
    }
  }

  /** Never rejects. */
  async #connection(socket: Socket, { to }: LocalForward, facts: ForwardFacts): Promise<void> {
    try {
      // Without a wait where there is an agent: after `close` every connection is one of it.
      const { outward } = this.#current ?? await this.#waited();
      await outward.connection(socket, to, () => this.#failures.worked(facts));
    } catch (error) {
      socket.reset();
      this.#failed(facts, error);
    }
  }

  /** Never rejects. */
  async #datagram(client: ClientDatagrams, { to }: LocalForward, facts: ForwardFacts): Promise<void> {
    try {
      const { outward } = this.#current ?? await this.#waited();
      await outward.datagrams(client, to, {
        opened: () => this.#failures.worked(facts),
        dropped: (count) => count > 0 && this.#emit({ type: "datagramsDropped", count }),
      });
    } catch (error) {
      this.#failed(facts, error);
    }
  }

  #failed(facts: ForwardFacts, error: unknown): void {
    // The agent's loss is one event, not one for each connection.
    if (!(error instanceof LinkError)) this.#failures.failed(facts, error);
  }

  /** The next agent's. */
  async #waited(): Promise<Forwarding> {
    const found = await within<Forwarding | null>(this.#next.promise, agentWaitMs, null);
    if (found === null) throw new Error("there is no agent to carry it");
    return found;
  }
}

function localFacts({ protocol, at, to }: LocalForward): ForwardFacts {
  return { direction: "outgoing", protocol, from: addressText(at), to: placeText(to) };
}
