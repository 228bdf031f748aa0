// What a container of a session cannot have, and the ports that it publishes.

import assert from "node:assert/strict";
import { setLogSink } from "../../base/log.ts";
import { checkedLine, checkRunLine, publishedPorts } from "./check.ts";
import { readRunLine } from "./command_line.ts";

function read(flags: string): ReturnType<typeof readRunLine> {
  return readRunLine(["podman", "run", ...flags.split(" ").filter(Boolean), "image"]);
}

/** The warnings of `work`. */
function warnings(work: () => void): string[] {
  const said: string[] = [];
  setLogSink((_level, text) => said.push(text), "info");
  try {
    work();
  } finally {
    setLogSink(() => {}, "info");
  }
  return said;
}

Deno.test("flags that would break the session are refused", () => {
  const refusals: Record<string, RegExp> = {
    "-d": /Cannot use "--detach": a session lasts as long/,
    "--network shop": /Cannot use "--network shop": the session is reached by this machine's network/,
    "--pod shop": /Cannot use "--pod shop"/,
    "--restart always": /Cannot use "--restart always": the session ends with the container/,
    "--runtime runsc": /Cannot use "--runtime runsc": its containers have a kernel of their own/,
    "-e MIRRORD_LAYER_SOCKET=x": /Cannot use "--env MIRRORD_LAYER_SOCKET": mirrord sets this variable/,
  };
  for (const [flags, said] of Object.entries(refusals)) {
    assert.throws(() => checkRunLine(read(flags)), said, flags);
  }
  for (
    const flags of ["--network=host", "-d=false", "--restart no", "--pid host", "-e A=B", "--runtime crun"]
  ) {
    assert.deepEqual(warnings(() => checkRunLine(read(flags))), [], flags);
  }
});

Deno.test("a file with a container's id is refused: that container would be taken for the session's", async () => {
  const file = await Deno.makeTempFile();
  try {
    assert.throws(() => checkRunLine(read(`--cidfile ${file}`)), /the file is there already/);
    const [, directory = "", name = ""] = /^(.*)\/(.*)$/.exec(file) ?? [];
    assert.throws(() => checkRunLine(read(`--cidfile ${name}`), { directory }), /the file is there already/);
    checkRunLine(read(`--cidfile ${name}`), { directory: "/" });
  } finally {
    await Deno.remove(file);
  }
  checkRunLine(read(`--cidfile ${file}`));
});

Deno.test("a container in the background has no terminal", () => {
  const line = ["docker", "run", "-it", "image"];
  assert.throws(
    () => checkedLine(line, { isBackground: true }),
    /Cannot use "--tty": the container's output/,
  );
  for (const flags of ["-i", "-t=false"]) {
    checkedLine(["docker", "run", flags, "image"], { isBackground: true });
  }
  assert.equal(checkedLine(line).line.image, "image");
});

Deno.test("names of the engine's own are reported as without effect", () => {
  assert.deepEqual(warnings(() => checkRunLine(read("--add-host db:10.0.0.1"))), [
    "--add-host db:10.0.0.1 has no effect on names that are looked up in the target",
  ]);
});

Deno.test("a published port is the one where the app listens here", () => {
  const cases: Record<string, [number, number][]> = {
    "-p 80": [],
    "-p 80:80": [],
    "-p 8080:80": [[80, 8080]],
    "-p 8080:80/tcp -p 8443:443": [[80, 8080], [443, 8443]],
    "--publish=0.0.0.0:8080:80": [[80, 8080]],
    "-p 8001-8003:1-3": [[1, 8001], [2, 8002], [3, 8003]],
  };
  for (const [flags, wanted] of Object.entries(cases)) {
    let found: unknown;
    assert.deepEqual(warnings(() => found = publishedPorts(read(flags))), [], flags);
    assert.deepEqual(found, wanted, flags);
  }
});

Deno.test("what a published port asks beyond that is reported or refused", () => {
  assert.match(
    warnings(() => assert.deepEqual(publishedPorts(read("-p 127.0.0.1:8080:80")), [[80, 8080]])).join(),
    /the program itself decides at which address it listens/,
  );
  assert.match(
    warnings(() => assert.deepEqual(publishedPorts(read("-p [::1]:53:5353/udp")), [])).join(),
    /only TCP ports are moved/,
  );
  for (const text of ["x", "80:x", "1-3:1-2", "0:80:", "99999"]) {
    assert.throws(() => publishedPorts(read(`-p ${text}`)), /Cannot use "--publish/, text);
  }
});
