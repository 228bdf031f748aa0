// Policy over paths: upstream's order, every entry of its lists, and the table for the layer, which may never
// contradict the policy.

import assert from "node:assert/strict";
import type { FilesConfig } from "../config/config.ts";
import { Policy } from "./policy.ts";
import type { LocalPlaces } from "./policy_default.ts";
import { pathTable } from "./policy_table.ts";
import { filesConfig } from "../../tests/support/files_config.ts";

const places: LocalPlaces = { temporary: "/scratch/tmp", workingDirectory: "/srv/my.app", home: "/users/me" };
const executable = "/srv/bin/app";

function decide(path: string, rules: Partial<FilesConfig> = {}, writes = false): string {
  return new Policy(filesConfig(rules), places).decide({
    path: new TextEncoder().encode(path),
    writes,
    executable,
  }).place;
}

Deno.test("the first rule that matches decides, in upstream's order", () => {
  const order = ["notFound", "readWrite", "readOnly", "local"] as const;
  const outcome = { notFound: "absent", readWrite: "remote", readOnly: "remote", local: "local" };
  for (const [at, first] of order.entries()) {
    const rules = Object.fromEntries(order.slice(at).map((key) => [key, ["^/data/x$"]]));
    assert.equal(decide("/data/x", rules), outcome[first], first);
    assert.equal(decide("/data/x", { ...rules, mode: "localwithoverrides" }), outcome[first], first);
  }
  // Rules come before the built-in lists.
  assert.equal(decide("/users/me/.kube/config"), "absent");
  assert.equal(decide("/users/me/.kube/config", { readOnly: ["kube"] }), "remote");
  assert.equal(decide("/users/me/.kube/config", { local: ["kube"] }), "local");
  assert.equal(decide("/etc/hosts", { local: ["hosts"] }), "local");
  assert.equal(decide("/etc/passwd", { readOnly: ["^/etc/passwd$"] }), "remote");
  assert.equal(decide("/usr/lib/x.so", { readWrite: ["\\.so$"] }, true), "remote");
  assert.equal(decide("/data/x", { notFound: ["^/DATA/"] }), "absent");
});

Deno.test("the mode decides what no rule does", () => {
  const cases: [FilesConfig["mode"], reads: string, writes: string][] = [
    ["read", "remote", "local"],
    ["write", "remote", "remote"],
    ["localwithoverrides", "local", "local"],
    ["local", "local", "local"],
  ];
  for (const [mode, reads, writes] of cases) {
    assert.equal(decide("/data/x", { mode }), reads, mode);
    assert.equal(decide("/data/x", { mode }, true), writes, mode);
  }
  assert.equal(decide("/etc/hosts", { mode: "local" }), "local");
  assert.equal(decide("/data/x", { mode: "local", readWrite: ["x"] }), "local");
});

Deno.test("writing to what is read-only is local", () => {
  assert.equal(decide("/data/x", { mode: "write", readOnly: ["^/data/"] }, true), "local");
  for (const path of ["/etc/hosts", "/etc/ssl/certs/a.pem"]) {
    assert.equal(decide(path, { mode: "write" }), "remote");
    assert.equal(decide(path, { mode: "write" }, true), "local");
  }
});

const remoteRead = [
  "/etc/resolv.conf",
  "/etc/hosts",
  "/etc/hostname",
  "/etc/ssl/certs",
  "/etc/ssl/certs/ca.pem",
];
const absent = [
  "/users/me/.config/gcloud",
  "/users/me/.config/gcloud/x",
  "/users/me/.kube/config",
  "/users/me/.azure",
];
const localByKind = [
  "/data/lib.so",
  "/data/run.sh",
  "/data/a.rb",
  "/data/unit.d",
  "/data/a.pyc",
  "/data/a.py",
  "/data/a.jar",
  "/data/A.class",
  "/data/a.js",
  "/data/a.pth",
  "/data/a.plist",
  "/data/pyvenv.cfg",
  "/data/clr-debug-pipe-1-in",
  "/data/a.pdb",
  "/data/a.dll",
  "/data/jvm.cfg",
  "/data/package.json",
  "/data/.yarnrc",
  "/data/.yarnrc.yml",
  "/data/.yarnrc.json",
  "/data/node_modules",
  "/data/node_modules/x/readme",
  "/data/.tool-versions",
  "/data/.asdf/shims/x",
];
const localTrees = [
  "/proc",
  "/sys",
  "/lib",
  "/etc",
  "/usr",
  "/home",
  "/bin",
  "/sbin",
  "/dev",
  "/opt",
  "/tmp",
  "/var/tmp",
  "/var/db/timezone/zoneinfo",
  "/snap",
  "/run",
  "/selinux",
  "/nix",
  "/home/iojs",
  "/home/runner",
  "/Program Files",
];
const localByPlace = [
  "/",
  "/scratch/tmp",
  "/scratch/tmp/x",
  "/srv/my.app",
  "/srv/my.app/deep/x",
  "/srv/bin/app",
  "/users/me/.npm/x",
  "/users/me/.bashrc",
];
const remote = [
  "/data",
  "/data/x.txt",
  "/app/config.json",
  "/srv/my-app/x",
  "/srv/bin/app2",
  "/users/me/notes",
  "/users/you/.settings",
  "/var/lib/x",
  "/usrlocal",
  "/lib64/x",
  "/etcetera",
  "/data/a.sox",
  "/data/xjs",
  "/data/some-package.json",
  "/scratch/tmpfile",
];

