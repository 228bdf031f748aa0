// Which way a variable gets into a container.

import assert from "node:assert/strict";
import { osText } from "../../base/os_text.ts";
import { handOver } from "./variables.ts";

Deno.test("plain values go by the engine's file, a line each", () => {
  const { file, environment, left } = handOver({ A: "1", B: "", C: "a=b c #d", PATH: "/bin" });
  assert.equal(file, "A=1\nB=\nC=a=b c #d\nPATH=/bin\n");
  assert.deepEqual([environment, left], [{}, []]);
});

Deno.test("what such a line cannot hold goes by the engine's environment", () => {
  const values = {
    KEY: "-----BEGIN\nx\n",
    QUOTED: `it's`,
    BACK: "a\\nb",
    SPACED: " x",
    LONG: "x".repeat(70_000),
  };
  const { file, environment, left } = handOver(values);
  assert.deepEqual(environment, values);
  assert.deepEqual([file, left], ["", []]);
});

Deno.test("nothing of the target changes the engine itself", () => {
  const values = { DOCKER_HOST: "tcp://x\n", HTTPS_PROXY: "a\nb", LD_PRELOAD: "x\ny", PATH: "a\rb" };
  const { file, environment, left } = handOver({ ...values, HOME: "it's" });
  assert.deepEqual(environment, {});
  assert.equal(file, "HOME=it's\n"); // a release of podman may take the quote away
  assert.deepEqual(left, Object.keys(values).sort());
});

Deno.test("what no engine takes is left out by name", () => {
  const values = { RAW: osText(Uint8Array.of(0xff)), "A B": "x", "#C": "x", "": "x" };
  assert.deepEqual(handOver(values), { file: "", environment: {}, left: Object.keys(values).sort() });
});
