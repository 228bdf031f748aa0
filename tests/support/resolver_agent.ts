// Raw questions to the name servers, asked of a real agent beside libc's own answers: for the tests of
// res_query(3) and its similar calls. What the agent says is written as tests/apps/resolver.c writes what
// libc says, so that the lines can be compared.

import assert from "node:assert/strict";
import { type AgentLink, agentMessages, decode, resolveFlags } from "../../protocol-wasm/mod.ts";
import { encodeQuery } from "../../core/net/dns_message.ts";
import { deadline } from "./deadline.ts";
import { askNames, type DnsStage } from "./dns_stage.ts";
import { compileApp } from "./layer_app.ts";

/** Types of records by number (RFC 1035, 3.2.2; RFC 2782). */
export const types = { A: 1, CNAME: 5, PTR: 12, MX: 15, TXT: 16, AAAA: 28, SRV: 33 } as const;
/** Bits of the resolver's options (<resolv.h>). */
export const res = {
  useTcp: 0x8,
  ignoreTruncation: 0x20,
  recurse: 0x40,
  defNames: 0x80,
  dnsSearch: 0x200,
  edns: 0x100000,
  dnssec: 0x800000,
  trustAd: 0x4000000,
} as const;

const added: [number, number][] = [
  [res.useTcp, resolveFlags.useTcp],
  [res.ignoreTruncation, resolveFlags.ignoreTruncation],
  [res.edns, resolveFlags.edns],
  [res.dnssec, resolveFlags.dnssec],
  [res.trustAd, resolveFlags.trustAd],
];
const removed: [number, number][] = [
  [res.recurse, resolveFlags.noRecursion],
  [res.defNames, resolveFlags.noDefaultDomain],
  [res.dnsSearch, resolveFlags.noSearchList],
];
const sentId = 0x4d52;
const none = new Uint8Array();

/** What resolver.c would print, from what the agent says. */
export async function throughAgent(link: AgentLink, question: string): Promise<string> {
  const [call = "", written = "", type = "", bytes = "", add = "0", remove = "0"] = question.split(" ");
  const bits = (list: [number, number][], set: string) =>
    list.reduce((sum, [theirs, ours]) => (Number(set) & theirs) !== 0 ? sum | ours : sum, 0);
  const isSend = call.includes("send");
  const flags = bits(added, add) | bits(removed, remove) |
    (call.includes("search") ? resolveFlags.search : 0);
  const name = written === "=" ? "" : written;
  const asked = { flags, name, class: 1, type: Number(type), room: Number(bytes), query: none };
  const query = encodeQuery(sentId, { name, type: Number(type) }) ?? none;
  const body = isSend ? { flags, name: "", class: 0, type: 0, room: 0, query } : asked;
  const [frame] = await deadline(link.request("resolve", body), question);
  const { ending, reply, errno } = decode(agentMessages.resolveReply, frame?.body ?? none);
  if (ending !== 0 && isSend) {
    return `error -1 ${errno === 111 ? "Connection refused" : "Connection timed out"}`;
  }
  if (ending !== 0) return `error -1 ${ending} ${ending} rcode ${(reply[3] ?? 0) & 15}`;
  if (!isSend) reply[0] = reply[1] = 0;
  return `found ${reply.length} ${[...reply].map((one) => one.toString(16).padStart(2, "0")).join("")}`;
}

/** libc's answers to the questions of tests/apps/resolver.c, asked beside the target. */
export async function nativeResolver(stage: DnsStage, questions: readonly string[]): Promise<string[]> {
  return await askNames(stage.inside([await compileApp("resolver")]), questions);
}

/** Asks all of `questions` both ways, and compares; gives libc's lines. */
export async function compareResolver(
  stage: DnsStage,
  link: AgentLink,
  questions: readonly string[],
): Promise<string[]> {
  const native = await nativeResolver(stage, questions);
  const ours: string[] = [];
  for (const question of questions) ours.push(await throughAgent(link, question));
  const pairs = (lines: string[]) => questions.map((question, index) => `${question}: ${lines[index]}`);
  assert.deepEqual(pairs(ours), pairs(native));
  return native;
}
