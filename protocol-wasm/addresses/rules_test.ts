// Rules over destinations through the built Wasm.

import assert from "node:assert/strict";
import { FilterError } from "../errors.ts";
import { compileRules, type Destination } from "./rules.ts";

function matches(rule: string | string[], destination: Partial<Destination>): boolean {
  using rules = compileRules(typeof rule === "string" ? [rule] : rule);
  return rules.matches({ port: 80, protocol: "tcp", ...destination });
}

Deno.test("rules match hosts, networks, ports and protocols", () => {
  const cases: [rule: string, destination: Partial<Destination>, expected: boolean][] = [
    ["db.svc", { host: "db.svc" }, true],
    ["DB.svc.", { host: "db.SVC" }, true],
    ["db.svc", { host: "db.svc.", address: "10.0.0.1" }, true],
    ["db.svc", { host: "xdb.svc" }, false],
    ["db.svc", { address: "10.0.0.1" }, false],
    ["*.svc", { host: "db.svc" }, true],
    ["*.svc", { host: "a.db.svc" }, true],
    ["*.svc", { host: "svc" }, false],
    ["*.svc", { host: "dbsvc" }, false],
    ["*", { address: "10.0.0.1" }, true],
    ["10.0.0.1", { address: "10.0.0.1" }, true],
    ["10.0.0.1", { host: "10.0.0.1" }, true],
    ["10.0.0.1", { address: "::ffff:10.0.0.1" }, true],
    ["10.0.0.1", { address: "10.0.0.2" }, false],
    ["10.0.0.0/8", { address: "10.255.0.1" }, true],
    ["10.0.0.0/8", { address: "11.0.0.1" }, false],
    ["10.0.0.0/9", { address: "10.127.0.1" }, true],
    ["10.0.0.0/9", { address: "10.128.0.1" }, false],
    ["10.1.2.3/8", { address: "10.9.9.9" }, true],
    ["0.0.0.0/0", { address: "1.2.3.4" }, true],
    ["0.0.0.0/0", { address: "fd00::1" }, false],
    ["0.0.0.0/0", { host: "db.svc" }, false],
    ["fd00::/8", { address: "fdff::1" }, true],
    ["fd00::/8", { address: "fe00::1" }, false],
    ["fd00::1", { address: "fd00:0::1" }, true],
    ["fd00::/127", { address: "fd00::1" }, true],
    ["fd00::/127", { address: "fd00::2" }, false],
    ["[fd00::1]:80", { address: "fd00::1" }, true],
    ["[fd00::1]:81", { address: "fd00::1" }, false],
    ["[fd00::]/8:80", { address: "fd00::1" }, true],
    ["[fd00::/8]:80", { address: "fd00::1" }, true],
    [":80", {}, true],
    [":81", {}, false],
    ["80", {}, true],
    ["8000-8100", { port: 8000 }, true],
    ["8000-8100", { port: 8100 }, true],
    ["8000-8100", { port: 8101 }, false],
    [":8000-8100", { port: 7999 }, false],
    ["db.svc:80-90", { host: "db.svc", port: 85 }, true],
    ["db.svc:80-90", { host: "other", port: 85 }, false],
    ["10.0.0.0/8:80", { address: "10.0.0.1" }, true],
    ["10.0.0.0/8:81", { address: "10.0.0.1" }, false],
    ["tcp://db.svc:80", { host: "db.svc" }, true],
    ["udp://db.svc:80", { host: "db.svc" }, false],
    ["udp://:80", { protocol: "udp" }, true],
    ["udp://*", { protocol: "tcp" }, false],
  ];
  for (const [rule, destination, expected] of cases) {
    assert.equal(matches(rule, destination), expected, `${rule} on ${JSON.stringify(destination)}`);
  }
});

Deno.test("one rule that matches is enough and none matches nothing", () => {
  assert.equal(matches(["a", "b", ":80"], { host: "c" }), true);
  assert.equal(matches(["a", "b"], { host: "b" }), true);
  assert.equal(matches(["a", "b"], { host: "c" }), false);
  assert.equal(matches([], { host: "c" }), false);
});

Deno.test("a rule that cannot be used is refused with its reason", () => {
  const cases: [rule: string, reason: RegExp][] = [
    ["", /a host, a network or a port/],
    ["tcp://", /a host, a network or a port/],
    ["sctp://a", /unknown protocol "sctp"/],
    ["a b", /a host name/],
    ["a*", /a host name/],
    ["*.", /a host name/],
    ["a/8", /an address is expected before the slash/],
    ["10.0.0.0/33", /prefix length of 0 to 32/],
    ["fd00::/129", /prefix length of 0 to 128/],
    ["10.0.0.0/", /prefix length/],
    ["10.0.0.0/x", /prefix length/],
    ["10.0.0.256", /a host name/],
    ["a:", /a port or a range/],
    ["a:b", /a port or a range/],
    ["a:65536", /a port or a range/],
    ["a:90-80", /a port or a range/],
    ["[fd00::1", /a host name/],
    ["a".repeat(1025), /the host name is too long/],
  ];
  for (const [rule, reason] of cases) {
    assert.throws(() => compileRules([rule]), (error) => {
      assert.ok(error instanceof FilterError, rule);
      assert.match(error.message, reason, rule);
      return true;
    });
  }
});
