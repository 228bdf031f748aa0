// docs/exit-codes.md, shown by the compiled binary where no cluster is needed: each code by something that a
// user does. 74 and 77 of a process target have process_target_test.ts, of a cluster the end-to-end tests.

import assert from "node:assert/strict";
import { exitCodes } from "../../core/base/errors.ts";
import { runMirrord } from "../support/program.ts";

const folder = Deno.makeTempDirSync({ prefix: "mirrord-codes-" });
const write = (name: string, text: string, mode = 0o644): string => {
  Deno.writeTextFileSync(`${folder}/${name}`, text, { mode });
  return `${folder}/${name}`;
};
Deno.test.afterAll(() => Deno.removeSync(folder, { recursive: true }));

/** Runs mirrord in `folder`; the app would say "started". */
const app = ["--", "sh", "-c", "echo started"];

interface Shown {
  what: string;
  args: string[];
  code: number;
  said: RegExp;
}

const unreachable = {
  apiVersion: "v1",
  kind: "Config",
  clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:1" } }],
  users: [{ name: "u", user: { token: "t" } }],
  contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
  "current-context": "c",
};
const kubeconfig = write("unreachable", JSON.stringify(unreachable));
const broken = write("broken-kubeconfig", "clusters: [\n");
const badHook = write("plain-text", "no interpreter\n", 0o755);
const config = (name: string, text: string) => ["exec", "-f", write(name, text), ...app];
const cluster = (file: string, target: string) => ["exec", "--kubeconfig", file, "--target", target, ...app];

const shown: Shown[] = [
  { what: "an unknown flag", args: ["exec", "--nope", ...app], code: 2, said: /Cannot use "--nope": / },
  { what: "an unknown command", args: ["exce"], code: 2, said: /Cannot run "exce": / },
  { what: "a missing program", args: ["exec"], code: 2, said: /Cannot run "exec": the <program> is missing/ },
  {
    what: "a cluster that does not answer",
    args: cluster(kubeconfig, "pod/x"),
    code: 69,
    said: /the cluster at "https:\/\/127\.0\.0\.1:1" .* refuses the connection/,
  },
  {
    what: "a process that is not there",
    args: cluster(kubeconfig, "process/4194304"),
    code: 69,
    said: /no such process/,
  },
  { what: "broken JSON", args: config("a.json", '{\n "target":\n}'), code: 78, said: /line 3, column 1/ },
  { what: "broken JSON without an extension", args: config("a", "{"), code: 78, said: /line 1, column 2/ },
  { what: "broken YAML", args: config("a.yaml", "a: 1\n b: 2\n"), code: 78, said: /line \d, column \d/ },
  { what: "broken YAML called yml", args: config("a.yml", "a: [\n"), code: 78, said: /line \d, column \d/ },
  { what: "broken TOML", args: config("a.toml", "a = 1\nb = = 2\n"), code: 78, said: /line 2, column 5/ },
  { what: "an unknown format", args: config("a.ini", ""), code: 78, said: /"\.ini" is not a configuration/ },
  {
    what: "a file that is not there",
    args: ["exec", "-f", "none.json", ...app],
    code: 78,
    said: /no such file/,
  },
  { what: "no file for a bare -f", args: ["exec", "-f", ...app], code: 78, said: /there is no such file/ },
  {
    what: "an unknown key",
    args: config("key.json", '{"agnet": {}}'),
    code: 78,
    said: /"agnet" \(line 1 of .*no such key\n.*Did you mean "agent"\?/,
  },
  {
    what: "a bad pattern",
    args: config("regex.json", '{"feature": {"fs": {"local": ["^/a(b"]}}}'),
    code: 78,
    said: /"feature\.fs\.local\[0\]" .*it is no regular expression: .* at character 4/,
  },
  {
    what: "a template that cannot be rendered",
    args: config("t.json", '{"target": "{{ get_env(name="NO_SUCH") }}"}'),
    code: 78,
    said: /line 1, column 13: the variable "NO_SUCH" is not set/,
  },
  {
    what: "an env file that is not there",
    args: ["exec", "--env-file", "none.env", "--kubeconfig", kubeconfig, "--target", "pod/x", ...app],
    code: 78,
    said: /Cannot read "none\.env": there is no such file/,
  },
  { what: "a target of no kind", args: cluster(kubeconfig, "pood/x"), code: 78, said: /no kind of target/ },
  { what: "a broken kubeconfig", args: cluster(broken, "pod/x"), code: 78, said: /broken-kubeconfig/ },
  {
    what: "an unknown context",
    args: ["exec", "--context", "nope", "--kubeconfig", kubeconfig, "--target", "pod/x", ...app],
    code: 78,
    said: /"nope"/,
  },
  {
    what: "a program without an interpreter",
    args: ["exec", badHook],
    code: 126,
    said: /Cannot run ".*plain-text"/,
  },
  {
    what: "a program that may not be executed",
    args: ["exec", kubeconfig],
    code: 126,
    said: /not executable/,
  },
  { what: "no such program", args: ["exec", "no-such-program"], code: 127, said: /there is no such program/ },
];

for (const { what, args, code, said } of shown) {
  Deno.test(`${what} ends with ${code}, one message and no app`, async () => {
    const finished = await runMirrord(args, { cwd: folder });
    assert.equal(finished.code, code, finished.stderr);
    assert.equal(finished.stdout, "");
    assert.match(finished.stderr, said);
    const errors = finished.stderr.split("\n").filter((line) => line.startsWith("mirrord error: "));
    assert.equal(errors.length, 1, finished.stderr);
  });
}

Deno.test("verify-config ends with 78 for what exec would refuse, with 0 for the rest", async () => {
  const bad = await runMirrord(["verify-config", write("bad.toml", "x = 1\n")]);
  assert.equal(bad.code, 78);
  assert.match(bad.stdout, /^error: Cannot use "x" \(line 1 of .*there is no such key/);
  const good = await runMirrord(["verify-config", write("good.toml", 'target = "pod/x"\n')]);
  assert.equal(good.code, 0, good.stdout);
});

Deno.test("the documentation has every code, and no other", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/exit-codes.md", import.meta.url));
  const documented = [...text.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
  assert.deepEqual(documented, Object.values(exitCodes).sort((a, b) => a - b));
});
