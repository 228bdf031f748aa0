// Packet files as Wireshark reads them: by tshark, its program without windows (Debian's package tshark).

import assert from "node:assert/strict";

const program = "/usr/bin/tshark";

/** Why its tests are skipped; null: it is there. */
export function missingForTshark(): string | null {
  try {
    return Deno.statSync(program).isFile ? null : "tshark is no file";
  } catch {
    return "tshark is not installed (Debian's package tshark)";
  }
}

/** These fields of each packet of the file that `filter` matches, tab-separated. */
export async function tshark(path: string, fields: string[], filter = ""): Promise<string[]> {
  const args = ["-r", path, "-T", "fields", ...fields.flatMap((field) => ["-e", field])];
  if (filter !== "") args.push("-Y", filter);
  const { code, stdout, stderr } = await new Deno.Command(program, { args }).output();
  const decoder = new TextDecoder();
  assert.equal(code, 0, decoder.decode(stderr));
  assert.doesNotMatch(decoder.decode(stderr), /cut short|damaged|corrupt|isn't a capture file/);
  return decoder.decode(stdout).split("\n").filter((line) => line !== "");
}
