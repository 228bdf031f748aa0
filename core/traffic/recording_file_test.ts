// A recording on a disk that gets full.

import assert from "node:assert/strict";

const module = (name: string) => new URL(`./${name}`, import.meta.url).href;

/** Runs a script that writes to `file` and prints what failed, where that can grow to 2048 bytes only. */
async function onFullDisk(script: (file: string) => string): Promise<{ failed: string[]; content: string }> {
  const path = await Deno.makeTempFile({ prefix: "mirrord-recording-" });
  try {
    // No file may grow beyond 4 blocks of 512 bytes.
    const limited = ["-c", 'ulimit -f 4; trap "" XFSZ; exec "$@"', "sh", Deno.execPath()];
    const args = [...limited, "eval", script(JSON.stringify(path))];
    const { stdout, stderr } = await new Deno.Command("sh", { args }).output();
    const decoder = new TextDecoder();
    assert.equal(decoder.decode(stderr), "");
    return { failed: JSON.parse(decoder.decode(stdout)), content: await Deno.readTextFile(path) };
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("a file that can grow no more is complete without what found no room", async () => {
  const { failed, content } = await onFullDisk((file) => `
    import { RecordingFile } from "${module("recording_file.ts")}";
    using file = new RecordingFile(${file});
    const said = [];
    for (const [letter, size] of [["a", 1000], ["b", 3000], ["c", 10], ["d", 1000]]) {
      file.append(new TextEncoder().encode(letter.repeat(size)), new TextEncoder().encode("."));
      try {
        file.flush();
      } catch (error) {
        said.push(error.message);
      }
    }
    console.log(JSON.stringify(said));`);
  const [only = "", ...more] = failed;
  assert.match(only, /^Cannot write ".*": .*File too large/);
  assert.deepEqual(more, []);
  assert.equal(content, `${"a".repeat(1000)}${"c".repeat(10)}${"d".repeat(1000)}.`);
});

Deno.test("a HAR file is JSON without the entry that found no room, if that was the first one too", async () => {
  const { failed, content } = await onFullDisk((file) => `
    import { HarFile } from "${module("har.ts")}";
    import { newMessage } from "${module("message.ts")}";
    using har = new HarFile(${file}, 1000);
    const end = { address: "192.0.2.1", port: 80 };
    const said = [];
    for (const path of ["long".repeat(1000), "short", "other"]) {
      const request = newMessage(new TextEncoder().encode("GET /" + path + " HTTP/1.1\\r\\n\\r\\n"), 0n);
      har.add({ number: 1, connection: { number: 1, client: end, target: end }, request, response: null });
      try {
        har.flush();
      } catch (error) {
        said.push(error.message);
      }
    }
    console.log(JSON.stringify(said));`);
  assert.equal(failed.length, 1);
  const urls = JSON.parse(content).log.entries.map(({ request }: { request: { url: string } }) =>
    request.url
  );
  assert.deepEqual(urls, ["http://192.0.2.1/short", "http://192.0.2.1/other"]);
});
