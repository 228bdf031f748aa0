// `verify-config` says of a target what `exec` would say of it.

import assert from "node:assert/strict";
import { TargetError } from "../core/base/errors.ts";
import { verifyConfig } from "./verify_config.ts";

Deno.test("a target that no session could have is refused", async () => {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    for (const target of ["statefulset/db", "nonsense", "pod/Big_Name"]) {
      await Deno.writeTextFile(file, JSON.stringify({ target }));
      await assert.rejects(verifyConfig(file), (error) => {
        assert.ok(error instanceof TargetError);
        assert.equal(error.exitCode, 78);
        return true;
      });
    }
  } finally {
    await Deno.remove(file);
  }
});
