// Where the layers of an app reach a session that a test plays: a Unix socket in a folder of its own, and a
// real link for each connection. Used by the fake sessions beside it, each of which answers in its own way.

import { connStream, type LayerLink, layerMessages, Link } from "../../protocol-wasm/mod.ts";

/** What an app finds in its environment when the session's socket is at `path`. */
export function layerEnv(layer: string, path: string): Record<string, string> {
  return { LD_PRELOAD: layer, MIRRORD_LAYER_SOCKET: path, MIRRORD_SESSION_PID: String(Deno.pid) };
}

export class LayerDoor implements AsyncDisposable {
  readonly path: string;
  readonly #folder = Deno.makeTempDirSync({ prefix: "mirrord-layer-test." });
  readonly #listener: Deno.Listener;
  readonly #links = new Set<LayerLink>();
  readonly #serving: Promise<void>[] = [];

  /** `serve` answers what comes on one link, until that ends. */
  constructor(serve: (link: LayerLink) => Promise<void>) {
    this.path = `${this.#folder}/session.sock`;
    this.#listener = Deno.listen({ transport: "unix", path: this.path });
    this.#serving.push(this.#accept(serve));
  }

  env(layer: string): Record<string, string> {
    return layerEnv(layer, this.path);
  }

  /** Writes the table of paths that a layer reads before it asks anything. */
  writePaths(table: string): void {
    Deno.writeTextFileSync(`${this.path}.paths`, table);
  }

  /** Ends all links and takes no more, as a session that was killed. */
  close(): void {
    for (const link of this.#links) link.close();
    try {
      this.#listener.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await Promise.all(this.#serving);
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #accept(serve: (link: LayerLink) => Promise<void>): Promise<void> {
    for await (const conn of this.#listener) this.#serving.push(this.#serve(conn, serve));
  }

  async #serve(conn: Deno.Conn, serve: (link: LayerLink) => Promise<void>): Promise<void> {
    const link: LayerLink = new Link(connStream(conn), layerMessages, { side: "agent" });
    this.#links.add(link);
    try {
      await serve(link);
    } catch {
      // The link ended in the middle of an answer: the app was ended.
    } finally {
      link.close();
      await link.closed;
      this.#links.delete(link);
    }
  }
}
