// A connect that fails was never connected: what every call tells of it, step by step, is what the same
// program is told without the layer by a port of this machine where nothing listens. The app is
// tests/apps/dials.c.

import assert from "node:assert/strict";
import { E } from "../../core/net/system_error.ts";
import { Calls } from "../support/layer_app.ts";
import { OutgoingStage } from "../support/outgoing_stage.ts";
import { freePort } from "../support/ports.ts";

const failures = ["ECONNREFUSED", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH"] as const;
/** The call that is first to tell the failure, and what a program may do then. */
const tellers = [
  ...["error 3", "getpeername 3", "connect 3"],
  ...["send", "sendto", "sendmsg", "sendmmsg", "write", "writev", "sendfile"].map((call) => `meet 3 ${call}`),
  ...["recv", "__recv_chk", "recvfrom", "recvmsg", "recvmmsg", "read", "readv"].map((call) =>
    `meet 3 ${call}`
  ),
];
const afterwards = [
  ...[
    "level 3 0",
    "select 3 0",
    "poll 3 0",
    "error 3",
    "meet 3 send",
    "meet 3 read",
    "level 3 0",
    "edge 3 0",
  ],
  ...["connect 3", "level 3 20000", "connect 3", "level 3 20000", "error 3"],
];

/** In a list of calls: read edges until there is none. */
const drain = "drain";

/** What `calls` print, one after another; connect goes to `place`. */
async function transcript(app: Calls, calls: string[], place: string): Promise<string[]> {
  const lines: string[] = [];
  for (const call of calls) {
    if (call === drain) {
      // A failure wakes a socket's waiters twice (tcp_reset() of Linux), so a quick reader may see the same
      // edge twice.
      while (await app.do("edge 3 0") !== "none");
      continue;
    }
    const whole = call === "connect 3" ? `connect 3 ${place}` : call;
    lines.push(`${call}: ${await app.do(whole)}`);
  }
  return lines;
}

async function inBoth(kind: "4" | "6", errno: typeof failures[number], calls: string[]): Promise<void> {
  const host = kind === "4" ? "127.0.0.1" : "::1";
  const place = `${host} ${freePort()}`;
  await using without = await Calls.start(null, {}, "dials");
  const right = await transcript(without, calls, place);
  assert.match(right.join("\n"), /ECONNREFUSED/);
  await using stage = await OutgoingStage.create({ decide: () => E[errno] });
  await using app = await stage.app();
  const got = await transcript(app, calls, place);
  assert.deepEqual(got, right.map((line) => line.replace("ECONNREFUSED", errno)));
}

for (const errno of failures) {
  for (const teller of tellers) {
    Deno.test(`a non-blocking connect fails with ${errno} as Linux fails one, told by ${teller}`, () =>
      inBoth("4", errno, [
        ...["socket 4now", "edge 3 0", "edge 3 0", "connect 3", "edge 3 20000", drain, "level 3 0"],
        ...["select 3 0", "poll 3 0", teller, ...afterwards],
      ]));
  }
}

for (const kind of ["4", "6"] as const) {
  Deno.test(`a blocking connect by IPv${kind} fails as Linux fails one, again and again`, () =>
    inBoth(kind, "ECONNREFUSED", [
      ...[
        `socket ${kind}`,
        "edge 3 0",
        "edge 3 0",
        "connect 3",
        "edge 3 0",
        "level 3 0",
        "error 3",
        "meet 3 send",
      ],
      ...["meet 3 read", "connect 3", "connect 3", "getpeername 3", "select 3 0"],
    ]));
}
