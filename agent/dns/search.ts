// The questions that are really asked for a name: with each domain of the search list, and as it is
// (resolv.conf(5), search and ndots). Called by lookup.ts. The order, and which failure ends the search, are
// glibc's, since a name that is found here must be the one that a program in the pod finds.

import { type Ending, ending } from "./answer.ts";
import type { Exchanged, Exchanger, Wishes } from "./exchange.ts";
import { type Reply, responseCode } from "../../core/net/dns_message.ts";
import type { ResolvConf } from "./resolv_conf.ts";

/** A name that exists, with the replies in the order of the types; or why none does. */
export type Searched =
  | { ending: 0; asked: string; replies: (Reply | null)[]; byTcp: boolean }
  | {
    ending: Exclude<Ending, 0>;
    /** No server answered at all; refused: or is there. */
    unavailable: boolean;
    refused: boolean;
    /** What a server said to the last question. */
    last: Reply | null;
  };

/** What is asked of each name: one question for each of `types`. */
export interface Asking {
  types: readonly number[];
  class?: number;
  wishes?: Wishes;
}

/** Asks by the search list. */
export async function search(
  name: string,
  asking: Asking,
  conf: ResolvConf,
  exchanger: Exchanger,
): Promise<Searched> {
  const ask = (asked: string) => askOnce(asked, asking, conf, exchanger);
  const dots = [...name].filter((character) => character === ".").length;
  const isFull = name.endsWith(".");
  let asIs: Attempt | null = null;
  if (dots >= conf.ndots || isFull) {
    asIs = await ask(name);
    if (asIs.found !== null || isFull) return result(asIs);
  }
  let [noAddress, serverFailed, rootTried] = [false, false, false];
  let last: Attempt | null = asIs;
  for (const written of isFull ? [] : conf.search) {
    const domain = written.replace(/^\./, "");
    if (domain === "") rootTried = true;
    last = await ask(domain === "" ? name : `${name}.${domain}`);
    if (last.found !== null) return result(last);
    if (last.refused) return { ending: ending.tryAgain, unavailable: true, refused: true, last: null };
    noAddress ||= last.ending === ending.noAddress;
    const failed = last.ending === ending.tryAgain && last.last?.code === responseCode.server;
    serverFailed ||= failed;
    if (last.ending !== ending.noAddress && last.ending !== ending.notFound && !failed) break;
  }
  const mayStandAlone = dots > 0 || last === null || !conf.noTldQuery;
  if (asIs === null && !rootTried && mayStandAlone) {
    last = await ask(name);
    if (last.found !== null) return result(last);
  }
  // The ending is the first answer's, or the worst one met; the last one decides whether there are servers at
  // all.
  const how = last === null ? neverAsked : result(last);
  if (how.ending === ending.found) return how;
  const first = asIs === null ? null : result(asIs).ending;
  const worst = noAddress ? ending.noAddress : serverFailed ? ending.tryAgain : how.ending;
  return { ...how, ending: first === null || first === ending.found ? worst : first };
}

const neverAsked = { ending: ending.notFound, unavailable: false, refused: false, last: null } as const;

/** As `search`, for a name that is asked as it is. */
export async function searchNothing(
  name: string,
  asking: Asking,
  conf: ResolvConf,
  exchanger: Exchanger,
): Promise<Searched> {
  return result(await askOnce(name, asking, conf, exchanger));
}

interface Attempt {
  asked: string;
  /** No server gave a reply that counts. */
  failed: boolean;
  found: (Reply | null)[] | null;
  byTcp: boolean;
  ending: Ending;
  refused: boolean;
  last: Reply | null;
}

function result({ asked, found, byTcp, ending: how, failed: unavailable, refused, last }: Attempt): Searched {
  if (found !== null) return { ending: ending.found, asked, replies: found, byTcp };
  return { ending: how === ending.found ? ending.noRecovery : how, unavailable, refused, last };
}

async function askOnce(
  name: string,
  { types, wishes = {}, ...rest }: Asking,
  conf: ResolvConf,
  exchanger: Exchanger,
): Promise<Attempt> {
  const asked = name.replace(/\.$/, "");
  const exchanged = await exchanger.ask(types.map((type) => ({ name: asked, type, ...rest })), conf, wishes);
  const { ending: how, found } = judge(exchanged, wishes);
  return {
    asked,
    found,
    failed: exchanged.kind === "failed",
    ending: how,
    refused: exchanged.kind === "failed" && exchanged.refused,
    byTcp: exchanged.kind === "replies" && exchanged.byTcp,
    last: exchanged.kind === "replies"
      ? exchanged.replies.find((reply) => reply !== null) ?? null
      : exchanged.kind === "failed"
      ? exchanged.last
      : null,
  };
}

/** Any reply with records is a success; otherwise the first failure is the result. */
function judge(exchanged: Exchanged, wishes: Wishes): { ending: Ending; found: (Reply | null)[] | null } {
  if (exchanged.kind === "unsendable") return { ending: ending.notFound, found: null };
  if (exchanged.kind === "failed") return { ending: ending.tryAgain, found: null };
  const replies = exchanged.replies.filter((reply) => reply !== null);
  if (
    replies.some(({ code, answers, count }) =>
      code === responseCode.none && (wishes.headOnly ? count : answers.length) > 0
    )
  ) {
    return { ending: ending.found, found: exchanged.replies };
  }
  const code = replies.find(({ code }) => code !== responseCode.none)?.code ?? responseCode.none;
  const endings: Record<number, Ending> = {
    [responseCode.none]: ending.noAddress,
    [responseCode.name]: ending.notFound,
    [responseCode.server]: ending.tryAgain,
  };
  return { ending: endings[code] ?? ending.noRecovery, found: null };
}
