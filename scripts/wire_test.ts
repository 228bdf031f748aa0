// layer/wire.h: current with the table, and the same bytes in C as codec.ts makes.

import assert from "node:assert/strict";
import { type Body, encode, type Message } from "../protocol-wasm/codec.ts";
import { layerMessages } from "../protocol-wasm/layer_messages.ts";
import { writeWireHeader } from "./wire.ts";

const layer = new URL("../layer/", import.meta.url).pathname;

/** A value of each field type, different for each field. */
function sample(message: Message): Body<Message> {
  const values = Object.entries(message.fields).map(([name, type], index) => {
    const value = {
      u8: 7 + index,
      u16: 0x1234 + index,
      u32: 0x12345678 + index,
      u64: 0x123456789abcdefn + BigInt(index),
      bool: true,
      str: `text ${index}`,
      bytes: Uint8Array.of(1, index),
      address: { address: index % 2 === 0 ? `10.0.0.${index}` : `fd00::${index}`, port: 8080 + index },
    }[type];
    return [name, value];
  });
  return Object.fromEntries(values);
}

/** A C program that unpacks and packs `bytes` again, and tries every shorter length. */
function program(cases: { name: string; bytes: Uint8Array }[]): string {
  const checks = cases.map(({ name, bytes }) => `
	{
		static const unsigned char wire[] = { ${[...bytes].join(", ")} };
		struct wire_${name} message;
		unsigned char again[sizeof(wire)];

		check("${name}", wire_unpack_${name}(&message, wire, sizeof(wire)) == 0);
		check("${name}", wire_pack_${name}(&message, again, sizeof(again)) == (int)sizeof(wire));
		check("${name}", memcmp(wire, again, sizeof(wire)) == 0);
		for (size_t length = 0; length < sizeof(wire); length++)
			check("${name} packed short", wire_pack_${name}(&message, again, length) == -EMSGSIZE);
		for (size_t length = 0; length < sizeof(wire); length++)
			check("${name} cut", wire_unpack_${name}(&message, wire, length) == -EPROTO);
	}`);
  return `#include "wire.h"
#include <stdio.h>

static int failed;

static void check(const char *what, int holds)
{
	if (!holds) {
		printf("%s does not hold\\n", what);
		failed = 1;
	}
}

int main(void)
{
	static const unsigned char header[] = { 1, 2, 3, 0, 5, 6, 3, 0, 9, 10, 11, 12 };
	static const unsigned char too_long[] = { 1, 0, 16, 0, 5, 6, 0, 0, 9, 10, 11, 12 };
	static const unsigned char flag[] = { 1, 0, 0, 0, 5, 6, 4, 0, 9, 10, 11, 12 };
	struct wire_header frame;
	unsigned char again[WIRE_HEADER_BYTES];
	struct wire_hello hello = { .executable = { "sh", 2 }, .pid = 0x01020304 };
	unsigned char body[64];

	check("header", wire_unpack_header(&frame, header) == 0);
	check("header", frame.length == 0x30201 && frame.kind == 0x605 && frame.flags == (WIRE_END | WIRE_ERROR));
	check("header", frame.id == 0x0c0b0a09);
	wire_pack_header(&frame, again);
	check("header", memcmp(header, again, sizeof(again)) == 0);
	check("long header", wire_unpack_header(&frame, too_long) == -EPROTO);
	check("flagged header", wire_unpack_header(&frame, flag) == -EPROTO);
	check("hello", wire_pack_hello(&hello, body, sizeof(body)) == (int)WIRE_HELLO_BYTES + 2);
	check("hello", body[12] == 4 && body[15] == 1 && body[24] == 's' && body[25] == 'h');
${checks.join("\n")}
	return failed;
}
`;
}

Deno.test("layer/wire.h is the one that the table makes", () => {
  assert.equal(Deno.readTextFileSync(`${layer}wire.h`), writeWireHeader(layerMessages));
});

Deno.test("C packs and unpacks the same bytes as the codec, and refuses every shorter buffer", async () => {
  const cases = Object.entries(layerMessages as Record<string, Message>)
    .filter(([, message]) => Object.keys(message.fields).length > 0)
    .map(([name, message]) => ({
      name: name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      bytes: encode(message, sample(message)),
    }));
  const directory = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${directory}/wire.c`, program(cases));
    const flags = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Wcast-qual", "-Werror"];
    await run("cc", [...flags, `-I${layer}`, "-o", `${directory}/wire`, `${directory}/wire.c`]);
    await run(`${directory}/wire`, []);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

async function run(program: string, args: string[]): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args }).output();
  const decoder = new TextDecoder();
  assert.ok(success, decoder.decode(stdout) + decoder.decode(stderr));
}
