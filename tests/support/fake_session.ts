// A session for tests of the layer: real frames over a real Unix socket, but the test decides what is managed
// and who the clients are. It dials the app's listeners as the session does: the real client is told by the
// local port. The invariant: every message of every link is kept, in order of arrival, for the test to read
// or to wait for.

import {
  type Address,
  type Body,
  decode,
  type LayerLink,
  layerMessages,
  type Received,
  tableHash,
} from "../../protocol-wasm/mod.ts";
import { osBytes, osText } from "../../core/base/os_text.ts";
import { deadline } from "./deadline.ts";
import { fakeLinks, fakeRequest } from "./fake_interfaces.ts";
import type { FakeFiles } from "./fake_files.ts";
import { LayerDoor } from "./layer_door.ts";

type Messages = typeof layerMessages;

/** What the session answers; all is managed unless said otherwise. */
export interface FakeAnswers {
  incoming?: boolean;
  managed?: (asked: Address) => boolean;
  suggested?: (asked: Address) => number;
  /** No other port than the suggested one will do. */
  fixed?: boolean;
  /** Where an address that this machine has not is bound; the loopback unless said otherwise. */
  place?: (asked: Address) => Address;
  /** `bind` is answered when this has resolved. */
  before?: (asked: Address) => Promise<void> | undefined;
  /** errno for `bind` and `listen`; 0 = fine. */
  bindErrno?: (asked: Address) => number;
  listenErrno?: (asked: Address) => number;
  /** Interfaces are the target's: one, of fake_interfaces.ts. */
  interfaces?: boolean;
  /** What is started in place of a program, and in place of its first argument. */
  programs?: Record<string, { path: string; words: string[] }>;
  /** The target's files; without them none are caught. */
  files?: FakeFiles;
}

/** One message of a layer. `link` counts the links from 1 in order of their opening. */
export interface Heard {
  name: string;
  link: number;
  pid: number;
  /** What hello gave as the same for all links of a process. */
  process: bigint;
  asked?: Address;
  anyPort?: boolean;
  actual?: Address;
  /** Of `unhooked`. */
  executable?: string;
  reason?: string;
}

/** Real client and pod's own address of a connection. */
export interface Client {
  peer: Address;
  local: Address;
}

export class FakeSession implements AsyncDisposable {
  readonly heard: Heard[] = [];
  /** Set by a test before the app asks. */
  answers: FakeAnswers;
  links = 0;
  readonly #door = new LayerDoor((link) => this.#serve(link, ++this.links));
  readonly #holds = Deno.listen({ transport: "unix", path: `${this.#door.path}.files` });
  readonly #holding = this.#serveHolds();
  readonly #asked = new Map<string, Address>();
  readonly #clients = new Map<number, Client>();
  readonly #dialing = new Set<Promise<unknown>>();
  readonly #waiting = new Set<() => void>();
  readonly #held = new Set<Promise<void>>();

  constructor(answers: FakeAnswers = {}) {
    this.answers = answers;
  }

  /** What an app of this session finds in its environment. */
  env(layer: string): Record<string, string> {
    const { files } = this.answers;
    this.#door.writePaths(files === undefined ? "0\n" : `1\n${files.rules}`);
    return this.#door.env(layer);
  }

