// The network interfaces and addresses of the target, as its own programs see them. Made by client.ts.
// Invariant: the kernel gets questions only, no request that changes a network.

import { type AgentFrame, type AgentLink, agentMessages, decode } from "../protocol-wasm/mod.ts";
import { Failure } from "./failure.ts";
import type { Floor } from "./floor.ts";
import { askInterface, askNetlink, asUser, isQuestion } from "./sys/interfaces.ts";
import { E } from "./sys/libc.ts";
import { findTarget, realUser, type TargetProcess } from "./sys/proc.ts";

/** The ioctls of netdevice(7) that ask (<linux/sockios.h>), SIOCETHTOOL for its questions. */
const questions = new Set([
  ...[0x8910, 0x8912, 0x8913, 0x8915, 0x8917, 0x8919, 0x891b, 0x891d, 0x8921, 0x8927],
  ...[0x8929, 0x8933, 0x8938, 0x8942, 0x8946, 0x8970],
]);
const SIOCETHTOOL = 0x8946;
/** ETHTOOL_GSET, ETHTOOL_GDRVINFO, ETHTOOL_GLINK (<linux/ethtool.h>). */
const ethtoolQuestions = [0x01, 0x03, 0x0a];
const requestBytes = 40;

export class Interfaces implements Floor {
  readonly kinds = ["netlink", "interface"] as const;
  readonly #link: AgentLink;
  readonly #target: TargetProcess;

  constructor(link: AgentLink, target: TargetProcess) {
    this.#link = link;
    this.#target = target;
  }

  async answer(frame: AgentFrame): Promise<void> {
    if (frame.name === "netlink") {
      const { strict, request } = decode(agentMessages.netlink, frame.body);
      if (!isQuestion(request)) throw new Failure(E.EPERM, "Cannot change the target's network");
      const asked = asUser(request, () => realUser(findTarget(this.#target)));
      return await this.#link.reply(frame, "netlinkReply", { messages: askNetlink(asked, strict) });
    }
    const { command, request } = decode(agentMessages.interface, frame.body);
    if (!questions.has(command)) throw new Failure(E.EPERM, "Cannot change the target's network");
    if (command === SIOCETHTOOL && !ethtoolQuestions.includes(request[requestBytes] ?? 0)) {
      throw new Failure(E.EOPNOTSUPP, "Cannot ask an interface's driver that");
    }
    await this.#link.reply(frame, "interfaceReply", { content: askInterface(command, request) });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}
