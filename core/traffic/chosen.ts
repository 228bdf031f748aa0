// Which of what happens is shown and recorded: by the HTTP filter of the configuration. Called by
// cmd/dump.ts. On a port that the filter is for only matching requests count, with their answers and what a
// connection speaks after them; losses always do, as nobody knows whose they are.

import { compileFilter, type Filter } from "../../protocol-wasm/mod.ts";
import type { Connection } from "./conversations.ts";
import type { Exchange, TrafficEvent } from "./events.ts";

export class Chosen implements Disposable {
  readonly #filter: Filter | null;
  readonly #ports: readonly number[] | null;
  readonly #known = new WeakMap<Exchange, boolean>();
  /** Whether the last request of a connection matched. */
  readonly #last = new WeakMap<Connection, boolean>();

  /** `filter`: source text, "" = all. `ports`: those that it is for; null: all. Throws FilterError. */
  constructor(filter: string, ports: readonly number[] | null) {
    this.#filter = filter === "" ? null : compileFilter(filter);
    this.#ports = ports;
  }

  /** Is it to be shown? To be asked for every event, in order. */
  wants(event: TrafficEvent): boolean {
    if ("exchange" in event) return this.#wantsExchange(event.exchange);
    if (event.type === "lost" || !this.#isFor(event.connection)) return true;
    return this.#last.get(event.connection) ?? false;
  }

  [Symbol.dispose](): void {
    this.#filter?.[Symbol.dispose]();
  }

  #isFor({ target: { port } }: Connection): boolean {
    return this.#filter !== null && (this.#ports?.includes(port) ?? true);
  }

  #wantsExchange(exchange: Exchange): boolean {
    let wanted = this.#known.get(exchange);
    if (wanted === undefined) {
      const { connection, request } = exchange;
      wanted = !this.#isFor(connection) || (this.#filter?.matches(request.head.bytes) ?? true);
      this.#known.set(exchange, wanted);
      this.#last.set(connection, wanted);
    }
    return wanted;
  }
}
