// The result of a look-up: from the hosts file, from the name servers, or none. Used by all of agent/dns/.

/** How a look-up ended: the values of h_errno (<netdb.h>), 0 = found. They are sent unchanged. */
export const ending = { found: 0, notFound: 1, tryAgain: 2, noRecovery: 3, noAddress: 4 } as const;
export type Ending = (typeof ending)[keyof typeof ending];

/** A host: its own name, its other names, its addresses. */
export interface Named {
  name: string;
  aliases: string[];
  addresses: string[];
}

/** A host, or why there is none. */
export type Answer = { ending: 0; host: Named } | { ending: Exclude<Ending, 0>; host?: undefined };

/** No host is found, because of `why`. */
export function missing(why: Exclude<Ending, 0>): Answer {
  return { ending: why };
}
