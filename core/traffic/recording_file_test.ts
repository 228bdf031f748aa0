// A recording on a disk that gets full.

import assert from "node:assert/strict";

const module = new URL("./recording_file.ts", import.meta.url).href;

Deno.test("a file that can grow no more is complete without what found no room", async () => {
  const path = await Deno.makeTempFile({ prefix: "mirrord-recording-" });
  try {
    const script = `
      import { RecordingFile } from "${module}";
      using file = new RecordingFile("${path}");
      const said = [];
      for (const [letter, size] of [["a", 1000], ["b", 3000], ["c", 10], ["d", 1000]]) {
        file.append(new TextEncoder().encode(letter.repeat(size)), new TextEncoder().encode("."));
        try {
          file.flush();
        } catch (error) {
          said.push(error.message);
        }
      }
      console.log(JSON.stringify(said));`;
    // No file may grow beyond 4 blocks of 512 bytes.
    const limited = ["-c", 'ulimit -f 4; trap "" XFSZ; exec "$@"', "sh", Deno.execPath()];
    const { stdout, stderr } = await new Deno.Command("sh", { args: [...limited, "eval", script] }).output();
    const decoder = new TextDecoder();
    assert.equal(decoder.decode(stderr), "");
    const [only, ...more] = JSON.parse(decoder.decode(stdout));
    assert.match(only, /^Cannot write ".*": .*File too large/);
    assert.deepEqual(more, []);
    assert.equal(await Deno.readTextFile(path), `${"a".repeat(1000)}${"c".repeat(10)}${"d".repeat(1000)}.`);
  } finally {
    await Deno.remove(path);
  }
});
