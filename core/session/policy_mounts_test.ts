// The target's volume mounts: which are taken, before and after which other rules, and that the layer's table
// asks about them.

import assert from "node:assert/strict";
import { setLogSink } from "../base/log.ts";
import type { FilesConfig } from "../config/config.ts";
import { Decisions } from "./decisions.ts";
import { type Decision, Policy } from "./policy.ts";
import type { LocalPlaces } from "./policy_default.ts";
import { type Mounts, noMounts, targetMounts } from "./policy_mounts.ts";
import { pathTable } from "./policy_table.ts";
import { filesConfig } from "../../tests/support/files_config.ts";

const places: LocalPlaces = { temporary: "/tmp", workingDirectory: "/srv/my.app", home: "/root" };
const here = new Set([
  "/etc",
  "/opt",
  "/usr",
  "/usr/local",
  "/home",
  "/tmp",
  "/run",
  "/var",
  "/root",
  "/srv",
]);

function mountsAt(...paths: string[]): Mounts {
  const programs = ["/usr/local/bin", "/usr/bin", "/opt/tools/bin", "", "."];
  return targetMounts(paths, {
    ...places,
    programs,
    kindOf: (path) => here.has(path) ? "other" : path === "/var/run" || path === "/link" ? "link" : "nothing",
  });
}

interface Use {
  mounts: Mounts;
  config?: Partial<FilesConfig>;
  writes?: boolean;
}

function decider({ mounts, config = {}, writes = false }: Use): (path: string) => Decision {
  const policy = new Policy(filesConfig(config), places, mounts);
  const executable = "/srv/bin/app";
  return (path) => policy.decide({ path: new TextEncoder().encode(path), writes, executable });
}

function decide(path: string, use: Use): Decision {
  return decider(use)(path);
}

/** Where ConfigMaps, Secrets and similar volumes are usually mounted. */
const usual = [
  "/etc/app",
  "/etc/config",
  "/etc/secrets/",
  "/etc/ssl/private",
  "/etc/passwd",
  "/opt/app/conf",
  "/opt/app//conf/app.yaml",
  "/usr/local/app",
  "/usr/share/nginx/html",
  "/usr/lib/jvm/default/lib/security/cacerts",
  "/home/app/conf",
  "/tmp/conf",
  "/run/secrets",
  "/var/run/secrets/kubernetes.io/serviceaccount",
  "/root/.config/app",
  "/root/.kube",
  "/srv/my.app/config",
  "/config",
  "data",
  "/docker-entrypoint.d/./../entrypoint.sh",
];

