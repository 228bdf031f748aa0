// A machine that lacks something, shown by the compiled binary in mount namespaces of its own (root): nothing
// may be run from its temporary folders, its disk is full or read-only, variables are too long. Each has its
// own sentence and documented exit code, and leaves nothing.

import assert from "node:assert/strict";
import { deadline } from "../support/deadline.ts";
import { binary, Mirrord, runMirrord, userPath } from "../support/program.ts";

const ignore = Deno.uid() !== 0; // only root mounts
const folder = Deno.makeTempDirSync({ prefix: "mirrord-lacks-" });
Deno.test.afterAll(() => Deno.removeSync(folder, { recursive: true }));

/** A command line that mounts as `script` says, in a namespace that goes with it, and runs what follows. */
const within = (script: string) => ["unshare", "--mount", "/bin/sh", "-ec", `${script}\nexec "$@"`, "sh"];
const places = ["/tmp", "/dev/shm"];
const everywhere = (options: string) =>
  within(places.map((place) => `mount -t tmpfs -o ${options} tmpfs ${place}`).join("\n"));
/** No place but /tmp and /dev/shm is left to it. */
const env = { HOME: "/nonexistent", PATH: "/usr/bin:/bin" };
const libraries = [
  "exec",
  "--",
  "sh",
  "-c",
  `grep -o '[^ /]*mirrord[^ ]*' /proc/self/maps | sort -u; sh -c "grep -c mirrord /proc/self/maps"`,
];

Deno.test(
  { name: "where nothing may be run from a file the layer is in memory, for children too", ignore },
  async () => {
    const { code, stdout, stderr } = await runMirrord(libraries, { prefix: everywhere("noexec"), env });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^memfd:mirrord-layer\n[1-9]\d*\n$/);
  },
);

Deno.test({ name: "of two places the one is taken where programs may be run", ignore }, async () => {
  const prefix = within("mount -t tmpfs -o noexec tmpfs /tmp; mount -t tmpfs tmpfs /dev/shm");
  const { code, stdout, stderr } = await runMirrord(["exec", "--", "sh", "-c", "echo $LD_PRELOAD"], {
    prefix,
    env,
  });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^\/dev\/shm\/mirrord-/);
});

Deno.test({
  name: "where no file in memory may be run as a program it is still mapped, and looked for",
  ignore,
}, async () => {
  const set = ["/bin/sh", "-ec", 'echo 2 >/proc/sys/vm/memfd_noexec; exec "$@"', "sh"];
  // The setting is a process namespace's.
  const prefix = ["unshare", "--pid", "--fork", "--mount-proc", ...everywhere("noexec"), ...set];
  const { code, stdout, stderr } = await runMirrord(libraries, { prefix, env });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^memfd:mirrord-layer\n[1-9]\d*\n$/);
});

const full = { "full of files": "nr_inodes=1", "read-only": "ro" };
for (const [what, options] of Object.entries(full)) {
  Deno.test(
    { name: `a machine whose temporary folders are ${what} gets an error of its own`, ignore },
    async () => {
      const { code, stdout, stderr } = await runMirrord(["exec", "--", "echo", "ran"], {
        prefix: everywhere(options),
        env,
      });
      assert.equal(code, 71, stderr);
      assert.match(
        stderr,
        /error: Cannot go on: (this machine's disk is full|the file system is read-only)\n.*\n.*help: /s,
      );
      assert.equal(stdout, "");
    },
  );
}

/** A tmpfs with no room left, at `place`. */
const filled = (place: string) =>
  `mount -t tmpfs -o size=64k tmpfs ${place}; cat /dev/zero >${place}/filler 2>/dev/null || true`;

Deno.test({
  name: "of two places the one with room is taken; without any a full disk is reported",
  ignore,
}, async () => {
  const one = within(`${filled("/tmp")}\nmount -t tmpfs tmpfs /dev/shm`);
  const path = ["exec", "--", "sh", "-c", "echo $LD_PRELOAD"];
  const { code, stdout, stderr } = await runMirrord(path, { prefix: one, env });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^\/dev\/shm\/mirrord-/);
  const none = await runMirrord(path, { prefix: within(places.map(filled).join("\n")), env });
  assert.equal(none.code, 71, none.stderr);
  assert.match(none.stderr, /error: Cannot go on: this machine's disk is full/);
  assert.equal(none.stdout, "");
});

/** Runs mirrord with its output going nowhere. */
async function redirected(how: string, ...args: string[]): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command("/bin/sh", {
    args: ["-c", `"$@" ${how}`, "sh", binary, ...args],
    env: { PATH: userPath(), HOME: "/", NO_COLOR: "1" },
    clearEnv: true,
  }).output();
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

Deno.test("a result that cannot be written is an error, a message that cannot is not", async () => {
  const result = await redirected(">/dev/full", "completions", "bash");
  assert.equal(result.code, 71);
  assert.match(result.text, /Cannot go on: this machine's disk is full/);
  const messages = await redirected("2>/dev/full", "exec", "--", "sh", "-c", "echo ran");
  assert.deepEqual(messages, { code: 0, text: "ran\n" });
});

Deno.test("variables that no program can take are reported with what to do", async () => {
  const config = `${folder}/long.json`;
  Deno.writeTextFileSync(
    config,
    JSON.stringify({ feature: { env: { override: { LONG: "x".repeat(1 << 18) } } } }),
  );
  const { code, stdout, stderr } = await runMirrord(["exec", "-f", config, "--", "sh", "-c", "echo ran"]);
  assert.equal(code, 126, stderr);
  assert.match(stderr, /its arguments and variables are too long\n.*help: .*feature\.env\.exclude/);
  assert.equal(stdout, "");
});

Deno.test("the session's folder goes when its whole process group is killed", async () => {
  const shared = Deno.makeTempDirSync({ dir: folder });
  const mirrord = new Mirrord(["exec", "--", "sh", "-c", "echo started >&2; exec sleep 600"], {
    prefix: ["setsid"],
    env: { TMPDIR: shared },
  });
  await mirrord.until(/^started$/);
  const watcher = Deno.watchFs(shared);
  const isThere = () => [...Deno.readDirSync(shared)].length > 0;
  assert.ok(isThere());
  const group = Number(Deno.readTextFileSync(`/proc/${mirrord.pid}/stat`).split(") ")[1]?.split(" ")[2]);
  Deno.kill(-group, "SIGKILL");
  await mirrord.finished();
  const gone = (async () => {
    if (!isThere()) return watcher.close();
    for await (const _event of watcher) if (!isThere()) break;
  })();
  await deadline(gone, "the folder goes");
  assert.equal(isThere(), false);
});
