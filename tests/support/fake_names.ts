// A session that knows names only, for tests of the layer: real frames over a real Unix socket, the test
// decides what every name leads to. What was asked is kept, in order of arrival.

import {
  decode,
  type LayerLink,
  layerMessages,
  packAddresses,
  type Received,
  unpackAddresses,
} from "../../protocol-wasm/mod.ts";
import { LayerDoor } from "./layer_door.ts";

type Frame = Received<typeof layerMessages>;

/** What a name or an address leads to; all that is left out is empty. */
export interface FakeHost {
  local?: boolean;
  ending?: number;
  name?: string;
  aliases?: string[];
  addresses?: string[];
  /** So often the layer is told to ask again. */
  pending?: number;
  /** Instead of `aliases` and `addresses`, whatever they may mean. */
  raw?: { aliases: Uint8Array; addresses: Uint8Array };
  /** Called when it is asked for; the answer waits for it. */
  before?: () => Promise<void> | void;
  /** The session refuses with this errno. */
  errno?: number;
}

/** What a question to the name servers leads to; all that is left out is empty. */
export interface FakeReply {
  local?: boolean;
  ending?: number;
  errno?: number;
  stream?: boolean;
  reply?: Uint8Array;
  pending?: number;
  /** The session refuses with this errno. */
  refused?: number;
}

export interface FakeNamesOptions {
  dns?: boolean;
  hosts?: Record<string, FakeHost>;
  /** By name; "" for whole queries. */
  replies?: Record<string, FakeReply>;
  /** The target's own name; null: this machine's. */
  hostName?: string | null;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export class FakeNames implements AsyncDisposable {
  /**
   * `lookup NAME FAMILY FLAGS PORT`, with ` again` behind it where it is, `reverse ADDRESS`, `hostName`,
   * `found NAME ADDRESS…`, `resolve NAME CLASS TYPE FLAGS ROOM` or `resolve LENGTH FLAGS` of a whole query,
   * `resolved NAME LENGTH`.
   */
  readonly asked: string[] = [];
  readonly #options: FakeNamesOptions;
  readonly #door: LayerDoor;

  constructor(options: FakeNamesOptions = {}) {
    this.#options = options;
    this.#door = new LayerDoor(async (link) => {
      for await (const frame of link.received()) await this.#answer(link, frame);
    });
  }

  /** What an app of this session finds in its environment. */
  env(layer: string): Record<string, string> {
    return this.#door.env(layer);
  }

  /** Ends all links and takes no more. */
  lose(): void {
    this.#door.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#door[Symbol.asyncDispose]();
  }

  async #answer(link: LayerLink, frame: Frame): Promise<void> {
    const { dns = true, hostName = null } = this.#options;
    if (frame.name === "hello") {
      const floors = {
        incoming: false,
        outgoing: false,
        dns,
        files: false,
        paths: new Uint8Array(),
        interfaces: false,
      };
      return await link.reply(frame, "helloReply", floors);
    }
    if (frame.name === "hostName") {
      this.asked.push("hostName");
      const reply = { local: hostName === null, name: bytes(hostName ?? "") };
      return await link.reply(frame, "hostNameReply", reply);
    }
    if (frame.name === "found") {
      const { name, addresses } = decode(layerMessages.found, frame.body);
      this.asked.push(["found", text(name), ...unpackAddresses(addresses)].join(" "));
      return await link.reply(frame, "foundReply", {});
    }
    if (frame.name === "lookup") {
      const { again, name, family, flags, port } = decode(layerMessages.lookup, frame.body);
      this.asked.push(`lookup ${text(name)} ${family} ${flags} ${port}${again ? " again" : ""}`);
      return await this.#host(link, frame, text(name));
    }
    if (frame.name === "resolve") return await this.#reply(link, frame);
    if (frame.name === "resolved") {
      const { name, reply } = decode(layerMessages.resolved, frame.body);
      this.asked.push(`resolved ${text(name)} ${reply.length}`);
      return await link.reply(frame, "resolvedReply", {});
    }
    if (frame.name !== "reverse") throw new Error(`the layer sent "${frame.name}"`);
    const { address } = decode(layerMessages.reverse, frame.body);
    this.asked.push(`reverse ${address.address}`);
    await this.#host(link, frame, address.address);
  }

  async #reply(link: LayerLink, frame: Frame): Promise<void> {
    const { again, flags, class: asked, type, room, name, query } = decode(layerMessages.resolve, frame.body);
    const what = query.length > 0
      ? `${query.length} ${flags}`
      : `${text(name)} ${asked} ${type} ${flags} ${room}`;
    this.asked.push(`resolve ${what}${again ? " again" : ""}`);
    const found = this.#options.replies?.[text(name)] ?? { ending: 1 };
    const { local = false, ending = 0, errno = 0, stream = false, reply = bytes(""), refused } = found;
    if (refused !== undefined) return await link.fail(frame, refused, "refused by the test");
    const pending = found.pending !== undefined && found.pending-- > 0;
    await link.reply(frame, "resolveReply", { pending, local, ending, errno, stream, reply });
  }

  async #host(link: LayerLink, frame: Frame, key: string): Promise<void> {
    const host = this.#options.hosts?.[key] ?? { ending: 1 };
    await host.before?.();
    if (host.pending !== undefined && host.pending-- > 0) {
      const later = { pending: true, local: false, ending: 0, name: bytes(""), aliases: bytes("") };
      if (frame.name === "reverse") return await link.reply(frame, "reverseReply", later);
      return await link.reply(frame, "lookupReply", { ...later, addresses: bytes("") });
    }
    if (host.errno !== undefined) return await link.fail(frame, host.errno, "refused by the test");
    const { local = false, ending = 0, name = key } = host;
    const aliases = host.raw?.aliases ?? bytes((host.aliases ?? []).map((alias) => `${alias}\0`).join(""));
    const reply = { pending: false, local, ending, name: bytes(name), aliases };
    if (frame.name === "reverse") return await link.reply(frame, "reverseReply", reply);
    const addresses = host.raw?.addresses ?? packAddresses(host.addresses ?? []);
    await link.reply(frame, "lookupReply", { ...reply, addresses });
  }
}

function text(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}