Deno.test("what is mounted is the target's wherever it is, whatever its name", () => {
  const mounts = mountsAt(...usual);
  assert.deepEqual(mounts.kept, []);
  const odd: Record<string, string> = {
    "data": "/data",
    "/etc/secrets/": "/etc/secrets",
    "/opt/app//conf/app.yaml": "/opt/app/conf/app.yaml",
    "/docker-entrypoint.d/./../entrypoint.sh": "/entrypoint.sh",
  };
  const below = ["", "/", "/x", "/x/app.js", "/a.py", "/run.sh", "/..data/lib.so", "/node_modules/x"];
  const paths = usual.flatMap((given) => below.map((end) => (odd[given] ?? given) + end));
  for (const mode of ["read", "write", "localwithoverrides"] as const) {
    const [reads, writes] = [false, true].map((writes) => decider({ mounts, config: { mode }, writes }));
    for (const path of paths) {
      assert.equal(reads?.(path).place, "remote", path);
      assert.match(reads?.(path).rule ?? "", /^the target's mount "/);
      assert.equal(writes?.(path).place, mode === "write" ? "remote" : "local", path);
    }
  }
  const local = decider({ mounts, config: { mode: "local" } });
  for (const path of paths) assert.equal(local(path).place, "local");
  for (
    const path of ["/etc/application", "/etc/App", "/etc/hostname2", "/opt/app2", "/tmp/confx", "/run/lock"]
  ) {
    assert.equal(decide(path, { mounts }).place, "local", path);
  }
});

Deno.test("what is mounted at /run is found at /var/run too, and the other way round", () => {
  for (const path of ["/run/secrets/a", "/var/run/secrets/a"]) {
    for (const mount of ["/run/secrets", "/var/run/secrets"]) {
      assert.equal(decide(path, { mounts: mountsAt(mount) }).place, "remote", `${path} by ${mount}`);
    }
  }
});

Deno.test("a folder that only leads to a mount is the target's where this machine has none", () => {
  assert.deepEqual(mountsAt("/link/conf", "/var/run/conf").leading, ["/link", "/var/run"]);
  const mounts = mountsAt("/opt/app/conf/app.yaml", "/home/app/conf", "/etc/app");
  assert.deepEqual([...mounts.leading].sort(), ["/home/app", "/opt/app", "/opt/app/conf"]);
  for (const path of mounts.leading) {
    assert.equal(decide(path, { mounts }).place, "remote", path);
    assert.equal(decide(path, { mounts, config: { mode: "write" }, writes: true }).place, "local", path);
    assert.equal(decide(`${path}/other`, { mounts }).place, "local", path);
  }
});

Deno.test("the configuration's own patterns come first", () => {
  const mounts = mountsAt("/etc/app");
  const path = "/etc/app/x";
  assert.deepEqual(decide(path, { mounts, config: { local: ["^/etc/app/"] } }), {
    place: "local",
    rule: 'feature.fs.local "^/etc/app/"',
  });
  assert.equal(decide(path, { mounts, config: { notFound: ["^/etc/app/"] } }).place, "absent");
  assert.equal(decide(path, { mounts, config: { readWrite: ["^/etc/app/"] }, writes: true }).place, "remote");
  assert.equal(
    decide(path, { mounts, config: { mode: "write", readOnly: ["x$"] }, writes: true }).place,
    "local",
  );
});

Deno.test("what tools look for above the working directory is no mount's", () => {
  const home = { temporary: "/tmp", workingDirectory: "/code/me/app", home: "/home/me" };
  const mounts = targetMounts(["/code", "/data"], { ...home, programs: [], kindOf: () => "other" });
  const place = (path: string) =>
    new Policy(filesConfig(), home, mounts).decide({
      path: new TextEncoder().encode(path),
      writes: false,
      executable: "",
    }).place;
  for (
    const path of [
      "/code/.git/config",
      "/code/me/.cargo/config.toml",
      "/code/me/Gemfile",
      "/code/node_modules/a/b",
    ]
  ) {
    assert.equal(place(path), "local", path);
  }
  for (const path of ["/code/x.json", "/code/you/Gemfile", "/data/.git/config", "/data/a.py"]) {
    assert.equal(place(path), "remote", path);
  }
});

Deno.test("a mount that covers what programs of this machine need is left to the other rules", () => {
  const covering = [
    "/",
    "/proc",
    "/proc/acpi",
    "/sys/fs/cgroup",
    "/dev/shm",
    "/dev",
    "/bin",
    "/lib",
    "/lib64",
    "/usr",
    "/usr/bin",
    "/usr/local",
    "/usr/lib",
    "/etc",
    "/home",
    "/opt",
    "/run",
    "/var",
    "/var/run",
    "/nix",
    "/tmp",
    "/root/",
    "/srv/my.app",
    "/opt/tools",
    "/opt/tools/bin",
  ];
  for (const path of covering) {
    const mounts = mountsAt(path);
    const kept = path.replace(/(.)\/$/, "$1");
    assert.deepEqual(mounts, { trees: [], except: [], leading: [], kept: [kept] });
  }
  // These are the target's for reading anyway.
  assert.deepEqual(mountsAt("/etc/resolv.conf", "/etc/hosts", "/etc/hostname"), noMounts);
});

Deno.test("a place of the developer's below a mount stays by the other rules", () => {
  const mounts = mountsAt("/srv");
  assert.deepEqual(mounts.except, ["/srv/my.app"]);
  assert.equal(decide("/srv/other/x.py", { mounts }).place, "remote");
  assert.equal(decide("/srv/my.app/x.py", { mounts }).place, "local");
  assert.equal(decide("/srv/my.app", { mounts }).place, "local");
});

Deno.test("the layer asks about every mount and what leads to it, and decides the rest by itself", () => {
  const mounts = mountsAt(...usual);
  const table = pathTable(filesConfig(), places, mounts);
  for (const path of [...mounts.trees, ...mounts.leading]) assert.ok(table.includes(`A${path}\n`), path);
  assert.match(table, /^L\/usr$/m);
});

Deno.test("which rule decided about a path is logged at debug, once, up to a bound", () => {
  const lines: string[] = [];
  const decide = decider({ mounts: mountsAt("/etc/app") });
  const process = { pid: 1, parent: 0, executable: "" };
  const note = (decisions: Decisions, path: string) => {
    decisions.note(new TextEncoder().encode(path), { writes: false, process }, decide(path));
  };
  try {
    setLogSink((_, line) => void lines.push(line));
    note(new Decisions(), "/etc/app/x");
    assert.equal(lines.length, 0);
    setLogSink((level, line) => void lines.push(`${level} ${line}`), "debug");
    const decisions = new Decisions();
    for (const path of ["/etc/app/x", "/etc/app/x", "/etc/passwd", "/data/a\nb", "/root/.kube/config"]) {
      note(decisions, path);
    }
    assert.deepEqual(lines, [
      `debug File "/etc/app/x", to read: the target's, by the target's mount "/etc/app"`,
      `debug File "/etc/passwd", to read: this machine's, by the built-in list of this machine's files`,
      `debug File "/data/a\\nb", to read: the target's, by feature.fs.mode "read"`,
      `debug File "/root/.kube/config", to read: said to be absent, by the built-in list of absent trees`,
    ]);
    for (let n = 0; n < 5000; n++) note(decisions, `/data/${n}`);
    assert.equal(lines.length, 2001);
    assert.match(lines.at(-1) ?? "", /further files is not logged/);
  } finally {
    setLogSink(() => {});
  }
});
