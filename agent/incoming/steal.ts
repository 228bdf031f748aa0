// One stolen connection, from accept to its end. Called by incoming.ts for each that the kernel handed over.
//
// Theory of operation. The client (a session) gets an `incoming` frame for the connection, and its bytes at
// once; its answer decides which side the connection belongs to. States of an unfiltered connection:
//   offered   bytes to the session, a copy kept until the answer (the link's window bounds it); a reset of the peer
//             is passed on.
//   taken     bytes both ways, half-close and reset carried over; nothing is kept.
//   refused   the original is dialled, what was kept goes to it first, then bytes both ways; when it does not
//             answer, the peer is reset, as it would have been without us.
// Before `offered`, on a port that the kubelet probes, the first bytes of what may be a probe are awaited: a
// probe goes to the original (probes.ts). When the client falls silent (heartbeat.ts), an offered connection
// of which nothing was sent goes to the original, and another is reset, since the client may have passed it
// on.
// A taken one is reset when its peer has just asked, or asks from now on; one whose peer waits or listens
// goes on if the client comes back. Nothing is offered while it is doubtful whether the client is there.
// route.ts handles a filtered connection. A connection over the limit, or of a port given back meanwhile,
// goes to the original from the start. When the client ends, offered and taken ones are reset, except those
// that the app has ended, which the kernel delivers; those of the original get a moment to end by themselves.

import type { ByteChannel } from "../../protocol-wasm/mod.ts";
import { log } from "../../core/base/log.ts";
import { openWay, relay, settle } from "../../core/net/relay.ts";
import type { Socket } from "../../core/net/linux/socket.ts";
import { Route } from "./route.ts";
import { connectionLimit, Crowd } from "./crowd.ts";
import type { Context } from "./context.ts";
import type { Heartbeat } from "./heartbeat.ts";
import { Source } from "./source.ts";
import type { Subscription } from "./subscriptions.ts";
import { memoryRoom } from "../sys/memory.ts";
import { descriptorLimit } from "../sys/proc.ts";

/** A connection under way. */
interface Open {
  /** The client is gone: ends it at once, or as soon as the original has done its part. */
  leave(): void;
  /** The client is silent: what it may not have is not waited for. */
  silence(): void;
}

/** All connections of one client. */
export class Connections {
  readonly #context: Context;
  readonly #open = new Map<Socket, Open>();
  readonly #crowd: Crowd;
  #onEmpty: (() => void) | null = null;

