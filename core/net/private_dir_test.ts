// The session's directory: private, removed when disposed, removed when its owner is killed.

import assert from "node:assert/strict";
import { deadline } from "../../tests/support/deadline.ts";
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

/**
 * A program that makes a directory and prints its path once the shell that removes it is in a session of its
 * own, which setsid(1) enters a moment after it was started.
 */
function ownerCode(): string {
  const module = JSON.stringify(new URL("./private_dir.ts", import.meta.url).href);
  return `
    import { PrivateDir } from ${module};
    const { path } = PrivateDir.make();
    const session = (pid) => Deno.readTextFileSync("/proc/" + pid + "/stat").split(") ")[1].split(" ")[3];
    const [shell] = Deno.readTextFileSync("/proc/self/task/" + Deno.pid + "/children").trim().split(" ");
    while (session(shell) === session("self"));
    console.log(path);
    setInterval(() => {}, 1000);`;
}

for (const whom of ["its owner", "its owner's whole process group"]) {
  Deno.test(`a private directory goes when ${whom} is killed`, async () => {
    // A folder of this test's own: in a shared one there is what others make, and mount, meanwhile.
    const base = Deno.makeTempDirSync({ dir: "/tmp" });
    const owner = new Deno.Command(Deno.execPath(), {
      args: ["eval", ownerCode()],
      env: { XDG_RUNTIME_DIR: base },
      stdout: "piped",
      detached: true,
    }).spawn();
    const reader = owner.stdout.getReader();
    const path = new TextDecoder().decode((await reader.read()).value).trim();
    assert.ok(exists(path), path);
    // Leaving the loop closes the watcher.
    assert.ok(path.startsWith(`${base}/`), path);
    const watcher = Deno.watchFs(base, { recursive: false });
    Deno.kill(whom === "its owner" ? owner.pid : -owner.pid, "SIGKILL");
    await owner.status;
    await reader.cancel();
    // Any event is a reason to look: the kernel drops single ones where a folder is busy (inotify(7),
    // IN_Q_OVERFLOW).
    const gone = (async () => {
      if (!exists(path)) return watcher.close();
      for await (const _event of watcher) if (!exists(path)) break;
    })();
    await deadline(gone, "the killed owner's directory goes");
    assert.equal(exists(path), false);
    Deno.removeSync(base);
  });
}

Deno.test("a farewell is run with its variables, none of which is a word of a command", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const secret = `it's "one", $HOME \`id\` \\ \n of two lines`;
    const env = { PATH: "/usr/bin:/bin", UID: "77", "no%%name": "x", SECRET: secret, LAST: "" };
    const code = 'printf "%s" "$SECRET${LAST-unset}${HOME-}" >"$0"';
    const farewell = (path: string, name: string) =>
      PrivateDir.farewell(path, ["sh", "-c", code, `${folder}/${name}`], env);

    const killed = PrivateDir.make();
    farewell(killed.path, "killed");
    const words = Deno.readTextFileSync(`${killed.path}/farewell`).split("\n").filter((line) =>
      /^exec /.test(line)
    );
    assert.equal(words.length, 1);
    assert.doesNotMatch(words.join(), /one|77/);
    await killed[Symbol.asyncDispose]();
    assert.equal(Deno.readTextFileSync(`${folder}/killed`), secret);

    const alive = PrivateDir.make();
    farewell(alive.path, "alive")[Symbol.dispose]();
    await alive[Symbol.asyncDispose]();
    assert.equal(exists(`${folder}/alive`), false);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("the directory lies where what it holds may be run, where there is such a place", async () => {
  await using elsewhere = PrivateDir.make((folder) => folder === "/dev/shm");
  assert.match(elsewhere.path, /^\/dev\/shm\/mirrord-/);
  await using nowhere = PrivateDir.make(() => false);
  assert.ok(exists(nowhere.path), nowhere.path);
});

/** Where the directory goes with these variables. */
async function placeWith(env: Record<string, string>): Promise<string> {
  const module = JSON.stringify(new URL("./private_dir.ts", import.meta.url).href);
  const code =
    `import { PrivateDir } from ${module}; await using dir = PrivateDir.make(); console.log(dir.path)`;
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", "--no-config", code], env })
    .output();
  return new TextDecoder().decode(stdout).trim().replace(/\/mirrord-[^/]*$/, "");
}

Deno.test("the directory lies where only its user can reach and the dynamic linker finds it", async () => {
  const base = Deno.makeTempDirSync({ dir: "/tmp" });
  try {
    const place = (name: string, mode: number) => {
      Deno.mkdirSync(`${base}/${name}`);
      Deno.chmodSync(`${base}/${name}`, mode);
      return `${base}/${name}`;
    };
    const temporary = place("t", 0o755);
    const own = place("own", 0o700);
    assert.equal(await placeWith({ XDG_RUNTIME_DIR: own, TMPDIR: temporary }), own);
    assert.equal(await placeWith({ XDG_RUNTIME_DIR: place("open", 0o755), TMPDIR: temporary }), temporary);
    assert.equal(await placeWith({ XDG_RUNTIME_DIR: `${base}/none`, TMPDIR: temporary }), temporary);
    assert.equal(
      await placeWith({ XDG_RUNTIME_DIR: place("with space", 0o700), TMPDIR: temporary }),
      temporary,
    );
    for (const name of ["a:b", "with space again", "x".repeat(80)]) {
      assert.equal(await placeWith({ XDG_RUNTIME_DIR: "", TMPDIR: place(name, 0o700) }), "/tmp", name);
    }
    if (Deno.uid() === 0) {
      const foreign = place("foreign", 0o700);
      Deno.chownSync(foreign, 12345, null);
      assert.equal(await placeWith({ XDG_RUNTIME_DIR: foreign, TMPDIR: temporary }), temporary);
    }
  } finally {
    Deno.removeSync(base, { recursive: true });
  }
});
