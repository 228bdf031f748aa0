// Which mounts `down` takes for its own.

import { deepStrictEqual } from "node:assert";
import { mountsUnder } from "./teardown.ts";

Deno.test("mounts are found below the folder and not beside it", () => {
  const mountinfo = [
    "21 1 0:1 / / rw - ext4 /dev/a rw",
    "22 21 0:2 / /state rw - tmpfs t rw",
    "23 22 0:3 / /state/a\\040b rw - tmpfs t rw",
    "24 21 0:4 / /state-of-others rw - tmpfs t rw",
  ].join("\n");
  deepStrictEqual(mountsUnder(mountinfo, "/state"), ["/state", "/state/a b"]);
});
