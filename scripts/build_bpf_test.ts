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
    ["bypasses", 1, 24, 4],
    ["heartbeat", 2, 4, 8],
    ["passed", 2, 4, 8],
  ]);
});

Deno.test("the bypass key is as long as the program's", () => {
  const map = readProgramFile(bytes).maps.find(({ name }) => name === "bypasses");
  for (const address of ["10.0.0.1", "fd00::1"]) {
    assert.equal(bypassKey({ address, port: 0x1234 }).length, map?.keySize);
    assert.deepEqual([...bypassKey({ address, port: 0x1234 }).subarray(16)], [0x12, 0x34, 0, 0, 0, 0, 0, 0]);
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

// Both make verifiers up to Linux 6.1 at least refuse a program whose loader has BPF without PERFMON, as the
// agent (agent/bpf/steal.bpf.c and mirror.bpf.c say why); tests/kernels runs them there.
for (const name of ["steal", "mirror"]) {
  const program = readProgramFile(
    Deno.readFileSync(new URL(`../agent/sys/${name}.bpf.bin`, import.meta.url)),
  );
  const code = new DataView(program.instructions.slice().buffer);
  const instructions = Array.from({ length: code.byteLength / 8 }, (_, i) => ({
    opcode: code.getUint8(i * 8),
    destination: code.getUint8(i * 8 + 1) & 15,
    offset: code.getInt16(i * 8 + 2, true),
  }));

  Deno.test(`${name}: what is written to the stack is eight bytes long and aligned`, () => {
    const stack = 10; // the frame pointer; stores are BPF_ST and BPF_STX, classes 2 and 3
    const writes = instructions.filter(({ opcode, destination }) =>
      [2, 3].includes(opcode & 7) && destination === stack
    );
    assert.ok(writes.length > 0);
    const doubleWord = 0x18;
    assert.deepEqual(
      writes.filter(({ opcode, offset }) => (opcode & 0x18) !== doubleWord || offset % 8 !== 0),
      [],
    );
  });

  Deno.test(`${name}: it has no loop`, () => {
    const [call, exit, always] = [0x85, 0x95, 0x05];
    const next = instructions.map(({ opcode, offset }, at) => {
      if (opcode === exit) return [];
      if (![5, 6].includes(opcode & 7) || opcode === call) return [at + 1];
      return opcode === always ? [at + 1 + offset] : [at + 1, at + 1 + offset];
    });
    assert.ok(next.filter((to) => to.length === 2).length > 5);
    const done = new Set<number>();
    const walk = (at: number, way: Set<number>): void => {
      assert.ok(!way.has(at), `instruction ${at} is reached again`);
      if (done.has(at)) return;
      for (const to of next[at] ?? []) walk(to, new Set([...way, at]));
      done.add(at);
    };
    walk(0, new Set());
  });
}

Deno.test("a file that is cut short or not ours is refused", () => {
  assert.throws(() => readProgramFile(bytes.subarray(0, bytes.length - 8)), /cut short/);
  assert.throws(() => readProgramFile(new Uint8Array(bytes.length)), /not of this release/);
});
