// The session's directory: private, gone when disposed, gone when its owner is killed.

import assert from "node:assert/strict";
import { PrivateDir } from "./private_dir.ts";

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

Deno.test("a private directory is 0700 and goes when disposed", async () => {
  const dir = PrivateDir.make();
  assert.equal((Deno.statSync(dir.path).mode ?? 0) & 0o777, 0o700);
  Deno.writeTextFileSync(`${dir.path}/file`, "x");
  await dir[Symbol.asyncDispose]();
  assert.equal(exists(dir.path), false);
});

Deno.test("a private directory goes when its owner is killed", async () => {
  const module = new URL("./private_dir.ts", import.meta.url).href;
  const owner = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      `import { PrivateDir } from ${
        JSON.stringify(module)
      }; console.log(PrivateDir.make().path); setInterval(() => {}, 1000)`,
    ],
    stdout: "piped",
  }).spawn();
  const reader = owner.stdout.getReader();
  const path = new TextDecoder().decode((await reader.read()).value).trim();
  assert.ok(exists(path), path);
  // Leaving the loop closes the watcher.
  const watcher = Deno.watchFs(path.replace(/\/[^/]*$/, ""));
  owner.kill("SIGKILL");
  await owner.status;
  await reader.cancel();
  if (!exists(path)) watcher.close();
  else for await (const event of watcher) if (event.kind === "remove" && event.paths.includes(path)) break;
  assert.equal(exists(path), false);
});
