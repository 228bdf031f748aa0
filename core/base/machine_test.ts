// What is missing on this machine has a sentence and a documented exit code of its own; a bug stays one.

import assert from "node:assert/strict";
import { exitCodes, MirrordError } from "./errors.ts";
import { machineError } from "./machine.ts";

Deno.test("a full device is no bug", () => {
  const full = Deno.openSync("/dev/full", { write: true });
  try {
    full.writeSync(new Uint8Array(1));
    assert.fail("there was room");
  } catch (error) {
    const known = machineError(error);
    assert.equal(known?.message, "Cannot go on: this machine's disk is full");
    assert.equal(known?.exitCode, exitCodes.machine);
  } finally {
    full.close();
  }
});

Deno.test("an errno in a call's own words counts, any other error does not", () => {
  assert.equal(machineError(new Error("epoll_create1: EMFILE"))?.exitCode, exitCodes.machine);
  assert.equal(machineError(new Error("posix_spawn: E2BIG"))?.exitCode, exitCodes.notExecutable);
  assert.equal(machineError(new Error("connect: ECONNREFUSED")), null);
  assert.equal(machineError(new TypeError("x is undefined")), null);
  assert.equal(machineError(new MirrordError("Cannot x: ENOSPC")), null);
});
