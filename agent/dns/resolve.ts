// A question of a program to the name servers, whose reply the program reads itself: res_query(3) and similar
// calls. Called by dns.ts. The name servers and their options are those of the target's resolv.conf, as for
// look-ups; this file holds what glibc does differently for these calls, and what a program can set in its
// own state of the resolver.

import { encodeQuery, notAuthentic, type Reply } from "../../core/net/dns_message.ts";
import { type Ending, ending } from "./answer.ts";
import type { Exchanged, Exchanger, Wishes } from "./exchange.ts";
import type { ResolvConf } from "./resolv_conf.ts";
import { type Asking, search, type Searched, searchNothing } from "./search.ts";

/** What the program asks. */
export interface RawQuestion {
  name: string;
  class: number;
  type: number;
  /** By the search list (res_search). */
  search: boolean;
  /** Bytes that the program has for the reply. */
  room: number;
}

/** What the program set in its state of the resolver (resolver(3)). */
export interface OwnOptions {
  useTcp: boolean;
  ignoreTruncation: boolean;
  edns: boolean;
  dnssec: boolean;
  trustAd: boolean;
  noRecursion: boolean;
  noDefaultDomain: boolean;
  noSearchList: boolean;
}

export interface Resolved {
  ending: Ending;
  /** No server answered: because none is there (true), or within the time. */
  refused: boolean | null;
  byTcp: boolean;
  reply: Uint8Array;
}

/** The bounds of the program's room that glibc announces by EDNS. */
const payload = { least: 512, most: 1200 } as const;
const nothing = new Uint8Array();

export async function resolve(
  question: RawQuestion,
  own: OwnOptions,
  target: ResolvConf,
  exchanger: Exchanger,
): Promise<Resolved> {
  const conf = confOf(own, target, question.name);
  // With no name that can be sent, there is nothing to try further domains for.
  if (encodeQuery(0, question) === null || (question.search && question.name === "")) {
    return { ending: ending.noRecovery, refused: null, byTcp: false, reply: nothing };
  }
  const room = Math.min(Math.max(question.room, payload.least), payload.most);
  const wishes: Wishes = {
    headOnly: true,
    ignoreTruncation: own.ignoreTruncation,
    query: {
      ...(conf.useEdns ? { payload: room } : {}),
      dnssec: own.dnssec,
      authentic: conf.trustAd,
      noRecursion: own.noRecursion,
    },
  };
  const asking: Asking = { types: [question.type], class: question.class, wishes };
  const ask = question.search ? search : searchNothing;
  return resolved(await ask(question.name, asking, conf, exchanger), conf);
}

/**
 * As res_send(3): a reply is a success whatever its code, but for those that send us on to the next server.
 */
export async function send(
  query: Uint8Array<ArrayBuffer>,
  own: OwnOptions,
  target: ResolvConf,
  exchanger: Exchanger,
): Promise<Resolved> {
  const conf = confOf(own, target, "");
  const wishes: Wishes = { headOnly: true, ignoreTruncation: own.ignoreTruncation };
  const exchanged: Exchanged = await exchanger.send(query, conf, wishes);
  if (exchanged.kind === "replies") {
    const [reply = null] = exchanged.replies;
    const { byTcp } = exchanged;
    return { ending: ending.found, refused: null, byTcp, reply: bytesOf(reply, conf) };
  }
  const { refused, last } = exchanged.kind === "failed" ? exchanged : { refused: false, last: null };
  return { ending: ending.tryAgain, refused, byTcp: false, reply: bytesOf(last, conf) };
}

function resolved(searched: Searched, conf: ResolvConf): Resolved {
  if (searched.ending === ending.found) {
    const { byTcp, replies: [reply = null] } = searched;
    return { ending: ending.found, refused: null, byTcp, reply: bytesOf(reply, conf) };
  }
  const { unavailable, refused, last } = searched;
  return {
    ending: searched.ending,
    refused: unavailable ? refused : null,
    byTcp: false,
    reply: bytesOf(last, conf),
  };
}

/** A reply counts as authentic only for a program that declared its trust in the server. */
function bytesOf(reply: Reply | null, { trustAd }: ResolvConf): Uint8Array {
  if (reply === null) return nothing;
  return trustAd ? reply.bytes : notAuthentic(reply.bytes);
}

/**
 * The target's settings with the program's own; for short and other names it can switch search domains off.
 */
function confOf(own: OwnOptions, target: ResolvConf, name: string): ResolvConf {
  const off = name.includes(".") ? own.noSearchList : own.noDefaultDomain;
  const domains = target.search.slice(0, own.noSearchList ? 1 : undefined);
  return {
    ...target,
    search: off ? [] : domains,
    useTcp: target.useTcp || own.useTcp,
    useEdns: target.useEdns || own.edns || own.dnssec,
    trustAd: target.trustAd || own.trustAd,
  };
}
