// The layer's questions about incoming traffic (bind, listen, accept), put to incoming.ts. Made by session.ts.

import { decode, layerMessages } from "../../protocol-wasm/mod.ts";
import type { AppProcess, Floor, Question } from "./floor.ts";
import type { Incoming } from "./incoming.ts";

export class IncomingFloor implements Floor {
  readonly kinds = ["bind", "listen", "listener", "accepted", "bound", "closed"] as const;
  readonly #incoming: Incoming | null;

  /** null: the app's listeners are its own business. */
  constructor(incoming: Incoming | null) {
    this.#incoming = incoming;
  }

  async answer({ link, frame, process }: Question): Promise<void> {
    const incoming = this.#incoming;
    switch (frame.name) {
      case "bind": {
        const { address } = decode(layerMessages.bind, frame.body);
        const managed = incoming !== null && incoming.remotePort(address) !== null;
        return await link.reply(frame, "bindReply", {
          managed,
          suggested: incoming?.suggestedPort(address) ?? 0,
        });
      }
      case "listen": {
        const { asked, actual } = decode(layerMessages.listen, frame.body);
        const code = await incoming?.listen(process, asked, actual) ?? 0;
        if (code !== 0) return await link.fail(frame, code, "");
        return await link.reply(frame, "listenReply", {});
      }
      case "listener": {
        const { actual } = decode(layerMessages.listener, frame.body);
        const asked = incoming?.asked(process, actual) ?? null;
        return await link.reply(frame, "listenerReply", { known: asked !== null, asked: asked ?? actual });
      }
      case "accepted": {
        const { listener, peer } = decode(layerMessages.accepted, frame.body);
        const answer = await incoming?.accepted(listener, peer) ?? { known: false, peer, local: listener };
        return await link.reply(frame, "acceptedReply", answer);
      }
      case "bound": {
        const { asked, actual } = decode(layerMessages.bound, frame.body);
        incoming?.bound(asked, actual);
        return await link.reply(frame, "boundReply", {});
      }
      case "closed": {
        const { actual } = decode(layerMessages.closed, frame.body);
        // Let go at once; giving the port back may take the agent's time, not the app's.
        const released = incoming?.released(process, actual);
        await link.reply(frame, "closedReply", {});
        return await released;
      }
    }
  }

  async ended(process: AppProcess): Promise<void> {
    await this.#incoming?.released(process);
  }
}
