// A hostile project folder: a repository with a `.mirrord/mirrord.json` of its own, which nobody named. What
// it would have run or sent is not done by `mirrord ls`, by TAB, by `mirrord exec` or by `mirrord mcp`,
// unless the user agrees. Each attack succeeds where its file is named by hand, which is the user's consent.

import assert from "node:assert/strict";
import { completionScript } from "../../cmd/completions.ts";
import { authority, serverCertificate } from "../support/certificates.ts";
import { binary, runMirrord, userPath } from "../support/program.ts";
import { typeAt } from "../support/typed.ts";

/** An API server that accepts every login as an unknown user, and keeps what it was shown. */
function apiServer(): { url: string; tokens: string[]; paths: string[] } & AsyncDisposable {
  const tokens: string[] = [];
  const paths: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, cert, key, onListen() {} }, (request) => {
    const shown = request.headers.get("authorization");
    if (shown !== null) tokens.push(shown);
    paths.push(new URL(request.url).pathname);
    return Response.json({ message: "Unauthorized", reason: "Unauthorized" }, { status: 401 });
  });
  return {
    url: `https://127.0.0.1:${server.addr.port}`,
    tokens,
    paths,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

const trusted = await authority("the folder's own");
const { cert, key } = await serverCertificate(trusted);

/** A folder as a repository brings it, beside a home of the user's with a secret. */
class Folder implements Disposable {
  readonly #base = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "mirrord-folder-" }));
  readonly path = `${this.#base}/repository`;
  readonly home = `${this.#base}/home`;

  constructor(
    config: Record<string, unknown>,
    user: Record<string, unknown> = {},
    server = "https://127.0.0.1:1",
  ) {
    for (const path of [this.home, this.path, `${this.path}/.mirrord`]) Deno.mkdirSync(path);
    Deno.writeTextFileSync(`${this.home}/secret`, "the-users-secret");
    this.write("mirrord.json", config);
    this.write("kubeconfig", {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{
        name: "c",
        cluster: { server, "certificate-authority-data": new TextEncoder().encode(trusted.cert).toBase64() },
      }],
      users: [{ name: "u", user }],
      contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
      "current-context": "c",
    });
  }

  write(name: string, value: unknown): void {
    Deno.writeTextFileSync(`${this.path}/.mirrord/${name}`, JSON.stringify(value));
  }

  get env(): Record<string, string> {
    return { HOME: this.home };
  }

  /** Was the plugin run? It leaves a mark; forgotten with the question. */
  hasRun(): boolean {
    try {
      Deno.removeSync(`${this.path}/ran`);
      return true;
    } catch {
      return false;
    }
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#base, { recursive: true });
  }
}

const named = ["-f", ".mirrord/mirrord.json"];
const kubeconfig = { kubeconfig: ".mirrord/kubeconfig", target: "pod/x" };
const plugin = {
  exec: {
    apiVersion: "client.authentication.k8s.io/v1",
    command: "/bin/sh",
    args: ["-c", ": >ran"],
    interactiveMode: "Never",
  },
};
const app = ["--", "true"];

Deno.test("a plugin of the folder's kubeconfig is run by nobody who was not told to", async () => {
  using folder = new Folder(kubeconfig, plugin);
  const run = (...args: string[]) => runMirrord(args, { cwd: folder.path, env: folder.env });
  await run("ls", ...named);
  assert.ok(folder.hasRun(), "the attack's own success");

  for (const args of [["ls"], ["exec", ...app], ["exec", "-f", "--", "true"]]) {
    const { code, stdout, stderr } = await run(...args);
    assert.equal(code, 78, stderr);
    assert.match(stderr, /no flag names it, and it runs "\/bin\/sh -c : >ran" on this machine/);
    assert.equal(stdout, "");
    assert.equal(folder.hasRun(), false, args.join(" "));
  }
  for (const args of [["ls", "--trust-project"], ["exec", "--trust-project", ...app]]) {
    await run(...args);
    assert.ok(folder.hasRun(), "who trusts it gets it");
  }
});

