// Target paths: what is read, what is refused and with which words.

import assert from "node:assert/strict";
import { TargetError } from "../base/errors.ts";
import { formatTargetPath, parseTargetPath } from "./path.ts";

Deno.test("every form of a target is read and written back", () => {
  const cases: [string, unknown, string?][] = [
    ["targetless", { kind: "targetless" }],
    ["process/4711", { kind: "process", pid: 4711 }],
    ["pod/api-7f9", { kind: "pod", name: "api-7f9", container: undefined }],
    ["pod/api.v2/container/web", { kind: "pod", name: "api.v2", container: "web" }],
    ["deployment/api", { kind: "deployment", name: "api", container: undefined }],
    ["deploy/api/container/web", {
      kind: "deployment",
      name: "api",
      container: "web",
    }, "deployment/api/container/web"],
  ];
  for (const [text, path, canonical = text] of cases) {
    const parsed = parseTargetPath(text);
    assert.deepEqual(parsed, path);
    assert.equal(formatTargetPath(parsed), canonical);
    assert.deepEqual(parseTargetPath(canonical), path);
  }
});

Deno.test("a bad target is refused with what is wrong about it", () => {
  const cases: [string, RegExp, RegExp?][] = [
    ["", /does not name the kind/],
    ["api", /does not name the kind/, /deployment\/NAME/],
    ["pod", /does not say|name of the pod is missing/],
    ["pod/", /name of the pod is missing/],
    ["pod/Big_Name", /"Big_Name" cannot be the name of a pod/],
    ["pod/" + "a".repeat(254), /cannot be the name/],
    ["pod/a/web", /only "\/container\/NAME"/],
    ["pod/a/container", /name of the container is missing/],
    ["pod/a/container/", /name of the container is missing/],
    ["pod/a/container/w.x", /cannot be the name of a container/],
    ["pod/a/container/w/x", /only "\/container\/NAME"/],
    ["deploymnt/a", /no kind of target called "deploymnt"/, /Did you mean "deployment"\?/],
    ["constructor/a", /no kind of target/],
    ["statefulset/db", /"statefulset" are not supported yet/],
    ["job/x", /not supported yet/],
    ["process/", /named by its number/],
    ["process/0", /named by its number/],
    ["process/-1", /named by its number/],
    ["process/99999999", /named by its number/],
    ["process/1/container/x", /named by its number/],
  ];
  for (const [text, message, help] of cases) {
    assert.throws(() => parseTargetPath(text), (error) => {
      assert.ok(error instanceof TargetError, text);
      assert.match(error.message, message);
      assert.match(error.message, /^Cannot use ".*" as the target: /);
      assert.equal(error.exitCode, 78);
      if (help) assert.match(error.help ?? "", help);
      return true;
    });
  }
});
