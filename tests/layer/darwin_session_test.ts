// The session with Darwin's sockets in place of Linux's: those parts are made of the runtime's own calls, so
// they run here as they do on a Mac. Each file is run by a Deno of its own whose import map puts them in
// place.

import assert from "node:assert/strict";

const root = new URL("../../", import.meta.url);

/** Files of tests; none of them has a test of what Linux alone can do. */
const files = [
  "tests/support/darwin_outgoing.ts",
  "tests/support/darwin_whole.ts",
  "core/session/session_test.ts",
  "core/session/mirror_app_test.ts",
  "core/session/own_sockets_test.ts",
];

for (const file of files) {
  Deno.test(`${file} with Darwin's sockets`, async () => {
    const { imports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root))) as {
      imports: Record<string, string>;
    };
    const map = await Deno.makeTempFile({ suffix: ".json" });
    const own = {
      [new URL("core/net/this_platform.ts", root).href]: place("tests/support/darwin_platform.ts"),
    };
    await Deno.writeTextFile(map, JSON.stringify({ imports: { ...imports, ...own } }));
    try {
      const args = ["test", "-A", "--no-check", "--import-map", map, file];
      const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args,
        cwd: root,
        stdin: "null",
        env: { NO_COLOR: "1" },
      }).output();
      const decoder = new TextDecoder();
      assert.ok(success, decoder.decode(stdout) + decoder.decode(stderr));
      assert.match(decoder.decode(stdout), /ok \| [1-9]\d* passed/);
    } finally {
      await Deno.remove(map);
    }
  });
}

function place(path: string): string {
  return new URL(path, root).href;
}
