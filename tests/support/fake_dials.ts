// A session on macOS as the layer sees it when the app connects: no gates, but a listener of its own that
// is dialled once the outcome is told, and a UDP socket. What comes is sent back. Real frames; the test
// decides what becomes of a connect.

import { closeQuietly } from "../../core/session/streams.ts";
import dgram from "node:dgram";
import {
  type Address,
  connStream,
  decode,
  type LayerLink,
  layerMessages,
  Link,
  type Received,
} from "../../protocol-wasm/mod.ts";

import { deadline } from "./deadline.ts";

type Messages = typeof layerMessages;
type Frame = Received<Messages>;

/** The target's own end of every connection. */
const own: Address = { address: "10.1.2.3", port: 40000 };

export class FakeDials implements AsyncDisposable {
  /** What the layer said, in order: "connect ADDRESS PORT", "outcome", "dialled", "abandoned", "udp …". */
  readonly heard: string[] = [];
  /** The errno of a connect, 0 for none; the app waits for a promise. */
  decide: (remote: Address) => number | Promise<number> = () => 0;
  readonly #folder = Deno.makeTempDirSync({ prefix: "mirrord-layer-test." });
  readonly #layers: Deno.Listener;
  readonly #apps = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #datagrams: dgram.Socket;
  readonly #links = new Set<LayerLink>();
  readonly #conns = new Set<Deno.Conn>();
  readonly #serving: Promise<void>[] = [];
  readonly #asked = new Map<number, Address>();
  /** By port of the app's socket: resolves once the layer has named it. */
  readonly #named = new Map<number, PromiseWithResolvers<void>>();
  #datagramPort = 0;
  #remote: Address = own;

  private constructor(datagrams: dgram.Socket) {
    this.#datagrams = datagrams;
    this.#datagramPort = datagrams.address().port;
    datagrams.on("message", (bytes, from) => datagrams.send(bytes, from.port, from.address));
    this.#layers = Deno.listen({ transport: "unix", path: `${this.#folder}/session.sock` });
    Deno.writeTextFileSync(`${this.#folder}/session.sock.paths`, "0\n");
    this.#serving.push(this.#serve(), this.#serveApps());
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
    return {
      LD_PRELOAD: layer,
      MIRRORD_LAYER_SOCKET: `${this.#folder}/session.sock`,
      MIRRORD_SESSION_PID: String(Deno.pid),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const link of this.#links) link.close();
    for (const conn of this.#conns) conn.close();
    this.#layers.close();
    this.#apps.close();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#datagrams.close(resolve);
    await promise;
    await Promise.all(this.#serving);
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #serve(): Promise<void> {
    for await (const conn of this.#layers) this.#serving.push(this.#serveLink(conn));
  }

  async #serveApps(): Promise<void> {
    for await (const conn of this.#apps) this.#serving.push(this.#echo(conn));
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

  async #serveLink(conn: Deno.Conn): Promise<void> {
    const link: LayerLink = new Link(connStream(conn), layerMessages, { side: "agent" });
    this.#links.add(link);
    try {
      for await (const frame of link.received()) await this.#answer(link, frame);
    } catch {
      // The link ended in the middle of an answer: the app was ended.
    } finally {
      link.close();
      await link.closed;
      this.#links.delete(link);
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
