// `go run` and `go test` of what would be static are refused before anything is deployed; Go itself is asked.

import assert from "node:assert/strict";
import { checkGoRun } from "../../core/launch/go_run.ts";
import { MirrordError } from "../../core/base/errors.ts";
import { ensureGo } from "../cluster/build.ts";

const sources = {
  "go.mod": "module example.test/go_run\n\ngo 1.21\n",
  "pure/main.go": 'package main\n\nimport "os"\n\nfunc main() { println(len(os.Args)) }\n',
  "cgo/main.go": 'package main\n\nimport _ "net"\n\nfunc main() {}\n',
};

/** Why the command line is refused; "" when it is not. */
async function refusal(words: string, cgo: string): Promise<string> {
  const folder = await Deno.makeTempDir();
  const before = Deno.cwd();
  const earlier = Deno.env.get("CGO_ENABLED");
  try {
    for (const [file, text] of Object.entries(sources)) {
      await Deno.mkdir(`${folder}/${file}`.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeTextFile(`${folder}/${file}`, text);
    }
    Deno.chdir(folder);
    Deno.env.set("CGO_ENABLED", cgo);
    await checkGoRun(await ensureGo(), words.split(" "));
    return "";
  } catch (error) {
    assert.ok(error instanceof MirrordError);
    assert.equal(error.exitCode, 126);
    return error.message;
  } finally {
    Deno.chdir(before);
    if (earlier === undefined) Deno.env.delete("CGO_ENABLED");
    else Deno.env.set("CGO_ENABLED", earlier);
    await Deno.remove(folder, { recursive: true });
  }
}

const noCgo = /CGO_ENABLED is 0/;
const pure = /no package of it uses cgo/;
const fine = /^$/;
const cases: [words: string, cgo: string, expected: RegExp][] = [
  ["run ./cgo", "0", noCgo],
  ["run ./pure a b", "0", noCgo],
  ["test ./...", "0", noCgo],
  ["build ./cgo", "0", fine],
  ["version", "0", fine],
  ["run ./cgo a -b", "1", fine],
  ["run -race -ldflags -s cgo/main.go ./pure", "1", fine],
  ["run ./pure net", "1", pure],
  ["run -ldflags -s pure/main.go cgo/main.go", "1", fine], // two packages: Go says so itself
  ["run pure/main.go x", "1", pure],
  ["run -tags netgo,osusergo ./cgo", "1", pure],
  ["run -tags=netgo ./cgo", "1", pure],
  ["run -C pure .", "1", pure],
  ["run ./none", "1", fine], // Go says it itself
];
for (const [words, cgo, expected] of cases) {
  Deno.test(`CGO_ENABLED=${cgo} go ${words}`, async () => assert.match(await refusal(words, cgo), expected));
}
