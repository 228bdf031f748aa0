// Which Go is used, and what is stamped into the binaries.

import { match, ok, strictEqual } from "node:assert";
import { isNewEnough, versionFlags } from "./build.ts";
import { sourceDir } from "./layout.ts";

Deno.test("a Go that builds what the go.mod files ask for is new enough", () => {
  ok(isNewEnough("go version go1.24.0 linux/amd64"));
  ok(isNewEnough("go version go2.0 linux/amd64"));
  ok(!isNewEnough("go version go1.23.12 linux/amd64"));
  ok(!isNewEnough("no go here"));
});

Deno.test("the version of Kubernetes comes from go.mod", async () => {
  const flags = versionFlags(await Deno.readTextFile(sourceDir("hyperkube", "go.mod")));
  match(flags, /component-base\/version\.gitVersion=v1\.34\.\d+ /);
  strictEqual(versionFlags("module coredns\n"), "");
});
