// Another user of the developer's machine: what is in the session's folder, its socket, the variables and
// memory of mirrord and of the app. The same program that fails as another user succeeds as the session's
// own. Needs root, to be two users.

import assert from "node:assert/strict";
import { binary, Mirrord } from "../support/program.ts";
import { deadline } from "../support/deadline.ts";

const snoop = decodeURIComponent(new URL("../apps/snoop.py", import.meta.url).pathname);
const [owner, other] = ["65533", "65534"];
const as = (uid: string) => ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"];
const ignore = Deno.uid() !== 0; // only root is two users

/** A session of `owner`, its folder below a shared directory as /tmp is, and its processes. */
async function session(
  run: (folder: string, pids: number[], shared: string) => Promise<void>,
): Promise<void> {
  const shared = Deno.makeTempDirSync({ prefix: "mirrord-shared-" });
  Deno.chmodSync(shared, 0o1777);
  try {
    await using mirrord = new Mirrord(["exec", "--", "sh", "-c", "echo started >&2; sleep 600 & wait"], {
      prefix: as(owner ?? ""),
      cwd: "/",
      env: { TMPDIR: shared, HOME: "/", SECRET: "of-the-owner" },
    });
    await mirrord.until(/^started$/);
    const folder = `${shared}/${
      [...Deno.readDirSync(shared)].find(({ name }) => name.startsWith("mirrord-"))?.name
    }`;
    await run(folder, [mirrord.pid, await mirrord.appPid()], shared);
  } finally {
    Deno.removeSync(shared, { recursive: true });
  }
}

async function snooped(uid: string | undefined, folder: string, pids: number[]): Promise<string[]> {
  const [program = "", ...args] = [...as(uid ?? ""), "/usr/bin/python3", "-", folder, ...pids.map(String)];
  const child = new Deno.Command(program, {
    args,
    cwd: "/",
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(Deno.readFileSync(snoop));
  await writer.close();
  const { stdout } = await deadline(child.output(), "the other user is done");
  return [...new Set(new TextDecoder().decode(stdout).trim().split("\n").filter((line) => line !== ""))];
}

Deno.test({ name: "another user gets nothing of a session, its own user everything", ignore }, async () => {
  await session(async (folder, pids) => {
    assert.deepEqual(await snooped(other, folder, pids), []);
    assert.deepEqual(await snooped(owner, folder, pids), [
      "lists the folder",
      "writes to the folder",
      "reads the layer",
      "connects to the session",
      "reads variables",
      "lists descriptors",
      "reads the map",
      "opens the memory",
      "looks into its root",
      "signals",
      "traces",
    ], "the attack's own success");
  });
});

Deno.test(
  { name: "nothing of a session can be reached by loopback or an abstract socket", ignore },
  async () => {
    await session(async (_folder, pids) => {
      const inodes = new Set(
        pids.flatMap((pid) =>
          [...Deno.readDirSync(`/proc/${pid}/fd`)].flatMap(({ name }) => {
            try {
              return /^socket:\[(\d+)\]$/.exec(Deno.readLinkSync(`/proc/${pid}/fd/${name}`))?.[1] ?? [];
            } catch {
              return []; // closed meanwhile
            }
          })
        ),
      );
      const rows = async (file: string) =>
        (await Deno.readTextFile(`/proc/net/${file}`)).split("\n").map((line) => line.trim().split(/\s+/));
      const listening = (await Promise.all(["tcp", "tcp6"].map(rows))).flat().filter((row) =>
        row[3] === "0A"
      );
      assert.deepEqual(listening.filter((row) => inodes.has(row[9] ?? "")), []);
      const named = (await rows("unix")).filter((row) => inodes.has(row[6] ?? "")).map((row) => row[7] ?? "");
      assert.deepEqual(named.filter((path) => path.startsWith("@")), []);
    });
  },
);

Deno.test(
  { name: "what another user put in the way of the session's folder is not used", ignore },
  async () => {
    const base = Deno.makeTempDirSync({ prefix: "mirrord-way-" });
    Deno.chmodSync(base, 0o755);
    try {
      Deno.mkdirSync(`${base}/runtime`, { mode: 0o700 });
      Deno.chownSync(`${base}/runtime`, Number(other), Number(other));
      const env = { XDG_RUNTIME_DIR: `${base}/runtime`, TMPDIR: "/tmp", PATH: "/usr/bin:/bin", HOME: "/" };
      const [program = "", ...args] = [...as("0"), binary, "exec", "--", "sh", "-c", "echo $LD_PRELOAD"];
      const { stdout } = await new Deno.Command(program, { args, env, clearEnv: true, stderr: "null" })
        .output();
      assert.match(
        new TextDecoder().decode(stdout),
        /^\/tmp\/mirrord-[0-9a-f]+\/\$LIB\/libmirrord_layer\.so/,
      );
    } finally {
      Deno.removeSync(base, { recursive: true });
    }
  },
);
