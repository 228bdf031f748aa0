// scriptOf: which argument of a command line is the file whose text is run.

import assert from "node:assert/strict";
import { scriptOf } from "./own_code.ts";

const cases: [line: string, script: string | undefined][] = [
  ["bash /srv/run", "/srv/run"],
  ["bash -x -o pipefail /srv/run arg", "/srv/run"],
  ["bash -euo pipefail /srv/run", "/srv/run"],
  ["bash --rcfile /x /srv/run", "/srv/run"],
  ["bash --posix /srv/run", "/srv/run"],
  ["-bash", undefined],
  ["sh -c /srv/run", undefined],
  ["sh -ec /srv/run", undefined],
  ["bash -s /srv/run", undefined],
  ["sh -- /srv/run", "/srv/run"],
  ["python3.12 -X dev -W ignore /srv/main", "/srv/main"],
  ["python3 -Wonce -Ximporttime /srv/main", "/srv/main"],
  ["python3 -m http.server /srv/main", undefined],
  ["python3 -Ic code /srv/main", undefined],
  ["node --require /srv/hook /srv/main", "/srv/main"],
  ["node --max-old-space-size=100 /srv/main", "/srv/main"],
  ["node -e code /srv/main", undefined],
  ["deno run -A /srv/main", "/srv/main"],
  ["bun run /srv/main", "/srv/main"],
  ["ruby -I lib -rset /srv/main", "/srv/main"],
  ["ruby -ne code /srv/x", undefined],
  ["perl -I lib -Mfeature=say /srv/main", "/srv/main"],
  ["perl -lane code /srv/x", undefined],
  ["php -d a=b -f /srv/main arg", "/srv/main"],
  ["php -r code /srv/x", undefined],
  ["cat /srv/run", undefined],
  ["/usr/bin/java -jar /srv/x", undefined],
];

for (const [line, script] of cases) {
  Deno.test(`${line}: ${script ?? "no script"}`, () => {
    const argv = line.split(" ");
    assert.equal(scriptOf(argv, ""), script);
  });
}

Deno.test("a file that names its own interpreter is a script of that, whatever it is; no other's", async () => {
  const path = await Deno.makeTempFile();
  try {
    for (const first of ["#!/opt/lang/interp -x", "#! /opt/lang/interp", "#!/usr/bin/env -S interp -x"]) {
      await Deno.writeTextFile(path, `${first}\ntext\n`);
      assert.equal(scriptOf(["/opt/lang/interp", path], "interp"), path, first);
      assert.equal(scriptOf(["interp", "-x", path, "arg"], "interp-1.2"), path, first);
      assert.equal(scriptOf(["cat", path], "cat"), undefined, first);
    }
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("a pipe named on a command line is no script, and is not waited for", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const pipe = `${folder}/pipe`;
    assert.ok((await new Deno.Command("mkfifo", { args: [pipe] }).output()).success);
    assert.equal(scriptOf(["/usr/bin/cat", pipe], "/usr/bin/cat"), undefined);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