Deno.test("TAB runs no plugin of the folder's kubeconfig", async () => {
  using folder = new Folder(kubeconfig, plugin);
  const press = async (words: string[]): Promise<void> => {
    const script = `${completionScript("bash")}
mirrord() { ${binary} "$@"; }
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mirrord`;
    const { code } = await new Deno.Command("bash", {
      args: ["--norc", "-c", script, "bash", "mirrord", ...words],
      cwd: folder.path,
      env: { ...folder.env, PATH: `/usr/bin:/bin` },
      clearEnv: true,
    }).output();
    assert.equal(code, 0);
  };
  await press(["exec", ...named, "--target", "p"]);
  assert.ok(folder.hasRun(), "the attack's own success");
  await press(["exec", "--target", "p"]);
  assert.equal(folder.hasRun(), false);
});

/** What a terminal shows when exec starts in the folder and the answer is typed. */
async function exec(folder: Folder, answer: string | null): Promise<{ code: number; shown: string }> {
  return await typeAt(
    [binary, "exec", ...app],
    answer === null ? [] : [["Use it\\?.*N", `${answer}\n`]],
    { cwd: folder.path, env: { ...folder.env, PATH: userPath(), NO_COLOR: "1" } },
  );
}

Deno.test("exec asks once on a terminal, and again when something changed", async () => {
  using folder = new Folder(kubeconfig, plugin);
  for (const answer of ["n", "", "yess"]) {
    const { code, shown } = await exec(folder, answer);
    assert.equal(code, 78, shown);
    assert.equal(folder.hasRun(), false);
  }
  assert.match((await exec(folder, "y")).shown, /Use it\?/);
  assert.ok(folder.hasRun());
  const list = `${folder.home}/.local/state/mirrord/trusted`;
  assert.equal((Deno.statSync(list).mode ?? 0) & 0o777, 0o600);

  assert.doesNotMatch((await exec(folder, null)).shown, /Use it\?/);
  assert.ok(folder.hasRun(), "it was remembered");
  folder.write("mirrord.json", { ...kubeconfig, agent: { image: "other" } });
  assert.match((await exec(folder, "n")).shown, /and it runs .*and runs the image "other"/);

  folder.write("mirrord.json", kubeconfig);
  assert.doesNotMatch((await exec(folder, null)).shown, /Use it\?/);
  folder.hasRun();
  Deno.chmodSync(list, 0o666);
  assert.match((await exec(folder, "n")).shown, /Use it\?/);
  assert.equal(folder.hasRun(), false, "a list that others can write to counts for nothing");
});

