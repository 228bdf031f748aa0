// The kubelet's probes of stolen ports, which are left to the original whatever the app does: a program at a
// breakpoint must not make the kubelet restart the pod. Owned by incoming.ts, asked by steal.ts and route.ts.
// The client sends the probes that the pod declares (`probe`). An HTTP probe is recognized by its request.
// TLS and HTTP/2 are not read, so a connection of the node's own processes counts as the probe there. A TCP
// probe opens a connection and closes it without sending a byte.

import type { Socket } from "../../core/net/linux/socket.ts";
import { compileFilter, type Filter, HttpReader, probeKinds } from "../../protocol-wasm/mod.ts";
import { Detection } from "./detection.ts";
import { Nodes, type Origin } from "./nodes.ts";
import { firstReady, type Source } from "./source.ts";

/** A probe as the client sends it. */
export interface ProbeRule {
  how: number;
  filter: string;
}

interface Port {
  kinds: Set<number>;
  requests: Map<string, Filter>;
}

/** The first byte of TLS (RFC 8446, 5.1: handshake), and the first ones of HTTP/2 (RFC 9113, 3.4). */
const tlsHandshake = 22;
const http2Preface = new TextEncoder().encode("PRI ");
/**
 * A port that is probed by TCP alone may have clients that wait for its first word: they are given up for a
 * probe after this.
 */
const wordlessMs = 1000;
/**
 * How the kubelet's HTTP probes name themselves (Kubernetes documentation, "HTTP probes"): for a client that
 * sends no more.
 */
const anyProbe = JSON.stringify({ header: "^user-agent: kube-probe/" });

export class Probes implements Disposable {
  readonly #ports = new Map<number, Port>();
  #nodes: Nodes | null = null;
  /** A probe came from where the kubelet is expected: no other address can be the kubelet's. */
  #sure = false;

  /** `port` has this probe; the kubelet may ask from `nodes`. Throws FilterError. */
  add(port: number, { how, filter }: ProbeRule, nodes: readonly string[]): void {
    const known = this.#ports.get(port) ?? { kinds: new Set(), requests: new Map() };
    if (how === probeKinds.http && !known.requests.has(filter)) {
      known.requests.set(filter, compileFilter(filter));
    }
    known.kinds.add(how);
    this.#ports.set(port, known);
    this.#nodes ??= new Nodes();
    this.#nodes.learn(nodes);
  }

  /** `port` is probed by HTTP, by a client that sends no more about it. */
  addUnknown(port: number): void {
    if (!this.#ports.has(port)) this.add(port, { how: probeKinds.http, filter: anyProbe }, []);
  }

  /** Whether `port` has any. */
  has(port: number): boolean {
    return this.#ports.has(port);
  }

  /** Where a connection of `port` comes from; null when that is nothing to it. Asked once for each. */
  origin(port: number, connection: Socket): Origin | null {
    if (!this.#ports.has(port) || this.#nodes === null) return null;
    return this.#nodes.origin(connection);
  }

  /** Is this the head of an HTTP probe of `port`? */
  isRequest(port: number, origin: Origin | null, head: Uint8Array): boolean {
    if (origin === null || (origin === "other" && this.#sure)) return false;
    const requests = [...this.#ports.get(port)?.requests.values() ?? []];
    if (!requests.some((filter) => filter.matches(head))) return false;
    if (origin === "node") this.#sure = true;
    return true;
  }

  /** Is the stream a probe of `port`? What was read to know it is put back. Resolves when that is clear. */
  async isProbe(port: number, source: Source, { connection, detectionMs }: {
    connection: Socket;
    detectionMs: number;
  }): Promise<boolean> {
    const origin = this.origin(port, connection);
    const { kinds } = this.#ports.get(port) ?? { kinds: new Set() };
    const byHttp = kinds.has(probeKinds.http);
    if (origin === null || (origin === "other" && (this.#sure || !byHttp))) return false;
    using reader = new HttpReader("request");
    using detection = new Detection(detectionMs);
    using wordless = timer(kinds.size === 1 && kinds.has(probeKinds.tcp) ? wordlessMs : null);
    const read: Uint8Array[] = [];
    try {
      for (;;) {
        await Promise.race([firstReady(source), detection.late, wordless.over]);
        if (!source.ready) return false;
        const bytes = await source.peek();
        if (bytes === null) return read.length === 0 && origin === "node" && kinds.has(probeKinds.tcp);
        if (read.length === 0 && origin === "node") {
          if (kinds.has(probeKinds.https) && bytes[0] === tlsHandshake) return true;
          if (kinds.has(probeKinds.grpc) && http2Preface.every((byte, at) => bytes[at] === byte)) return true;
        }
        if (!byHttp) return false;
        source.consume(bytes.length);
        read.push(bytes);
        const { state } = reader.next(bytes);
        if (state !== "more") return state === "head" && this.isRequest(port, origin, reader.head);
        detection.take(bytes);
      }
    } finally {
      source.unread(read);
    }
  }

  [Symbol.dispose](): void {
    for (const { requests } of this.#ports.values()) {
      for (const filter of requests.values()) filter[Symbol.dispose]();
    }
    this.#ports.clear();
  }
}

/** `over` resolves after `milliseconds`; null: never. */
function timer(milliseconds: number | null): Disposable & { over: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const id = milliseconds === null ? undefined : setTimeout(resolve, milliseconds);
  return { over: promise, [Symbol.dispose]: () => clearTimeout(id) };
}
