// Signatures of releases: made and checked here, and by minisign itself. Each test makes its own key.

import assert from "node:assert/strict";
import { verifySignature } from "../cmd/minisign.ts";
import { newKey, publicKeyOf, sign } from "./minisign.ts";

const file = new TextEncoder().encode("0123  mirrord-linux-x86_64\n");
const comment = "mirrord 1.2.3";

Deno.test("a signature of the file by the key is trusted, and the same each time", async () => {
  const { secretKey, publicKey } = await newKey();
  const signature = await sign(file, { secretKey, comment });
  assert.equal(publicKeyOf(secretKey), publicKey.split("\n")[1]);
  assert.equal(await verifySignature(file, { signature, publicKey: publicKeyOf(secretKey) }), comment);
  assert.equal(await sign(file, { secretKey, comment }), signature);
});

Deno.test("any other file, comment, key or text is refused", async () => {
  const { secretKey } = await newKey();
  const publicKey = publicKeyOf(secretKey);
  const signature = await sign(file, { secretKey, comment });
  const other = publicKeyOf((await newKey()).secretKey);
  const posed = publicKey.slice(0, 16) + other.slice(16); // another key under this one's number
  const lines = signature.split("\n");
  const cases: [string, RegExp, Uint8Array, string, string][] = [
    ["file", /the file is another one/, file.slice(1), signature, publicKey],
    ["comment", /its comment is another one/, file, signature.replace("1.2.3", "9.9.9"), publicKey],
    ["key", /it was made by the key [0-9A-F]{16}, not by/, file, signature, other],
    ["key of this number", /the file is another one/, file, signature, posed],
    ["no key", /no key of minisign/, file, signature, ""],
    ["cut off", /not in minisign's format/, file, lines.slice(0, 3).join("\n"), publicKey],
    ["nothing", /not in minisign's format/, file, "", publicKey],
    ["not over a hash", /not of the kind/, file, signature.replace(/^RU/m, "RW"), publicKey],
  ];
  for (const [what, expected, bytes, text, key] of cases) {
    await assert.rejects(verifySignature(bytes, { signature: text, publicKey: key }), expected, what);
  }
});

Deno.test("a secret key that cannot be used is refused", async () => {
  const { secretKey } = await newKey();
  const [first, line = ""] = secretKey.split("\n");
  const changed = (at: number) => {
    const bytes = Uint8Array.fromBase64(line);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    return `${first}\n${bytes.toBase64()}\n`;
  };
  assert.throws(() => publicKeyOf("not a key"), /not in minisign's format/);
  assert.throws(() => publicKeyOf(changed(2)), /it has a password/);
  await assert.rejects(sign(file, { secretKey: changed(70), comment }), /its halves do not belong together/);
});

const minisign = await new Deno.Command("sh", { args: ["-c", "command -v minisign"] }).output();

Deno.test({
  name: "minisign trusts what is signed here, and makes the same itself (needs minisign)",
  ignore: !minisign.success,
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "mirrord-minisign." });
    try {
      const { secretKey, publicKey } = await newKey();
      const signature = await sign(file, { secretKey, comment });
      await Deno.writeTextFile(`${folder}/key`, secretKey);
      await Deno.writeTextFile(`${folder}/key.pub`, publicKey);
      await Deno.writeFile(`${folder}/file`, file);
      await Deno.writeTextFile(`${folder}/file.minisig`, signature);
      const run = (...args: string[]) => new Deno.Command("minisign", { args, cwd: folder }).output();
      assert.ok((await run("-V", "-p", "key.pub", "-m", "file")).success);
      assert.ok((await run("-S", "-s", "key", "-m", "file", "-x", "theirs", "-t", comment)).success);
      const theirs = (await Deno.readTextFile(`${folder}/theirs`)).split("\n").slice(1);
      assert.deepEqual(theirs, signature.split("\n").slice(1));
      assert.ok((await run("-G", "-W", "-s", "made", "-p", "made.pub")).success);
      const made = await Deno.readTextFile(`${folder}/made`);
      assert.equal(publicKeyOf(made), (await Deno.readTextFile(`${folder}/made.pub`)).split("\n")[1]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
