// What `mirrord explain` takes, and the error for anything else.

import assert from "node:assert/strict";
import { MirrordError } from "../core/base/errors.ts";
import { readWhat, type What } from "./explain_what.ts";

Deno.test("paths, ports, hosts and addresses are told apart", () => {
  const cases: [string, What][] = [
    ["/data/x", { kind: "path", path: "/data/x" }],
    ["./a:b", { kind: "path", path: "./a:b" }],
    ["../x", { kind: "path", path: "../x" }],
    ["80", { kind: "port", port: 80 }],
    [":65535", { kind: "port", port: 65_535 }],
    ["db", { kind: "host", host: "db", port: null }],
    ["my_db.shop.svc.:5432", { kind: "host", host: "my_db.shop.svc.", port: 5432 }],
    ["10.0.0.1:53", { kind: "host", host: "10.0.0.1", port: 53 }],
    ["::1", { kind: "host", host: "::1", port: null }],
    ["[::1]", { kind: "host", host: "::1", port: null }],
    ["[fd00::9]:80", { kind: "host", host: "fd00::9", port: 80 }],
  ];
  for (const [text, what] of cases) assert.deepEqual(readWhat(text), what, text);
});

Deno.test("anything else is one error that says what can be given", () => {
  const cases: [string, RegExp][] = [
    ["", /^Cannot explain "": it is neither a path, a host nor a port$/],
    ["0", /0 is not a port from 1 to 65535/],
    ["70000", /70000 is not a port/],
    ["123456", /123456 is not a port/],
    ["db:99999", /99999 is not a port/],
    ["db:", /neither/],
    ["db:x", /neither/],
    ["a:b:c", /neither/],
    ["a b", /neither/],
    ["[::1", /neither/],
    ["[db]:80", /neither/],
    ["[]", /neither/],
    ["http://db/x", /neither/],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => readWhat(text), (error) => {
      assert.ok(error instanceof MirrordError);
      assert.match(error.message, message);
      assert.match(error.help ?? "", /a path .*, a host .*, or a port/);
      assert.equal(error.exitCode, 2);
      return true;
    }, text);
  }
});
