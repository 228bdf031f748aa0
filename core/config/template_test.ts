// Templates in configuration files: what is replaced, what is refused, and where.

import assert from "node:assert/strict";
import { ConfigError } from "../base/errors.ts";
import { verifyConfig } from "./load.ts";
import { gitBranch, keyOf, renderTemplate } from "./template.ts";

const values = {
  env: new Map([["USER", "Ada L"], ["EMPTY", ""]]),
  key: () => "k1",
  gitBranch: () => "feature/x",
};
const render = (text: string) => renderTemplate("m.json", text, values);

Deno.test("expressions are replaced wherever they stand", () => {
  const cases: [string, string][] = [
    ['{"a": "{{ key }}-{{git_branch}}"}', '{"a": "k1-feature/x"}'],
    ['{{ get_env(name="USER") }}', "Ada L"],
    ["{{ get_env(name='USER', default='x') | slugify }}", "ada-l"],
    ['{{ get_env(name=\\"USER\\") }}', "Ada L"],
    ['{{- get_env(name="NONE", default="some|thing") | upper -}}', "SOME|THING"],
    ['{{ get_env(name="EMPTY", default="x") }}', ""],
    ['{{ get_env(name="NONE") | default(value="d") }}', "d"],
    ['{{ git_branch | replace(from="/", to="-") }}', "feature-x"],
    ['{{ "text" }}', "text"],
    ["a {# gone\nfor good #} b", "a \n b"],
    ["x{{1}} {2,3} {}", "x{{1}} {2,3} {}"],
  ];
  for (const [text, expected] of cases) assert.equal(render(text), expected);
});

Deno.test("what is not known is refused by name and place", () => {
  const cases: [string, RegExp][] = [
    ["\n {% if a %}x{% endif %}", /the template in line 2, column 2: "{% if %}" is not supported/],
    ["{{ user }}", /line 1, column 1: "user" is not known/],
    ["ab {{ now() }}", /line 1, column 4: "now\(\)" is not known/],
    ["{{ key | base64 }}", /the filter "base64" is not known/],
    ['{{ get_env(name="NONE") }}', /the variable "NONE" is not set/],
    ["{{ key ", /"}}" is missing/],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => render(text), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, message);
      return true;
    });
  }
  assert.throws(
    () => renderTemplate("m", "{{ git_branch }}", { ...values, gitBranch: () => undefined }),
    (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, /no git branch/);
      assert.match(
        error.help ?? "",
        /\{\{ git_branch \| default\(value="…"\) \}\}, or set MIRRORD_BRANCH_NAME/,
      );
      return true;
    },
  );
});

Deno.test("the key comes from the flag, the variable, the file or chance", async () => {
  const file = await Deno.makeTempFile({ suffix: ".yaml" });
  try {
    const target = async (text: string, flags: { key?: string }, env: Record<string, string>) => {
      await Deno.writeTextFile(file, text);
      const verdict = await verifyConfig({ file, flags, env: new Map(Object.entries(env)) });
      assert.deepEqual([verdict.errors, verdict.warnings], [[], []]);
      return verdict.config?.target.path;
    };
    const keyed = "key: in-file\ntarget: pod/{{ key }}\n";
    assert.equal(await target(keyed, { key: "flag" }, { MIRRORD_KEY: "variable" }), "pod/flag");
    assert.equal(await target(keyed, {}, { MIRRORD_KEY: "variable" }), "pod/variable");
    assert.equal(await target(keyed, {}, {}), "pod/in-file");
    const chance = await target("target: {path: 'pod/{{ key }}-{{ key }}'}", {}, {});
    assert.match(chance ?? "", /^pod\/([0-9a-f]{5})-\1$/);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("the key of a file that is not yet rendered is found in each format", () => {
  assert.equal(keyOf('{"key": "a1", "target": "pod/{{ key }}"}'), "a1");
  assert.equal(keyOf('{\n  "target": "x",\n  "key": "a1"\n}'), "a1");
  assert.equal(keyOf('target = "x"\nkey = "a1"'), "a1");
  assert.equal(keyOf("monkey: b"), undefined);
});

Deno.test("the branch is the one checked out around the working directory", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/repo/.git/worktrees/w`, { recursive: true });
    await Deno.mkdir(`${folder}/repo/deep/er`, { recursive: true });
    await Deno.mkdir(`${folder}/w`);
    await Deno.writeTextFile(`${folder}/repo/.git/HEAD`, "ref: refs/heads/feature/x\n");
    await Deno.writeTextFile(`${folder}/repo/.git/worktrees/w/HEAD`, "ref: refs/heads/other\n");
    await Deno.writeTextFile(`${folder}/w/.git`, `gitdir: ${folder}/repo/.git/worktrees/w\n`);
    assert.equal(gitBranch(`${folder}/repo/deep/er`), "feature/x");
    assert.equal(gitBranch(`${folder}/w`), "other");
    await Deno.writeTextFile(`${folder}/repo/.git/HEAD`, "0123456789\n");
    assert.equal(gitBranch(`${folder}/repo`), undefined);
    assert.equal(gitBranch(folder), undefined);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
