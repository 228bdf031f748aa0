// How the output of apt's tools is read, and that a machine without package lists gets them.

import assert from "node:assert/strict";
import { findProgram } from "./command.ts";
import { candidateVersions, parseVersions } from "./packages.ts";

Deno.test("versions are read from what apt prints", () => {
  const shown = "Package: libc6\nSource: glibc\nVersion: 2.36-9\n\nPackage: nginx\nVersion: 1:1.22\n";
  assert.deepEqual([...parseVersions(shown)], [["libc6", "2.36-9"], ["nginx", "1:1.22"]]);
});

// Of libc6 such a machine still knows the version that is installed.
Deno.test({
  name: "a machine without package lists fetches them",
  ignore: Deno.uid() !== 0 || await findProgram("apt-cache") === null,
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "mirrord-lists-test." });
    try {
      await Deno.mkdir(`${folder}/lists/partial`, { recursive: true });
      await Deno.writeTextFile(
        `${folder}/apt.conf`,
        `Dir::State::lists "${folder}/lists";\nDir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n`,
      );
      Deno.env.set("APT_CONFIG", `${folder}/apt.conf`);
      const versions = await candidateVersions(["libc6", "busybox"]);
      assert.deepEqual([...versions.keys()].sort(), ["busybox", "libc6"]);
    } finally {
      Deno.env.delete("APT_CONFIG");
      await Deno.remove(folder, { recursive: true });
    }
  },
});
