// Code and settings of tools are this machine's by their names, wherever they lie; what only looks like them
// is not.

import assert from "node:assert/strict";
import type { FilesConfig } from "../config/config.ts";
import { Policy } from "./policy.ts";
import type { LocalPlaces } from "./policy_default.ts";
import { pathTable } from "./policy_table.ts";
import { filesConfig } from "../../tests/support/files_config.ts";

const places: LocalPlaces = {
  temporary: "/scratch/tmp",
  workingDirectory: "/srv/my.app",
  home: "/users/me",
  accountHome: "/accounts/me",
};

function decide(path: string, rules: Partial<FilesConfig> = {}): string {
  return new Policy(filesConfig(rules), places).decide({
    path: new TextEncoder().encode(path),
    writes: false,
    executable: "",
  }).place;
}

const local = `
  a.cjs a.MJS a.ts a.tsx a.mts a.cts a.jsx a.node a.wasm a.php a.lua a.pl a.pm a.R a.ex a.exs a.erl a.beam a.war a.kts a.groovy
  a.targets a.deps.json a.whl a.erb a.mk npmrc .npmrc .gitconfig .wgetrc .psqlrc bunfig.toml Makefile makefile Gemfile .pdbrc
  .git .git/config .git/hooks/post-checkout x/.cargo/config.toml .mvn/jvm.config .ssh/config lib/site-packages/x/data
  __pycache__/x libc.so.6 app/.hg/hgrc .Rprofile x/Cargo.toml pip.conf go.mod`;
const remote = `
  a.properties a.json a.xml a.conf a.ini a.yaml a.sql x.git/HEAD .github/x gitconfig.d/x notes.tsv my.cnf .env model.pkl a.rego
  Makefile.am.txt xnpmrc .gitkeep wgetrc/x`;

const below = (names: string) => names.trim().split(/\s+/).map((name) => `/data/${name}`);

Deno.test("code and settings of tools are local, and a pattern of the configuration beats that", () => {
  for (const path of below(local)) {
    assert.equal(decide(path), "local", path);
    assert.equal(decide(path, { readOnly: ["^/data/"] }), "remote", path);
  }
});

Deno.test("data is the target's, and so is what only looks like code", () => {
  for (const path of below(remote)) assert.equal(decide(path), "remote", path);
});

Deno.test("settings in the user's home by passwd are local, whatever HOME says", () => {
  for (const path of ["/accounts/me/.anything/x", "/users/me/.anything/x", "/accounts", "/accounts/me"]) {
    assert.equal(decide(path), "local", path);
  }
  assert.equal(decide("/accounts/me/notes"), "remote");
  assert.match(pathTable(filesConfig(), places), /^P\/accounts\/me\/\.$/m);
});