Deno.test("trees of the system that no Linux has are this machine's", () => {
  const mac = new Policy(filesConfig(), { ...places, systemTrees: ["/System", "/Users"] });
  const placeOf = (path: string) =>
    mac.decide({ path: new TextEncoder().encode(path), writes: false, executable })
      .place;
  for (const path of ["/System", "/System/Library/x", "/Users/me/notes"]) {
    assert.equal(placeOf(path), "local", path);
  }
  for (const path of ["/Systems/x", "/data/Users/x"]) assert.equal(placeOf(path), "remote", path);
});

Deno.test("every entry of the built-in lists decides", () => {
  for (const mode of ["read", "write"] as const) {
    for (const path of remoteRead) assert.equal(decide(path, { mode }), "remote", path);
    for (const path of absent) assert.equal(decide(path, { mode }), "absent", path);
    for (const path of [...localByKind, ...localByPlace]) assert.equal(decide(path, { mode }), "local", path);
    for (const path of localTrees) {
      assert.equal(decide(path, { mode }), "local", path);
      assert.equal(decide(`${path}/below/x`, { mode }), "local", path);
      assert.equal(decide(`${path.toUpperCase()}/x`, { mode }, mode === "write"), "local", path);
    }
    for (const path of remote) assert.equal(decide(path, { mode }), "remote", path);
  }
  for (const path of remoteRead) assert.equal(decide(path, { mode: "localwithoverrides" }), "remote", path);
  assert.equal(decide("/etc/hosts.allow"), "local");
  assert.equal(decide("/users/me/.kubectx"), "local");
});

Deno.test("the directories on the way to the app's and the user's own are local, what else is in them is not", () => {
  for (const path of ["/srv", "/users", "/users/me"]) assert.equal(decide(path), "local", path);
  for (const path of ["/srv/x", "/users/you", "/users/me/x"]) assert.equal(decide(path), "remote", path);
});

Deno.test("a slash at the end changes nothing, and bytes need not be text", () => {
  assert.equal(decide("/etc/"), "local");
  assert.equal(decide("/data/", { readOnly: ["^/data$"] }, true), "local");
  const path = Uint8Array.of(0x2f, 0x64, 0xff, 0xfe, 0x2e, 0x70, 0x79);
  assert.equal(new Policy(filesConfig(), places).decide({ path, writes: false, executable }).place, "local");
});

Deno.test("the working directory / and a missing home are no places", () => {
  const bare = new Policy(filesConfig(), { temporary: "/", workingDirectory: "/", home: undefined });
  const use = { path: new TextEncoder().encode("/data/x"), writes: false, executable: "" };
  assert.equal(bare.decide(use).place, "remote");
});

Deno.test("mapping rewrites before anything else, with groups and in any case", () => {
  const rewritten = (path: string, mapping: FilesConfig["mapping"]) => {
    const bytes = new Policy(filesConfig({ mapping }), places).rewrite(new TextEncoder().encode(path));
    return new TextDecoder().decode(bytes);
  };
  const mapping: FilesConfig["mapping"] = [
    ["^/home/(?P<user>\\w+)/dev/tomcat", "/etc/${user}"],
    ["^/Users/([^/]*)/x", "/etc/$1-y"],
    ["/x", "/z"],
  ];
  assert.equal(rewritten("/home/joe/dev/tomcat/conf", mapping), "/etc/joe/conf");
  assert.equal(rewritten("/users/Joe/x/1", mapping), "/etc/Joe-y/1");
  assert.equal(rewritten("/a/x/x", mapping), "/a/z/x");
  assert.equal(rewritten("/data", mapping), "/data");
});

