// Names in the cache.

import { ok, strictEqual } from "node:assert";
import { contentKey } from "./command.ts";

Deno.test("content keys tell the parts apart", async () => {
  ok(await contentKey(["ab", "c"]) !== await contentKey(["a", "bc"]));
  strictEqual(await contentKey(["a"]), await contentKey(["a"]));
});
