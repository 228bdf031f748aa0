// `./dev hooks` and the hooks that it switches on, in a repository of the test's own.

import assert from "node:assert/strict";
import { root } from "./step.ts";

class Repository implements Disposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "mirrord-hooks-" });

  constructor() {
    Deno.mkdirSync(`${this.folder}/scripts/hooks`, { recursive: true });
    for (const name of ["dev", "scripts/hooks/commit-msg", "scripts/hooks/pre-commit"]) {
      Deno.copyFileSync(root + name, `${this.folder}/${name}`);
    }
    this.run("git", "init", "--quiet");
  }

  run(program: string, ...args: string[]): { code: number; text: string } {
    const { code, stdout, stderr } = new Deno.Command(program, {
      args,
      cwd: this.folder,
      clearEnv: true,
      env: {
        PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin",
        HOME: this.folder,
        GIT_CONFIG_GLOBAL: "/dev/null",
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_AUTHOR_NAME: "a",
        GIT_AUTHOR_EMAIL: "a@example.com",
        GIT_COMMITTER_NAME: "a",
        GIT_COMMITTER_EMAIL: "a@example.com",
      },
      stdin: "null",
    }).outputSync();
    return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
  }

  /** Exit code and words of a commit with this subject; the quick tests are `ok`'s exit code. */
  commit(subject: string, ok = 0): { code: number; text: string } {
    const quick = `#!/bin/sh\n[ "$1" = ok ] && echo quick tests\nexit ${ok}\n`;
    Deno.writeTextFileSync(`${this.folder}/dev`, quick, { mode: 0o755 });
    return this.run("git", "commit", "--quiet", "--allow-empty", "--message", subject);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

Deno.test("the hooks are off until ./dev hooks, and off again after ./dev hooks off", () => {
  using repository = new Repository();
  const dev = () => `${repository.folder}/dev`;
  assert.equal(repository.run(dev(), "hooks").code, 0);
  assert.equal(repository.run("git", "config", "core.hooksPath").text, "scripts/hooks\n");
  assert.equal(repository.run(dev(), "hooks", "off").code, 0);
  assert.equal(repository.run("git", "config", "core.hooksPath").code, 1);
  assert.equal(repository.commit("Whatever.", 1).code, 0);
});

Deno.test("hooks of the user's own stay", () => {
  using repository = new Repository();
  repository.run("git", "config", "core.hooksPath", "other");
  const { code, text } = repository.run(`${repository.folder}/dev`, "hooks");
  assert.equal(code, 1);
  assert.match(text, /core\.hooksPath is "other"/);
  assert.equal(repository.run("git", "config", "core.hooksPath").text, "other\n");
});

Deno.test("a commit needs the quick tests and a subject of the form", () => {
  using repository = new Repository();
  repository.run(`${repository.folder}/dev`, "hooks");
  const long = `layer: ${"a".repeat(53)}`;
  const right = [
    "layer: keep it",
    "layer, session: UDP stays",
    "core/kube: `get` it",
    long,
    "fixup! Whatever",
  ];
  for (const subject of right) {
    assert.deepEqual(repository.commit(subject), { code: 0, text: "quick tests\n" });
  }
  for (const subject of ["Layer: keep it", "layer: Keep it", "keep it", "layer keep: it", `${long}a`]) {
    const { code, text } = repository.commit(subject);
    assert.equal(code, 1, subject);
    assert.match(text, /Cannot commit ".*": /);
  }
  assert.equal(repository.commit("layer: keep it", 1).code, 1);
});