/** What the layer decides by the table: layer/ops/files/paths.c in a few lines. */
function isLocalByTable(table: string, given: string): boolean {
  const path = given.length > 1 ? given.replace(/\/$/, "") : given;
  const lower = (text: string) => text.replace(/[A-Z]/g, (one) => one.toLowerCase());
  const rows = table.split("\n").filter(Boolean).map((row) => [row[0] ?? "", row.slice(1)] as const);
  if (table === "") return false;
  for (const [letter, text] of rows) {
    if (letter === "A" && lower(path).startsWith(lower(text))) return false;
    if (letter === "a" && lower(path).endsWith(lower(text))) return false;
  }
  return rows.some(([letter, text]) => {
    if (letter === "L") return text === "/" || path === text || path.startsWith(`${text}/`);
    return letter === "P" ? path.startsWith(text) : letter === "l" && path.endsWith(text);
  });
}

const patterns = [
  "^/etc/app",
  "^/usr/share/(data|x)/.*",
  "\\.py$",
  ".*\\.JS$",
  "/secret/",
  "^/tmp/[ab]+/x",
  "^/opt/ab?c",
  "^/home/x+",
  "^/lib|/sys",
  "(?i)^/dev",
  "^.*\\.so$",
  "^/run/\\d+",
  "x{2,3}\\.sh$",
  "\\.d(/|$)",
  "^/srv/my\\.app/remote$",
  "cfg$",
  "[.]rb$",
  "^/USERS/me/\\.ssh",
  "a\\$",
  "^/proc/self/[^/]+$",
];
const names = [
  "etc",
  "usr",
  "share",
  "data",
  "x",
  "app",
  "tmp",
  "a",
  "b",
  "opt",
  "ac",
  "abc",
  "home",
  "xx",
  "lib",
  "sys",
]
  .concat([
    "dev",
    "run",
    "12",
    "srv",
    "my.app",
    "remote",
    "users",
    "me",
    ".ssh",
    ".kube",
    ".config",
    "gcloud",
    "secret",
  ])
  .concat([
    "m.py",
    "M.JS",
    "m.js",
    "l.so",
    "xxx.sh",
    "q.d",
    "venv.cfg",
    "r.rb",
    "ETC",
    "Hosts",
    "hosts",
    "ssl",
    "certs",
  ])
  .concat(["a$", "proc", "self", "scratch", "node_modules", "é", "app.py"]);

Deno.test("the table never says local where the policy would not", () => {
  let local = 0;
  let seed = 7;
  const random = (below: number) => (seed = Math.imul(seed, 1103515245) + 12345 >>> 0) % 65536 % below;
  const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;
  for (let round = 0; round < 150; round++) {
    const rules = filesConfig({ mode: pick(["read", "write", "localwithoverrides"] as const) });
    for (let count = random(4); count > 0; count--) {
      const key = pick(["readWrite", "readOnly", "local", "notFound", "mapping"] as const);
      if (key === "mapping") rules.mapping.push([pick(patterns), "/data/elsewhere"]);
      else rules[key].push(pick(patterns));
    }
    const table = pathTable(rules, places);
    const policy = new Policy(rules, places);
    for (let tries = 0; tries < 200; tries++) {
      const path = `/${Array.from({ length: 1 + random(4) }, () => pick(names)).join("/")}${
        random(9) === 0 ? "/" : ""
      }`;
      if (!isLocalByTable(table, path)) continue;
      local++;
      const meant = policy.rewrite(new TextEncoder().encode(path));
      for (const writes of [false, true]) {
        const { place } = policy.decide({ path: meant, writes, executable });
        assert.equal(place, "local", `${path} by ${JSON.stringify(rules)}`);
      }
    }
  }
  assert.ok(local > 1000, `only ${local} paths were local by the table`);
});

Deno.test("the table spares questions about the usual places", () => {
  const table = pathTable(filesConfig(), places);
  for (
    const path of [
      "/usr/lib/x",
      "/proc/self/maps",
      "/srv/my.app/x",
      "/etc/passwd",
      "/data/x.py",
      "/users/me/.npmrc",
    ]
  ) {
    assert.ok(isLocalByTable(table, path), path);
  }
  for (const path of ["/etc/hosts", "/etc/ssl/certs/x", "/data/x", "/users/me/.kube/config"]) {
    assert.ok(!isLocalByTable(table, path), path);
  }
  assert.ok(isLocalByTable(pathTable(filesConfig({ readOnly: ["^/etc/app"] }), places), "/etc/passwd"));
  assert.ok(!isLocalByTable(pathTable(filesConfig({ readOnly: ["^/etc/app"] }), places), "/etc/APP/x"));
  assert.ok(!isLocalByTable(pathTable(filesConfig({ readOnly: ["\\.PY$"] }), places), "/usr/x.py"));
  assert.equal(pathTable(filesConfig({ readOnly: ["secret"] }), places), "");
});
