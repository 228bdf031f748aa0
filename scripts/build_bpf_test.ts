// What the build step makes of the BPF program, against what the agent relies on. The file itself is built by
// `deno run -A scripts/build.ts assets`.

import assert from "node:assert/strict";
import { bypassKey } from "../agent/sys/steal_program.ts";
import { readProgramFile } from "../agent/sys/bpf_file.ts";

const bytes = Deno.readFileSync(new URL("../agent/sys/steal.bpf.bin", import.meta.url));

Deno.test("the program is an sk_lookup program with its maps", () => {
  const file = readProgramFile(bytes);
  assert.deepEqual([file.name, file.licence, file.type, file.attach], ["steal", "GPL", 30, 36]);
  assert.deepEqual(file.maps.map((map) => [map.name, map.type, map.keySize, map.valueSize]), [
    ["ports", 1, 4, 4],
    ["sockets", 15, 4, 8],
    ["bypasses", 1, 20, 4],
    ["heartbeat", 2, 4, 8],
    ["passed", 2, 4, 8],
  ]);
});

Deno.test("the bypass key is as long as the program's", () => {
  const map = readProgramFile(bytes).maps.find(({ name }) => name === "bypasses");
  for (const address of ["10.0.0.1", "fd00::1"]) {
    assert.equal(bypassKey({ address, port: 0x1234 }).length, map?.keySize);
    assert.deepEqual([...bypassKey({ address, port: 0x1234 }).subarray(16)], [0x12, 0x34, 0, 0]);
  }
});

Deno.test("every relocation points at an instruction that loads a map", () => {
  const { relocations, instructions, maps } = readProgramFile(bytes);
  assert.ok(relocations.length >= maps.length);
  for (const { map, instruction } of relocations) {
    assert.equal(instructions[instruction * 8], 0x18); // BPF_LD | BPF_IMM | BPF_DW
    assert.ok(map < maps.length);
  }
});

Deno.test("a file that is cut short or not ours is refused", () => {
  assert.throws(() => readProgramFile(bytes.subarray(0, bytes.length - 8)), /cut short/);
  assert.throws(() => readProgramFile(new Uint8Array(bytes.length)), /not of this release/);
});
