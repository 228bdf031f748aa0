// layer/wire.h: current with the table, and the same bytes in C as codec.ts makes.

import assert from "node:assert/strict";
import { type Body, encode, type FieldType, type Message } from "../protocol-wasm/messages/codec.ts";
import { layerMessages } from "../protocol-wasm/messages/layer_messages.ts";
import { snake, writeWireHeader } from "./wire.ts";

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

/** How C writes a sample's field: its value, and the condition that `at` has it. */
function inC(type: FieldType, value: unknown): { literal: string; is(at: string): string } {
  if (type === "str" || type === "bytes") {
    const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value as Uint8Array;
    const text = `(const char[]){ ${[...bytes].join(", ")} }`;
    return {
      literal: `{ ${text}, ${bytes.length} }`,
      is: (at) => `${at}.length == ${bytes.length} && memcmp(${at}.start, (${text}), ${bytes.length}) == 0`,
    };
  }
  if (type !== "address") {
    return {
      literal: String(value),
      is: (at) => `${at} == ${value}${type === "bool" ? "" : "u"}`,
    };
  }
  const { address, port } = value as { address: string; port: number };
  const v4 = !address.includes(":");
  const bytes = v4 ? address.split(".").map(Number) : [0xfd, ...Array(14).fill(0), Number(address.slice(6))];
  const raw = `(const unsigned char[16]){ ${bytes.join(", ")} }`;
  return {
    literal: `{ ${v4 ? 4 : 6}, { ${bytes.join(", ")} }, ${port} }`,
    is: (at) =>
      `${at}.family == ${v4 ? 4 : 6} && ${at}.port == ${port} && memcmp(${at}.bytes, (${raw}), 16) == 0`,
  };
}

type Case = { name: string; bytes: Uint8Array; fields: { field: string; c: ReturnType<typeof inC> }[] };

/** A C program that unpacks and packs each message, and tries every shorter length. */
function program(cases: Case[]): string {
  const checks = cases.map(({ name, bytes, fields }) => `
	{
		static const unsigned char wire[] = { ${[...bytes].join(", ")} };
		const struct wire_${name} message = { ${
    fields.map(({ field, c }) => `.${field} = ${c.literal}`).join(", ")
  } };
		struct wire_${name} found;
		unsigned char packed[sizeof(wire)];

		check("${name}", wire_pack(&wire_${name}_shape, &message, packed, sizeof(packed)) == (int)sizeof(wire));
		check("${name}", memcmp(wire, packed, sizeof(wire)) == 0);
		check("${name}", wire_unpack(&wire_${name}_shape, &found, wire, sizeof(wire)) == 0);
${fields.map(({ field, c }) => `\t\tcheck("${name}.${field}", ${c.is(`found.${field}`)});`).join("\n")}
		for (size_t length = 0; length < sizeof(wire); length++) {
			check("${name} packed short", wire_pack(&wire_${name}_shape, &message, packed, length) == -EMSGSIZE);
			check("${name} cut", wire_unpack(&wire_${name}_shape, &found, wire, length) == -EPROTO);
		}
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
	check("hello", wire_pack(&wire_hello_shape, &hello, body, sizeof(body)) == 26);
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
    .map(([name, message]) => {
      const body = sample(message) as Record<string, unknown>;
      return {
        name: snake(name),
        bytes: encode(message, sample(message)),
        fields: Object.entries(message.fields).map(([field, type]) => ({
          field: snake(field),
          c: inC(type, body[field]),
        })),
      };
    });
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
