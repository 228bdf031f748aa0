// The cases of hook_cases.ts for the calls about network interfaces: a program of C that is told of an
// interface which only the session knows.

import assert from "node:assert/strict";
import { fakeInterface } from "../support/fake_interfaces.ts";
import { FakeSession } from "../support/fake_session.ts";
import { App, compileApp } from "../support/layer_app.ts";
import type { HookCase } from "./hook_case.ts";

const { name, index } = fakeInterface;

function prints(args: string[], expected: RegExp): HookCase {
  return async (layer) => {
    await using session = new FakeSession({ interfaces: true });
    await using app = new App(session, [await compileApp("interfaces"), ...args], { layer });
    assert.match(await app.line(), expected);
  };
}

export const interfaceHookCases: Record<string, HookCase> = {
  ioctl: async (layer) => {
    await using session = new FakeSession({ interfaces: true });
    const code = "import fcntl, socket; s = socket.socket(); print(fcntl.ioctl(s, 0x8933, bytes(40))[16:18])";
    await using app = new App(session, ["python3", "-c", code], { layer });
    assert.equal(await app.line(), "b'\\x92\\x10'");
  },
  getifaddrs: prints(["getifaddrs"], new RegExp(`^${name} `)),
  if_nameindex: prints(["if_nameindex"], new RegExp(`^${index} ${name}$`)),
  if_nametoindex: prints(["if_nametoindex", "eth7"], new RegExp(`^${index} `)),
  if_indextoname: prints(["if_indextoname", "17"], new RegExp(`^${name}$`)),
};