Deno.test("a script that the plugin runs is part of what was agreed to", async () => {
  const exec1 = { ...plugin.exec, command: "../login.sh", args: [] };
  using folder = new Folder(kubeconfig, { exec: exec1 });
  const script = (text: string) =>
    Deno.writeTextFileSync(`${folder.path}/login.sh`, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  script("true");
  await exec(folder, "y");
  script(": >ran");
  assert.match((await exec(folder, "n")).shown, /Use it\?/);
  assert.equal(folder.hasRun(), false);
});

Deno.test("a file of the user's is not sent to the folder's server", async () => {
  await using server = apiServer();
  using folder = new Folder(kubeconfig, { tokenFile: "../../home/secret" }, server.url);
  const run = (...args: string[]) => runMirrord(args, { cwd: folder.path, env: folder.env });
  await run("ls", ...named);
  assert.ok(server.tokens.includes("Bearer the-users-secret"), "the attack's own success");
  server.tokens.length = 0;
  for (const args of [["ls"], ["exec", ...app]]) {
    const { code, stderr } = await run(...args);
    assert.equal(code, 78, stderr);
    assert.match(stderr, /logs in at "https:.*" with your file ".*\/home\/secret"/);
  }
  assert.deepEqual(server.tokens, []);
});

interface Power {
  what: string;
  config: Record<string, unknown>;
  said: RegExp;
  files?: Record<string, string>;
}

const overrides = (override: Record<string, string>) => ({ feature: { env: { override } } });
const powers: Power[] = [
  {
    what: "leaves the API server unchecked",
    config: { accept_invalid_certificates: true },
    said: /turns off the check of the API server's certificate/,
  },
  {
    what: "chooses the agent's image",
    config: { agent: { image: "evil.example/agent" } },
    said: /runs the image "evil\.example\/agent" in the cluster/,
  },
  { what: "preloads a library", config: overrides({ LD_PRELOAD: "./evil.so" }), said: /sets LD_PRELOAD for/ },
  { what: "changes PATH", config: overrides({ PATH: "./bin" }), said: /sets PATH for/ },
  {
    what: "has a proxy see the traffic",
    config: overrides({ https_proxy: "http://192.0.2.1" }),
    said: /sets https_proxy/,
  },
  {
    what: "preloads by a dotenv file",
    config: { feature: { env: { env_file: "dotenv" } } },
    files: { dotenv: "LD_PRELOAD=./evil.so\nLEVEL=debug\n" },
    said: /sets LD_PRELOAD for/,
  },
  {
    what: "lets the target say what is loaded",
    config: { feature: { env: { include: ["NODE_OPTIONS", "LEVEL"] } } },
    said: /sets NODE_OPTIONS for/,
  },
];

for (const { what, config, said, files = {} } of powers) {
  Deno.test(`a folder that ${what} is not followed unasked`, async () => {
    using folder = new Folder(config);
    for (const [name, text] of Object.entries(files)) Deno.writeTextFileSync(`${folder.path}/${name}`, text);
    const run = (...flags: string[]) =>
      runMirrord(["exec", ...flags, ...app], { cwd: folder.path, env: folder.env });
    assert.equal((await run("--trust-project")).code, 0, "the attack's own success");
    const agents = runMirrord(["mcp"], { cwd: folder.path, env: folder.env });
    for (const { code, stderr } of [await run(), await agents]) {
      assert.equal(code, 78, stderr);
      assert.match(stderr, said);
    }
  });
}

Deno.test("what a flag overrules, and what runs and sends nothing, needs no word", async () => {
  using image = new Folder({ agent: { image: "evil.example/agent" } });
  const flags = ["--agent-image", "mine"];
  const mine = await runMirrord(["exec", ...flags, ...app], { cwd: image.path, env: image.env });
  assert.equal(mine.code, 0, mine.stderr);
  using level = new Folder(overrides({ LEVEL: "debug" }));
  const plain = await runMirrord(["exec", ...app], { cwd: level.path, env: level.env });
  assert.equal(plain.code, 0, plain.stderr);
  await using server = apiServer();
  using folder = new Folder(kubeconfig, { token: "the-folders-own" }, server.url);
  const { code } = await runMirrord(["ls"], { cwd: folder.path, env: folder.env });
  assert.equal(code, 77);
  assert.ok(server.tokens.includes("Bearer the-folders-own"));
});

Deno.test("the program's traffic and the user's variables do not go to a cluster of the folder's unasked", async () => {
  await using server = apiServer();
  using folder = new Folder(kubeconfig, { token: "the-folders-own" }, server.url);
  const run = (...args: string[]) =>
    runMirrord(args, { cwd: folder.path, env: { ...folder.env, SECRET: "of-the-user" } });
  const { code, stderr } = await run("exec", ...app);
  assert.equal(code, 78, stderr);
  assert.match(stderr, /makes the program use the cluster at "https:/);

  folder.write("mirrord.json", { ...kubeconfig, target: { namespace: "{{ get_env(name='SECRET') }}" } });
  await run("ls", ...named);
  assert.ok(server.paths.some((path) => path.includes("of-the-user")), "the attack's own success");
  server.paths.length = 0;
  const met = await run("ls");
  assert.equal(met.code, 78, met.stderr);
  assert.match(met.stderr, /could show your variables/);
  assert.deepEqual(server.paths, []);
});

Deno.test("an answer that cannot be kept, and a folder whose name is not UTF-8, change nothing else", async () => {
  using folder = new Folder(kubeconfig, plugin);
  Deno.writeTextFileSync(`${folder.home}/.local`, "a file in the way");
  const { shown } = await exec(folder, "y");
  assert.match(shown, /Your answer is not remembered: /);
  assert.ok(folder.hasRun());

  const script =
    `cd "$1" && mkdir "$(printf 'caf\\351')" && cp -r .mirrord "$(printf 'caf\\351')" && cd caf* && shift && "$@"; code=$?
[ -e ran ] && echo RAN; exit $code`;
  for (const [flags, outcome] of [[named, "RAN\n"], [[], ""]] as const) {
    using other = new Folder(kubeconfig, plugin);
    const { code, stdout } = await new Deno.Command("/bin/sh", {
      args: ["-c", script, "sh", other.path, binary, "ls", ...flags],
      env: { ...other.env, PATH: "/usr/bin:/bin" },
      clearEnv: true,
    }).output();
    assert.equal(new TextDecoder().decode(stdout), outcome, flags.join(" "));
    if (flags.length === 0) assert.equal(code, 78);
  }
});
