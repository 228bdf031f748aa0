// Names asked of a real agent beside libc's own answers: for the tests of agent/dns. What the agent says is
// written as tests/apps/names.c writes what libc says, so that the lines can be compared.

import assert from "node:assert/strict";
import {
  type AgentLink,
  agentMessages as messages,
  decode,
  lookupFlags,
  unpackAddresses,
} from "../../protocol-wasm/mod.ts";
import { deadline } from "./deadline.ts";
import { DnsStage, type DnsStageOptions } from "./dns_stage.ts";
import { FakeClient } from "./fake_client.ts";

/** getaddrinfo's codes for what `lookupReply` says (<netdb.h>). */
const eai: Record<number, string> = {
  1: "error -2 Name or service not known",
  2: "error -3 Temporary failure in name resolution",
  3: "error -2 Name or service not known",
  4: "error -5 No address associated with hostname",
};
const aiFlags: [number, number][] = [
  [0x20, lookupFlags.addrConfig],
  [0x8, lookupFlags.v4Mapped],
  [0x10, lookupFlags.all],
  [0x2, lookupFlags.canonName],
];

/** What names.c would print, from what the agent says. */
export async function throughAgent(link: AgentLink, question: string): Promise<string> {
  const [kind = "", name = "", ...rest] = question.split(" ");
  if (kind === "byaddr") {
    const frames = await link.request("reverse", { address: { address: name, port: 0 } });
    const reply = decode(messages.reverseReply, frames[0]?.body ?? new Uint8Array());
    if (reply.ending !== 0) return `error ${reply.ending}`;
    return `found ${reply.name} (${names(reply.aliases)})`;
  }
  if (kind === "hostname") {
    const frames = await link.request("hostName", {});
    return `found ${decode(messages.hostNameReply, frames[0]?.body ?? new Uint8Array()).name}`;
  }
  const isAddrinfo = kind === "addrinfo";
  const family = Number(rest[isAddrinfo ? 1 : 0]);
  const asked = Number(rest[3] ?? 0);
  const flags = isAddrinfo
    ? aiFlags.reduce<number>(
      (sum, [theirs, ours]) => (asked & theirs) !== 0 ? sum | ours : sum,
      lookupFlags.sorted,
    )
    : 0;
  const frames = await deadline(link.request("lookup", { name, family, flags }), question);
  const reply = decode(messages.lookupReply, frames[0]?.body ?? new Uint8Array());
  const addresses = unpackAddresses(reply.addresses).map((one) => ` ${one}`).join("");
  if (!isAddrinfo) {
    if (reply.ending !== 0) return `error ${reply.ending}`;
    return `found ${reply.name} (${names(reply.aliases)})${addresses}`;
  }
  if (reply.ending !== 0) return eai[reply.ending] ?? `error ${reply.ending}`;
  return `found${(asked & 2) !== 0 ? ` [${reply.name}]` : ""}${addresses}`;
}

function names(zeroEnded: string): string {
  return zeroEnded.split("\0").filter(Boolean).join(" ");
}

/**
 * A line of names.c without what the layer adds: ports, types, lengths, flags; mapped addresses as plain
 * ones.
 */
export function plain(line: string): string {
  return line.replace(/\/\d+\/1\/6\/\d+\/\d+/g, "").replace(/\) \d+\/\d+/, ")").replaceAll(" ::ffff:", " ");
}

/** Asks all of `questions` both ways, and compares; gives libc's lines. */
export async function compareNames(stage: DnsStage, link: AgentLink, questions: string[]): Promise<string[]> {
  const native = (await stage.native(questions)).map((line, index) =>
    questions[index]?.startsWith("byaddr") ? plain(line).replace(/\).*/, ")") : plain(line)
  );
  const ours = await Promise.all(questions.map((question) => throughAgent(link, question)));
  const pairs = (lines: string[]) => questions.map((question, index) => `${question}: ${lines[index]}`);
  assert.deepEqual(pairs(ours), pairs(native));
  return native;
}

/** A stage and an agent for its target. */
export async function withNamesStage(
  options: DnsStageOptions,
  body: (stage: DnsStage, link: AgentLink, client: FakeClient) => Promise<void>,
): Promise<void> {
  await using stage = await DnsStage.create(options);
  await using client = await FakeClient.start(stage.netns, { options: { targetPid: stage.pid } });
  await body(stage, client.link, client);
}