  /** Ends all links and takes no more, as a session that was killed. */
  lose(): void {
    this.#door.close();
    try {
      this.#holds.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  /** Resolves with the first message, heard or to come, that fits. */
  async hear(what: string, fits: (heard: Heard) => boolean): Promise<Heard> {
    for (;;) {
      const found = this.heard.find(fits);
      if (found !== undefined) return found;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.add(resolve);
      await deadline(promise, `the layer says ${what}`);
      this.#waiting.delete(resolve);
    }
  }

  /** The listener for the asked `port`, once the app has one. */
  listener(port: number): Promise<Heard> {
    return this.hear(`listen ${port}`, (heard) => heard.name === "listen" && heard.asked?.port === port);
  }

  /** A connection of the pod's `client` to the listener really at `actual`. */
  async dial(actual: Address, client: Client): Promise<Deno.TcpConn> {
    const hostname = { "0.0.0.0": "127.0.0.1", "::": "::1" }[actual.address] ?? actual.address;
    const dialed = Deno.connect({ hostname, port: actual.port });
    const told = dialed.then((conn) => this.#clients.set(conn.localAddr.port, client));
    this.#dialing.add(told);
    try {
      await told;
      return await dialed;
    } finally {
      this.#dialing.delete(told);
    }
  }

  count(name: string): number {
    return this.heard.filter((heard) => heard.name === name).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.lose();
    await Promise.all([this.#holding, ...this.#held]);
    await this.#door[Symbol.asyncDispose]();
  }

  async #serveHolds(): Promise<void> {
    for await (const conn of this.#holds) {
      if (this.answers.files === undefined) conn.close();
      else this.#held.add(this.answers.files.hold(conn));
    }
  }

  async #serve(link: LayerLink, number: number): Promise<void> {
    let pid = 0;
    let process = 0n;
    try {
      for await (const frame of link.received()) {
        if (frame.name === "hello") ({ pid, process } = decode(layerMessages.hello, frame.body));
        await this.#answer(link, frame, { name: frame.name, link: number, pid, process });
      }
    } finally {
      this.#keep({ name: "end", link: number, pid, process });
    }
  }

  #keep(heard: Heard): void {
    this.heard.push(heard);
    for (const resolve of this.#waiting) resolve();
  }

  async #answer(link: LayerLink, frame: Received<Messages>, heard: Heard): Promise<void> {
    const { incoming, managed, suggested, bindErrno, listenErrno } = this.answers;
    switch (frame.name) {
      case "hello": {
        const { tables } = decode(layerMessages.hello, frame.body);
        if (tables !== tableHash(layerMessages)) throw new Error("the layer was built from another table");
        this.#keep(heard);
        return await link.reply(frame, "helloReply", {
          incoming: incoming ?? true,
          outgoing: false,
          dns: false,
          files: this.answers.files !== undefined,
          paths: new TextEncoder().encode(this.answers.files?.rules ?? ""),
          interfaces: this.answers.interfaces ?? false,
        });
      }
      case "unhooked": {
        const { executable, reason } = decode(layerMessages.unhooked, frame.body);
        return this.#keep({ ...heard, executable: osText(executable), reason });
      }
      case "program": {
        const { path } = decode(layerMessages.program, frame.body);
        const found = this.answers.programs?.[osText(path)] ?? { path: osText(path), words: [] };
        const words = osBytes(found.words.map((word) => `${word}\0`).join(""));
        return await link.reply(frame, "programReply", { path: osBytes(found.path), arguments: words });
      }
      case "netlink":
        return await link.reply(frame, "netlinkReply", { messages: fakeLinks() });
      case "interface": {
        const { command, request } = decode(layerMessages.interface, frame.body);
        return await link.reply(frame, "interfaceReply", { content: fakeRequest(command, request) });
      }
      case "bind": {
        const { address } = decode(layerMessages.bind, frame.body);
        this.#keep({ ...heard, asked: address });
        await this.answers.before?.(address);
        const errno = bindErrno?.(address) ?? 0;
        if (errno !== 0) return await link.fail(frame, errno, "refused by the test");
        return await link.reply(frame, "bindReply", {
          managed: managed?.(address) ?? true,
          suggested: suggested?.(address) ?? 0,
          fixed: this.answers.fixed ?? false,
          place: this.answers.place?.(address) ?? {
            address: address.address.includes(":") ? "::1" : "127.0.0.1",
            port: address.port,
          },
        });
      }
      case "listen": {
        const { asked, actual, anyPort } = decode(layerMessages.listen, frame.body);
        const errno = listenErrno?.(asked) ?? 0;
        if (errno === 0) this.#asked.set(key(actual), asked);
        this.#keep({ ...heard, asked, actual, anyPort });
        if (errno !== 0) return await link.fail(frame, errno, "refused by the test");
        return await link.reply(frame, "listenReply", { managed: managed?.(asked) ?? true });
      }
      case "accepted":
        return await this.#accepted(link, frame, heard);
      case "listener": {
        const { actual } = decode(layerMessages.listener, frame.body);
        const asked = this.#asked.get(key(actual));
        this.#keep({ ...heard, actual });
        return await link.reply(frame, "listenerReply", {
          known: asked !== undefined,
          asked: asked ?? actual,
        });
      }
      case "bound": {
        const { asked, actual } = decode(layerMessages.bound, frame.body);
        this.#asked.set(key(actual), asked);
        this.#keep({ ...heard, asked, actual });
        return await link.reply(frame, "boundReply", {});
      }
      case "looped":
        this.#keep(heard);
        return await link.reply(frame, "loopedReply", {});
      case "closed": {
        const { actual } = decode(layerMessages.closed, frame.body);
        this.#keep({ ...heard, actual });
        return await link.reply(frame, "closedReply", {});
      }
      default:
        return await this.#file(link, frame);
    }
  }

  async #file(link: LayerLink, frame: Received<Messages>): Promise<void> {
    const answer = this.answers.files?.answer(frame.name, frame.body);
    if (answer === undefined) throw new Error(`the layer sent "${frame.name}"`);
    if (answer === null) return;
    if ("errno" in answer) return await link.fail(frame, answer.errno, "refused by the target");
    await link.reply(frame, answer.name, answer.body as Body<Messages[typeof answer.name]>);
  }

  async #accepted(link: LayerLink, frame: Received<Messages>, heard: Heard): Promise<void> {
    const { listener, peer } = decode(layerMessages.accepted, frame.body);
    if (!this.#clients.has(peer.port)) await Promise.allSettled(this.#dialing);
    const client = this.#clients.get(peer.port);
    const reply: Body<Messages["acceptedReply"]> = client === undefined
      ? { known: false, peer, local: listener }
      : { known: true, ...client };
    this.#keep({ ...heard, actual: listener });
    await link.reply(frame, "acceptedReply", reply);
  }
}

function key(address: Address): string {
  return `${address.address} ${address.port}`;
}
