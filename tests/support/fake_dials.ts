// A session on macOS as the layer sees it when the app connects: no gates, but a listener of its own that
// is dialled once the outcome is told, and a UDP socket. What comes is sent back. Real frames; the test
// decides what becomes of a connect.

import { closeQuietly } from "../../core/session/streams.ts";
import dgram from "node:dgram";
import {
  type Address,
  decode,
  type LayerLink,
  layerMessages,
  type Received,
} from "../../protocol-wasm/mod.ts";
import { deadline } from "./deadline.ts";
import { LayerDoor } from "./layer_door.ts";

type Frame = Received<typeof layerMessages>;

/** The target's own end of every connection. */
const own: Address = { address: "10.1.2.3", port: 40000 };

export class FakeDials implements AsyncDisposable {
  /** What the layer said, in order: "connect ADDRESS PORT", "outcome", "dialled", "abandoned", "udp …". */
  readonly heard: string[] = [];
  /** The errno of a connect, 0 for none; the app waits for a promise. */
  decide: (remote: Address) => number | Promise<number> = () => 0;
  readonly #door: LayerDoor;
  readonly #apps = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #datagrams: dgram.Socket;
  readonly #conns = new Set<Deno.Conn>();
  readonly #echoing: Promise<void>[] = [];
  readonly #asked = new Map<number, Address>();
  /** By port of the app's socket: resolves once the layer has named it. */
  readonly #named = new Map<number, PromiseWithResolvers<void>>();
  #datagramPort = 0;
  #remote: Address = own;

  private constructor(datagrams: dgram.Socket) {
    this.#datagrams = datagrams;
    this.#datagramPort = datagrams.address().port;
    datagrams.on("message", (bytes, from) => datagrams.send(bytes, from.port, from.address));
    this.#door = new LayerDoor(async (link) => {
      for await (const frame of link.received()) await this.#answer(link, frame);
    });
    this.#door.writePaths("0\n");
    this.#echoing.push(this.#serveApps());
  }

  static async start(): Promise<FakeDials> {
    const socket = dgram.createSocket("udp4");
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.bind(0, "127.0.0.1", resolve);
    await promise;
    return new FakeDials(socket);
  }

  /** What an app of this session finds in its environment. */
  env(layer: string): Record<string, string> {
    return this.#door.env(layer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#door.close();
    for (const conn of this.#conns) conn.close();
    this.#apps.close();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#datagrams.close(resolve);
    await promise;
    await Promise.all(this.#echoing);
    await this.#door[Symbol.asyncDispose]();
  }

  async #serveApps(): Promise<void> {
    for await (const conn of this.#apps) this.#echoing.push(this.#echo(conn));
  }

  #naming(port: number): PromiseWithResolvers<void> {
    const naming = this.#named.get(port) ?? Promise.withResolvers<void>();
    this.#named.set(port, naming);
    return naming;
  }

  async #echo(conn: Deno.TcpConn): Promise<void> {
    this.#conns.add(conn);
    const bytes = new Uint8Array(1000);
    try {
      await deadline(this.#naming(conn.remoteAddr.port).promise, "the layer names its socket");
      for (let got; (got = await conn.read(bytes)) !== null;) await conn.write(bytes.slice(0, got));
    } catch {
      // The app was ended, or the test is over.
    } finally {
      if (this.#conns.delete(conn)) {
        closeQuietly(conn);
      }
    }
  }

  async #answer(link: LayerLink, frame: Frame): Promise<void> {
    const port = (this.#apps.addr as Deno.NetAddr).port;
    const fields = {
      incoming: false,
      outgoing: true,
      dns: false,
      files: false,
      paths: new Uint8Array(),
      interfaces: false,
    };
    switch (frame.name) {
      case "hello":
        return await link.reply(frame, "helloReply", fields);
      case "connect": {
        const { address } = decode(layerMessages.connect, frame.body);
        const connection = this.#asked.size + 1;
        this.#asked.set(connection, address);
        this.heard.push(`connect ${address.address} ${address.port}`);
        const endpoint = { address: "127.0.0.1", port };
        return await link.reply(frame, "connectReply", { remote: true, connection, endpoint });
      }
      case "outcome": {
        const peer = this.#asked.get(decode(layerMessages.outcome, frame.body).connection) ?? own;
        this.heard.push("outcome");
        return await link.reply(frame, "outcomeReply", { errno: await this.decide(peer), local: own, peer });
      }
      case "dialled":
        this.heard.push("dialled");
        this.#naming(decode(layerMessages.dialled, frame.body).local.port).resolve();
        return;
      case "abandoned":
        this.heard.push("abandoned");
        return;
      case "associate": {
        const { address } = decode(layerMessages.associate, frame.body);
        this.heard.push(`udp ${address.address} ${address.port}`);
        this.#remote = address;
        const endpoint = { address: "127.0.0.1", port: this.#datagramPort };
        return await link.reply(frame, "associateReply", { remote: true, connection: 99, endpoint });
      }
      case "sender":
        return await link.reply(frame, "senderReply", { known: true, address: this.#remote });
      case "connection":
        return await link.reply(frame, "connectionReply", {
          known: false,
          connection: 0,
          local: own,
          peer: own,
        });
      default:
        throw new Error(`the layer sent "${frame.name}"`);
    }
  }
}
