// Cases of hook_cases.ts for the calls about names: each asks the session where libc alone would look here.

import assert from "node:assert/strict";
import { FakeNames } from "../support/fake_names.ts";
import { App, appFor, compileApp } from "../support/layer_app.ts";
import type { HookCase } from "./hook_case.ts";

/**
 * A question of tests/apps/resolver.c gets its reply from the session; `function` is the symbol that is
 * called.
 */
function asks(call: string, rest = ""): HookCase {
  return async (layer) => {
    const reply = Uint8Array.of(77, 82, 0x81, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 9);
    await using session = new FakeNames({ replies: { "srv.test": { reply }, "": { reply } } });
    await using app = new App(session, [await compileApp("resolver")], { layer });
    await app.write(`${call} srv${rest === "" ? ".test" : ""} 33 512 0 0${rest}`);
    const id = call.includes("send") ? "4d52" : "0000";
    assert.equal(await app.line(), `found 13 ${id}8180000000000000000009`);
  };
}

/** The orders are answered by the session with the last line. */
function waits(orders: string[], answer: string): HookCase {
  return async (layer) => {
    const held = Promise.withResolvers<void>();
    await using session = new FakeNames({
      hosts: {
        "host.test": { addresses: ["192.0.2.1"] },
        "held.test": { addresses: ["192.0.2.2"], before: () => held.promise },
      },
    });
    try {
      await using app = new App(session, [await compileApp("addrinfo_a")], { layer });
      let line: string | null = "";
      for (const order of orders) {
        await app.write(order);
        line = await app.line();
      }
      assert.equal(line, answer);
    } finally {
      held.resolve();
    }
  };
}

/** `question` of tests/apps/names.c is answered by the session with `answer`. */
export function answers(question: string, answer: string): HookCase {
  return async (layer) => {
    await using session = new FakeNames({
      hostName: "the-pod",
      hosts: {
        "host.test": {
          name: "canonical.test",
          aliases: ["host.test"],
          addresses: ["192.0.2.1", "192.0.2.2"],
        },
        "203.0.113.9": { name: "nine.test", aliases: ["neuf.test"] },
      },
    });
    await using app = new App(session, await appFor("names", layer), { layer });
    await app.write(question);
    assert.equal(await app.line(), answer);
  };
}

const host = "found canonical.test (host.test) 2/4 192.0.2.1 192.0.2.2";
const nine = "found nine.test (neuf.test) 2/4 203.0.113.9";

export const dnsHookCases: Record<string, HookCase> = {
  getaddrinfo: answers(
    "addrinfo host.test 80 0 1 2",
    "found [canonical.test] 192.0.2.1/80/1/6/16/2 192.0.2.2/80/1/6/16/2",
  ),
  getnameinfo: answers("nameinfo 203.0.113.9 80 2 100", "found nine.test 80"),
  gethostbyname: answers("old host.test", host),
  gethostbyname2: answers("byname host.test 4", host),
  gethostbyname_r: answers("byname_r host.test 0 1000", host),
  gethostbyname2_r: answers("byname_r host.test 4 1000", host),
  gethostbyaddr: answers("byaddr 203.0.113.9", nine),
  gethostbyaddr_r: answers("byaddr_r 203.0.113.9 1000", nine),
  gethostname: answers("hostname 200", "found the-pod"),
  __gethostname_chk: answers("checked_hostname", "found the-pod"),
  uname: answers("uname", "the-pod"),
  ...Object.fromEntries(
    ["res_", "__res_"].flatMap((prefix) => [
      ...["query", "nquery", "search", "nsearch", "send", "nsend"].map((call) => [
        prefix + call,
        asks(prefix + call),
      ]),
      ...["querydomain", "nquerydomain"].map((call) => [prefix + call, asks(prefix + call, " test")]),
    ]),
  ),
  getaddrinfo_a: waits(["wait host.test"], "0 host.test 0 192.0.2.1"),
  gai_suspend: waits(["begin held.test", "hold 0 1"], "-3"),
  gai_cancel: waits(["begin held.test", "cancel 0"], "-102"),
};