  /** `say` notifies the developer. */
  constructor(
    context: Context,
    { heartbeat, say }: { heartbeat: Pick<Heartbeat, "setFull">; say(text: string): void },
  ) {
    this.#context = context;
    this.#crowd = new Crowd({
      limit: connectionLimit(descriptorLimit()),
      room: memoryRoom,
      heartbeat,
      say,
    });
  }

  /** Handles one accepted connection until it ends; never throws. */
  async serve(connection: Socket): Promise<void> {
    const claim = this.#context.subscriptions.claim(connection.localAddress.port);
    // A program dialled the listener itself: nothing is behind it.
    if (claim.kind === "none") return connection.reset();
    const fits = this.#crowd.enter();
    using counted = new DisposableStack();
    try {
      if (claim.kind === "original" || !fits) await this.#giveToOriginal(new Source(connection), connection);
      else if (claim.subscription.filter !== null) {
        await this.#filtered(connection, claim.subscription, counted);
      } else await this.#steal(connection, claim.subscription, counted);
    } catch (error) {
      await connection.resetInOrder();
      const why = error instanceof Error ? error.message : error;
      log.debug(`connection from ${connection.peerAddress.address} reset: ${why}`);
    } finally {
      await connection.closeInOrder();
      this.#open.delete(connection);
      this.#crowd.leave();
      if (this.#open.size === 0) this.#onEmpty?.();
    }
  }

  /**
   * The client is gone: its connections are reset, those of the original may end by themselves. Resolves when
   * all have ended, after `limitMs` by reset.
   */
  async leave(limitMs: number): Promise<void> {
    for (const open of [...this.#open.values()]) open.leave();
    if (this.#open.size === 0) return;
    const late = setTimeout(() => this.resetAll(), limitMs);
    await new Promise<void>((resolve) => this.#onEmpty = resolve);
    clearTimeout(late);
  }

  /** The client is silent. */
  silence(): void {
    for (const open of [...this.#open.values()]) open.silence();
  }

  /** Resets every connection. */
  resetAll(): void {
    for (const connection of [...this.#open.keys()]) connection.reset();
  }

  async #filtered(
    connection: Socket,
    subscription: Subscription,
    counted: DisposableStack,
  ): Promise<void> {
    using route = new Route(connection, subscription, this.#context);
    this.#open.set(connection, route);
    counted.use(this.#context.unsent.enter({ peer: connection.peerAddress, unsent: () => route.unsent }));
    await route.run();
  }

  async #steal(
    connection: Socket,
    { port, taker }: Subscription,
    counted: DisposableStack,
  ): Promise<void> {
    const silenced = Promise.withResolvers<"refused" | "reset">();
    const { heartbeat } = taker;
    const kept: Uint8Array[] = [];
    let state: "offered" | "taken" | "refused" | "reset" = "offered";
    let sentAt = -Infinity;
    this.#open.set(connection, {
      leave: () => connection.reset(),
      silence: () => {
        state = kept.length === 0 ? "refused" : "reset";
        silenced.resolve(state);
      },
    });
    const source = new Source(connection);
    const { probes, detectionMs } = this.#context;
    const spared = probes.has(port) && await probes.isProbe(port, source, { connection, detectionMs });
    if (spared || !await heartbeat.present()) return await this.#giveToOriginal(source, connection);
    const { channel, answer } = taker.offer(connection, { port, http: false });
    const sent = (bytes: Uint8Array): Uint8Array => {
      if (heartbeat.silent) throw new Error("the client is silent");
      sentAt = heartbeat.now;
      return bytes;
    };
    const ahead = async (): Promise<Uint8Array | null> => {
      const bytes = await source.peek();
      if (state === "refused") return new Promise<never>(() => {}); // the bytes are the original's
      if (bytes === null) return null;
      sent(bytes);
      source.consume(bytes.length);
      if (state === "offered") kept.push(bytes);
      return bytes;
    };
    let own: Uint8Array | null = null;
    const next = (bytes: Uint8Array | null) => own = bytes === null ? null : sent(bytes);
    const client: ByteChannel = {
      // What waits for the peer is most of what a connection costs: as little as can be once it is taken.
      read: () => state === "taken" && source.idle ? connection.read().then(next) : ahead(),
      release: (bytes) => {
        if (bytes === own) connection.release(bytes);
        else if (state === "taken") source.release(bytes);
      },
      write: (bytes) => source.write(bytes),
      closeWrite: () => source.closeWrite(),
      reset: () => connection.reset(),
      resetInOrder: () => connection.resetInOrder(),
    };
    const up = openWay(client, channel);
    void up.end.then((end) => end === "source" && channel.reset());
    state = await Promise.race([answer, silenced.promise]);
    if (state === "refused") {
      channel.reset();
      source.unread(kept);
      return await this.#giveToOriginal(source, connection);
    }
    if (state === "reset") {
      channel.reset();
      throw new Error("the client is silent");
    }
    kept.length = 0;
    this.#open.set(connection, {
      leave: () => connection.leave(),
      silence: () => heartbeat.mayBeLost(sentAt) && connection.reset(),
    });
    counted.use(this.#context.unsent.enter({
      peer: connection.peerAddress,
      unsent: () => channel.unread + connection.unsent,
    }));
    await settle(client, channel, [up, openWay(channel, client)]);
  }

  async #giveToOriginal(source: Source, connection: Socket): Promise<void> {
    this.#open.set(connection, { leave: () => {}, silence: () => {} });
    const original = await this.#context.subscriptions.dialOriginal(connection.localAddress);
    try {
      await relay(source, original);
    } finally {
      original.close();
    }
  }
}
