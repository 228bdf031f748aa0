// The target's variables: parsed from the kernel's block, merged in the documented order.

import assert from "node:assert/strict";
import { agentPair } from "../../tests/support/fake_agent.ts";
import { SessionError } from "../base/errors.ts";
import { setLogSink } from "../base/log.ts";
import {
  type EnvConfig,
  fetchEnvironment,
  mappingRules,
  mergeEnvironment,
  parseEnvironment,
  remoteGlobs,
} from "./env.ts";

const nothing: EnvConfig = { include: [], exclude: [], file: {}, mapping: [], override: {}, unset: [] };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

Deno.test("a block may be cut anywhere", () => {
  const block = bytes("A=1\0LONG=ä=b\0EMPTY=\0");
  for (let cut = 0; cut <= block.length; cut++) {
    const variables = parseEnvironment([block.subarray(0, cut), block.subarray(cut)]);
    assert.deepEqual([...variables], [["A", "1"], ["LONG", "ä=b"], ["EMPTY", ""]]);
  }
});

Deno.test("a last pair without a zero byte still counts, rubbish does not", () => {
  assert.deepEqual([...parseEnvironment([bytes("noequals\0=x\0\0A=1")])], [["A", "1"]]);
});

Deno.test("a value that is no UTF-8 is named, not mangled", () => {
  const lines: string[] = [];
  const before = setLogSink((_level, text) => lines.push(text));
  try {
    const variables = parseEnvironment([new Uint8Array([0x41, 0x3d, 0xff, 0, 0x42, 0x3d, 0x31, 0])]);
    assert.deepEqual([...variables], [["B", "1"]]);
    assert.match(lines.join(), /variable "A"/);
  } finally {
    setLogSink(before);
  }
});

Deno.test("remote beats own, file beats remote, mapping beats file, override beats all, unset is last", () => {
  const own = { HOME: "/here", A: "own", B: "own", C: "own", D: "own", E: "own" };
  const remote = new Map([["A", "remote"], ["B", "remote"], ["C", "remote"], ["D", "remote"], [
    "e",
    "remote",
  ]]);
  const merged = mergeEnvironment(own, remote, {
    ...nothing,
    file: { B: "file", C: "file", D: "file" },
    mapping: mappingRules({ "^([CD])$": "mapped-$1" }),
    override: { D: "override" },
    unset: ["E"],
  });
  assert.deepEqual(merged, { HOME: "/here", A: "remote", B: "file", C: "mapped-C", D: "override" });
});

Deno.test("the machine's own paths stay its own unless asked for", () => {
  assert.ok(remoteGlobs({ include: [], exclude: ["SECRET"] }).exclude.includes("PATH"));
  assert.ok(remoteGlobs({ include: [], exclude: ["SECRET"] }).exclude.includes("SECRET"));
  assert.deepEqual(remoteGlobs({ include: ["PATH"], exclude: [] }), { include: ["PATH"], exclude: [] });
});

Deno.test("variables that were not asked for are not taken", async () => {
  const sent = bytes("A=1\0LD_PRELOAD=/tmp/x.so\0BASH_ENV=/tmp/x\0SECRET=2\0");
  for (
    const [rules, names] of [
      [remoteGlobs({ include: [], exclude: ["SECRET"] }), ["A"]],
      [remoteGlobs({ include: ["LD_PRELOAD", "S*"], exclude: ["SECRET"] }), ["LD_PRELOAD"]],
    ] as const
  ) {
    await using pair = await agentPair();
    const fetched = fetchEnvironment(pair.client, rules);
    await pair.agent.reply(await pair.expect("env"), "env", sent);
    assert.deepEqual([...(await fetched).keys()], names);
  }
});

Deno.test("a refusal of the agent is a sentence with its exit code, as is its end", async () => {
  for (const [errno, exitCode] of [[13, 77], [3, 69]] as const) {
    await using pair = await agentPair();
    const fetched = fetchEnvironment(pair.client, remoteGlobs(nothing));
    await pair.agent.fail(
      await pair.expect("env"),
      errno,
      "Cannot read the environment of process 1: so it is",
    );
    await assert.rejects(fetched, (error) => {
      assert.ok(error instanceof SessionError);
      assert.match(error.message, /^Cannot read the environment of process 1: so it is$/);
      assert.equal(error.exitCode, exitCode);
      return true;
    });
  }
  await using pair = await agentPair();
  const fetched = fetchEnvironment(pair.client, remoteGlobs(nothing));
  await pair.expect("env");
  pair.agent.close();
  await assert.rejects(fetched, (error) => error instanceof SessionError && error.exitCode === 74);
});
