// One session as the agent sees it: owns its link and its floors, and gives each request to the floor that
// answers it. Made by main.ts from a proven link. Its end frees all of them, whatever the reason.

import { type AgentFrame, type AgentLink, isErrno, noticeLevel } from "../protocol-wasm/mod.ts";
import { Dns } from "./dns.ts";
import { Env } from "./env.ts";
import { described, Failure } from "./failure.ts";
import { Files } from "./files.ts";
import type { FileThreads } from "./files/threads.ts";
import type { Floor } from "./floor.ts";
import { Incoming, type IncomingOptions } from "./incoming/incoming.ts";
import { Interfaces } from "./interfaces.ts";
import { Packets } from "./incoming/packets.ts";
import { Outgoing } from "./outgoing.ts";
import { Room } from "./room.ts";
import { E } from "./sys/libc.ts";
import type { TargetProcess } from "./sys/proc.ts";
import { Unsent } from "./unsent.ts";

/** Why a client ended: it said goodbye, or its link did. */
export type ClientEnd = { kind: "goodbye" } | { kind: "lost"; reason: string };

/** Requests under way at a time, and the bytes of their bodies; beyond it the next ones wait in the link. */
const requestLimits = { count: 8192, bytes: 16 << 20 };
/** Of these there are as many as connections may be open (outgoing.ts): each waits for a peer. */
const dials: readonly string[] = ["connect", "connectFrom"];

export interface ClientOptions extends IncomingOptions {
  target: TargetProcess;
  /** For a program that serves one client after another (tests/fuzz): threads that none of them ends. */
  fileThreads?: FileThreads;
}

export class Client implements AsyncDisposable {
  readonly #link: AgentLink;
  readonly #incoming: Incoming;
  readonly #floors: readonly Floor[];
  readonly #room = new Room(requestLimits);

  constructor(link: AgentLink, options: ClientOptions) {
    this.#link = link;
    const { target } = options;
    const unsent = new Unsent(link);
    this.#incoming = new Incoming(link, unsent, options);
    this.#floors = [
      this.#incoming, // the first to end: new connections are the original's from then on
      new Packets(link, target),
      new Outgoing(link, unsent),
      new Dns(link, target),
      new Files(link, target, options.fileThreads),
      new Interfaces(link, target),
      new Env(link, target),
      unsent,
    ];
  }

  /** Notifies the developer why this agent is about to leave; resolves when the notice is on its way. */
  async tellEnd(text: string): Promise<void> {
    await this.#link.send("notice", 0, { level: noticeLevel("error"), text }).catch(() => {}); // the link is over already
  }

  /** Loads the kernel part of stealing now. Throws Failure with what is missing. */
  prepareSteal(): void {
    this.#incoming.prepareSteal();
  }

  /** Loads the kernel part of mirroring now. Throws Failure with what is missing. */
  prepareMirror(): void {
    this.#incoming.prepareMirror();
  }

  /** Answers requests until the client sends goodbye or its link ends. */
  async serve(frames: AsyncIterator<AgentFrame>): Promise<ClientEnd> {
    for (let next = await frames.next(); !next.done; next = await frames.next()) {
      const frame = next.value;
      if (frame.name === "goodbye") {
        this.#incoming.giveBack();
        await this.#link.reply(frame, "goodbye", {}).catch(() => {}); // the client need not wait for it
        return { kind: "goodbye" };
      }
      if (dials.includes(frame.name)) void this.#begin(frame);
      else {
        const place = await this.#room.take(frame.body.length);
        void this.#begin(frame).finally(() => place[Symbol.dispose]());
      }
    }
    const reason = await this.#link.closed;
    return { kind: "lost", reason: reason?.message ?? "the link was closed" };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#floors.map((floor) => floor[Symbol.asyncDispose]()));
    this.#link.close();
  }

  /** Answers one request; resolves when that is done, never rejects. */
  async #begin(frame: AgentFrame): Promise<void> {
    const floor = this.#floors.find(({ kinds }) => kinds.includes(frame.name));
    try {
      if (floor === undefined) throw new Failure(E.EPROTO, `Cannot answer "${frame.name}": not now`);
      await floor.answer(frame);
    } catch (error) {
      const [errno, sentence] = described(error);
      // A file system of the target's may fail with what is no errno: the client would take it for nonsense.
      const told = isErrno(errno) ? errno : E.EIO;
      await this.#link.fail(frame, told, sentence).catch(() => {}); // the link's end is seen by `serve`
    }
  }
}
