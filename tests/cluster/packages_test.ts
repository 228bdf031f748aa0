// How the output of apt's tools is read.

import { deepStrictEqual } from "node:assert";
import { parseUris, parseVersions } from "./packages.ts";

Deno.test("versions and files are read from what apt prints", () => {
  const shown = "Package: libc6\nSource: glibc\nVersion: 2.36-9\n\nPackage: nginx\nVersion: 1:1.22\n";
  deepStrictEqual([...parseVersions(shown)], [["libc6", "2.36-9"], ["nginx", "1:1.22"]]);
  const uris =
    "'http://mirror.test/libc6_2.36-9_amd64.deb' libc6_2.36-9_amd64.deb 2759320 SHA256:00\nE: noise\n";
  deepStrictEqual(parseUris(uris), [{ name: "libc6", file: "libc6_2.36-9_amd64.deb" }]);
});
