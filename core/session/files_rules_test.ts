// filesRules: the places of a container decide, not this machine's.

import assert from "node:assert/strict";
import { osBytes } from "../base/os_text.ts";
import { type Config, loadConfig } from "../config/load.ts";
import type { Target } from "../target/target.ts";
import { filesRules, homeIn } from "./files_rules.ts";
import { Policy } from "./policy.ts";
import type { AppContainer } from "./session_options.ts";

const container: AppContainer = {
  variables: { PATH: "/opt/tool/bin:/usr/bin", TMPDIR: "/scratch" },
  workingDirectory: "/app",
  home: "/data/home",
  accountHome: "/root",
  mounts: ["/src", "/data/own"],
};
/** As far as the rules read it: a pod with these volumes. */
const pod = { kind: "pod", mounts: ["/data", "/src", "/deep/below"] } as unknown as Target;

async function configOf(mode: string): Promise<Config> {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(file, JSON.stringify({ target: "pod/a", feature: { fs: mode } }));
    return await loadConfig({ file, flags: {}, env: new Map() });
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("what a container is given is local, its other paths are judged as an app's", async () => {
  const kept: string[] = [];
  const rules = filesRules(await configOf("read"), pod, {
    program: "/opt/tool/bin/run",
    container,
    emit: (event) => void (event.type === "volumesUnread" && kept.push(...event.paths)),
  });
  assert.ok(rules !== null);
  const policy = new Policy(rules.config, rules.places, rules.mounts);
  const place = (path: string) => policy.decide({ path: osBytes(path), writes: false, executable: "" }).place;
  const wanted = {
    local: ["/app/main", "/src/main", "/scratch/x", "/data/own/x", "/usr/bin/x", "/data/home/.profile"],
    remote: [
      "/data/file",
      "/data",
      "/deep",
      "/deep/below/file",
      "/srv/file",
      "/etc/hosts",
      "/etc/resolv.conf",
    ],
    absent: ["/data/home/.kube/config"],
  };
  for (const [side, paths] of Object.entries(wanted)) {
    for (const path of paths) assert.equal(place(path), side, path);
  }
  assert.deepEqual(kept, ["/src"], "the developer's own mount is not the target's volume");
  const here = Deno.cwd();
  assert.equal(
    place(`${here.replace(/^\/home/, "/srv")}/file`),
    "remote",
    "this machine's folder counts for nothing",
  );
});

Deno.test("a user's home is found by name and by number, behind lines that are none", async () => {
  const file = await Deno.makeTempFile();
  try {
    const lines = ["", "+::::::", "root:x:0:0:root:/root:/bin/sh", "app:x:1000:50::/srv/app:"];
    await Deno.writeTextFile(file, lines.join("\n"));
    const homes = ["0", "root", "1000", "app", "50"].map((user) => homeIn(file, user));
    assert.deepEqual(homes, ["/root", "/root", "/srv/app", "/srv/app", undefined]);
  } finally {
    await Deno.remove(file);
  }
});
