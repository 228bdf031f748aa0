// The rules of ARCHITECTURE.md, executed: which room imports which, how long a file may be, what may be
// named how, where FFI, Kubernetes, printing and exit may stand. A rule changes here and in ARCHITECTURE.md
// in one commit.

import assert from "node:assert/strict";
import { strayDeclarations } from "./support/c_headers.ts";
import { circlesOf } from "./support/circles.ts";

const root = decodeURIComponent(new URL("../", import.meta.url).pathname);
const maximumLines = 400;
const codeEndings = /\.(ts|c|h|java)$/;
const bannedWords = ["manager", "helper", "helpers", "util", "utils", "common", "misc", "info", "service"];
const coreRooms = [
  "base",
  "net",
  "config",
  "kube",
  "target",
  "deploy",
  "session",
  "launch",
  "traffic",
  "control",
];
/** Hosts that documentation and tests may name; everything else is a machine or a registry. */
const namableHosts =
  /^(localhost|127\.|\[::1\]|0\.0\.0\.0|10\.|192\.0\.2\.|kubernetes|[a-z0-9.-]*\.(svc|local|test|example|invalid)\b|example\.(com|org)|json-schema\.org|schemas\.(microsoft\.com|openxmlformats\.org)\/|(www\.)?rfc-editor\.org|man7\.org|(www\.|docs\.)?kernel\.org|kubernetes\.io|keepachangelog\.com|semver\.org|github\.com\/\$|\$|[A-Z{<])/;

interface SourceFile {
  path: string;
  text: string;
  lines: string[];
}

const tracked = await listTracked();
const files: SourceFile[] = tracked.filter((path) => codeEndings.test(path)).map((path) => {
  const text = Deno.readTextFileSync(root + path);
  return { path, text, lines: text.split("\n") };
});
const typescript = files.filter((file) => file.path.endsWith(".ts"));
const shipped = typescript.filter((file) =>
  /^(main\.ts|cmd\/|core\/|agent\/|protocol-wasm\/)/.test(file.path) && !file.path.endsWith("_test.ts") &&
  !file.path.startsWith("protocol-wasm/assembly/") && !file.path.startsWith("agent/image/")
);

/** Tracked files and those about to be: what git does not ignore. */
async function listTracked(): Promise<string[]> {
  const { stdout } = await new Deno.Command("git", {
    args: ["ls-files", "--cached", "--others", "--exclude-standard"],
    cwd: root,
  }).output();
  return new TextDecoder().decode(stdout).split("\n").filter((path) => path !== "" && exists(root + path));
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Fails with every finding at once. */
function none(findings: string[]): void {
  assert.equal(findings.length, 0, "\n" + findings.join("\n"));
}

/** "core/kube/client.ts" → "core/kube"; "main.ts" → "main". */
function roomOf(path: string): string {
  const parts = path.split("/");
  if (parts.length === 1) return path.replace(/\.ts$/, "");
  return parts[0] === "core" ? `core/${parts[1]}` : parts[0] ?? "";
}

/** May a file of room `from` import one of room `to`? */
function mayImport(from: string, to: string): boolean {
  if (from === to) return true;
  if (to === "deno.json") return from === "core/base"; // the version stands there
  const [fromTop, fromRoom] = from.split("/");
  const [toTop, toRoom] = to.split("/");
  switch (fromTop) {
    case "main":
      return toTop === "cmd" || to === "core/base";
    case "cmd":
      return ["core", "agent", "protocol-wasm"].includes(toTop ?? "");
    case "core":
      if (toTop === "protocol-wasm") return fromRoom !== "base";
      return toTop === "core" && coreRooms.indexOf(toRoom ?? "") < coreRooms.indexOf(fromRoom ?? "");
    case "agent":
      return toTop === "protocol-wasm" || ["core/base", "core/net"].includes(to);
    default:
      return false;
  }
}

function imports(file: SourceFile): string[] {
  const found = file.text.matchAll(
    /(?:^|[\s;])(?:import|export)\s*(?:[^"'();]*?\sfrom\s*)?\(?\s*["']([^"']+)["']/g,
  );
  return [...found].map((match) => match[1] ?? "");
}

function resolve(from: string, specifier: string): string {
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}

Deno.test("imports follow the walk", () => {
  const findings = shipped.flatMap((file) =>
    imports(file).filter((name) => name.startsWith(".")).flatMap((name) => {
      const to = resolve(file.path, name);
      return mayImport(roomOf(file.path), roomOf(to)) ? [] : [`${file.path} imports ${to}`];
    })
  );
  none(findings);
});

Deno.test("core/base holds what at least three rooms use", () => {
  const users = new Map<string, Set<string>>();
  for (const file of shipped) {
    for (const to of imports(file).filter((name) => name.startsWith(".")).map((n) => resolve(file.path, n))) {
      users.set(to, (users.get(to) ?? new Set()).add(roomOf(file.path)));
    }
  }
  // machine.ts is the half of errors.ts about errors of this machine: what makes the session's folder and
  // what prints read it.
  const few = shipped.map(({ path }) => path).filter((path) =>
    path.startsWith("core/base/") && path !== "core/base/machine.ts" && (users.get(path)?.size ?? 0) < 3
  );
  none(few.map((path) => `${path} belongs to one of ${[...users.get(path) ?? []].join(", ")}`));
});

Deno.test("cmd reaches the agent only from cmd/agent.ts", () => {
  none(
    shipped.filter((file) => file.path.startsWith("cmd/") && file.path !== "cmd/agent.ts")
      .flatMap((file) =>
        imports(file).filter((name) => name.includes("/agent/")).map((name) => `${file.path} imports ${name}`)
      ),
  );
});

Deno.test("protocol-wasm is entered through its mod.ts", () => {
  const findings = shipped.filter((file) => !file.path.startsWith("protocol-wasm/")).flatMap((file) =>
    imports(file).map((name) => name.startsWith(".") ? resolve(file.path, name) : name)
      .filter((to) => to.startsWith("protocol-wasm/") && to !== "protocol-wasm/mod.ts")
      .map((to) => `${file.path} imports ${to}`)
  );
  none(findings);
});

Deno.test("folders of protocol-wasm follow their order", () => {
  const order = ["addresses", "patterns", "http", "messages", "link", "handshake"];
  const folderOf = (path: string) => path.match(/^protocol-wasm\/(\w+)\/[^/]*$/)?.[1];
  none(
    shipped.filter((file) => folderOf(file.path) !== undefined).flatMap((file) =>
      imports(file).map((name) => resolve(file.path, name)).filter((to) => {
        const folder = folderOf(to);
        return folder !== undefined && order.indexOf(folder) > order.indexOf(folderOf(file.path) ?? "");
      }).map((to) => `${file.path} imports ${to}`)
    ),
  );
});

Deno.test("a circle of files is found", () => {
  const graph = (arrows: Record<string, string[]>) => circlesOf(new Map(Object.entries(arrows)));
  assert.deepEqual(graph({ a: ["b", "c"], b: ["d"], c: ["d"], d: [] }), []);
  assert.deepEqual(graph({ x: ["a"], a: ["b"], b: ["c"], c: ["a", "d"], d: [] }), [["a", "b", "c"]]);
  assert.deepEqual(graph({ a: ["b"], b: ["a", "c"], c: ["d"], d: ["c"] }), [["c", "d"], ["a", "b"]]);
  assert.deepEqual(graph({ a: ["b", "c"], b: ["a"], c: ["a"] }), [["a", "b", "c"]]);
});

Deno.test("no files import each other in a circle, types included", () => {
  const graph = new Map(typescript.map((file) => {
    const ending = file.path.startsWith("protocol-wasm/assembly/") ? ".ts" : "";
    const named = imports(file).filter((name) => name.startsWith("."));
    return [
      file.path,
      named.map((name) => resolve(file.path, name).replace(/(\.ts)?$/, (given) => given || ending)),
    ];
  }));
  none(circlesOf(graph).map((circle) => circle.join(" ")));
});

/** What a C file of the layer includes of the layer's own. */
function includes(file: SourceFile): string[] {
  const found = file.text.matchAll(/^[ \t]*#[ \t]*include[ \t]+"([^"]+)"/gm);
  return [...found].flatMap(([, name = ""]) =>
    [resolve(file.path, name), `layer/${name}`].find((path) => tracked.includes(path)) ?? []
  );
}

const layerFiles = files.filter((file) => file.path.startsWith("layer/"));
/** A source file and its header as one. */
const unitOf = (path: string) => path.replace(/\.[ch]$/, "");

Deno.test("no files of the layer include each other in a circle, headers included", () => {
  const graph = new Map<string, string[]>();
  for (const file of layerFiles) {
    const unit = unitOf(file.path);
    graph.set(unit, [...graph.get(unit) ?? [], ...includes(file).map(unitOf).filter((to) => to !== unit)]);
  }
  none(circlesOf(graph).map((circle) => circle.join(" ")));
});

Deno.test("a header of the layer is that of one C file", () => {
  const among = layerFiles.filter(({ path }) => !/^layer\/(wire|hooks\w*)\.h$|_test\.c$/.test(path));
  none(strayDeclarations(among).map(({ text }) => text));
});

/**
 * What of the preload door a file behind the doors names: libc's own calls, the guard, hooks, errno, its
 * headers.
 */
function doorNames(file: SourceFile): string[] {
  const code = file.text.replace(/\/\*[^]*?\*\//g, "").replace("<errno.h>", "");
  const names = file.path.startsWith("layer/ops/")
    ? [...code.matchAll(/\b(?:(?:next|guard|layer|pool)_\w+|errno)\b/g)].map(([name]) => name)
    : [];
  const headers = includes(file).filter((path) => /^layer\/(preload\/|hooks)/.test(path));
  return [...new Set([...names, ...headers])];
}

Deno.test("operations, link and platform know no door", () => {
  const behind = layerFiles.filter((file) =>
    /^layer\/(ops|link|sys)\//.test(file.path) && !file.path.endsWith("_test.c")
  );
  none(behind.flatMap((file) => doorNames(file).map((name) => `${file.path} names ${name}`)));
});

Deno.test("core asks a platform by its interface", () => {
  const own = /^core\/(net|launch)\/(linux|darwin)\//;
  const choosing = /(^|\/)this_platform\.ts$/;
  none(
    shipped.filter(({ path }) => /^(core|cmd)\//.test(path) && !own.test(path) && !choosing.test(path))
      .flatMap((file) =>
        imports(file).map((name) => resolve(file.path, name)).filter((to) => own.test(to))
          .map((to) => `${file.path} imports ${to}`)
      ),
  );
});

Deno.test("nothing imports tests", () => {
  none(
    shipped.flatMap((file) =>
      imports(file).filter((name) => /(^|\/)tests\//.test(name)).map((name) => `${file.path} imports ${name}`)
    ),
  );
});

Deno.test("a file has at most 400 lines", () => {
  none(
    files.filter((file) => file.path !== "layer/wire.h" && file.lines.length > maximumLines + 1)
      .map((file) => `${file.path}: ${file.lines.length} lines`),
  );
});

Deno.test("a file opens with what it owns", () => {
  none(
    files.filter((file) => !/^(\/\/|\/\*)/.test(file.text)).map((file) =>
      `${file.path} has no opening comment`
    ),
  );
});

Deno.test("no file or exported name carries a banned word", () => {
  // Names of the IDE's own types are not ours to choose.
  const theirs = /^editors\/jetbrains\/(stubs|src\/test\/(java|ide)\/(com|org))\//;
  const findings = files.filter(({ path }) => !theirs.test(path)).flatMap((file) => {
    const names = [
      ...file.text.matchAll(/export\s+(?:async\s+)?(?:function|class|const|interface|type)\s+(\w+)/g),
    ].map((m) => m[1] ?? "");
    const words = [file.path.replace(/^.*\//, "").replace(/\..*$/, ""), ...names];
    return words.filter((word) => splitWords(word).some((part) => bannedWords.includes(part))).map((word) =>
      `${file.path}: ${word}`
    );
  });
  none(findings);
});

function splitWords(name: string): string[] {
  return name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase().split(/[_-]/);
}

/** Lines of `among` that match, but for files in `allowed` and for comments. */
function stray(among: SourceFile[], pattern: RegExp, allowed: RegExp): string[] {
  return among.filter((file) => !allowed.test(file.path)).flatMap((file) =>
    file.lines.flatMap((line, index) =>
      pattern.test(line.replace(/(^|\s)\/\/.*$/, "")) && !/^\s*\*/.test(line)
        ? [`${file.path}:${index + 1}: ${line.trim()}`]
        : []
    )
  );
}

Deno.test("Deno.exit stands in main.ts only", () => {
  none(stray(shipped, /\bDeno\.exit\(/, /^main\.ts$/));
});

Deno.test("printing stands in cmd/ui.ts only", () => {
  none(
    stray(shipped, /\bconsole\.|Deno\.(stdout|stderr)\.write/, /^(cmd\/ui\.ts|main\.ts|agent\/main\.ts)$/),
  );
});

Deno.test("FFI stands in core/net and agent/sys only", () => {
  none(stray(shipped, /\bDeno\.(dlopen|UnsafePointer|UnsafeCallback)/, /^(core\/net|agent\/sys)\//));
});

Deno.test("errno values stand in protocol-wasm/errno.ts only", () => {
  none(stray(shipped, /^(export )?const (E[A-Z]{2,}\w*|e(io|again|proto|inval)) = \d+;/, /^$/));
});

Deno.test("Kubernetes is known in core/kube only", () => {
  none(
    stray(shipped, /from "@kubernetes\/client-node[^"]*"|["'`]\/apis?\//, /^core\/kube\//)
      .filter((line) => !/import type/.test(line)),
  );
});

Deno.test("there are no default exports and no barrels", () => {
  none(stray(shipped, /export default|^export \* from/, /^$/));
});

Deno.test("tests wait for events, they do not sleep", () => {
  const tests = typescript.filter((file) => file.path.startsWith("tests/") || file.path.endsWith("_test.ts"));
  none(
    stray(tests, /\bawait\s+(sleep|delay)\(|setTimeout\(\s*(resolve|done|r)\s*,/, /^tests\/house_test\.ts$/),
  );
});

Deno.test("an attack's file is named after its attacker", () => {
  const named =
    /^tests\/attack\/(target|neighbour|api_server|local_user|project_folder|network|agent)(_\w+)?_test\.ts$/;
  none(
    files.map(({ path }) => path).filter((path) =>
      /^tests\/attack\/.*_test\.ts$/.test(path) && !named.test(path)
    )
      .map((path) => `${path} names no attacker of SECURITY.md`),
  );
});

Deno.test("SECURITY.md names every attack, and no test that is not there", () => {
  const named = [...Deno.readTextFileSync(`${root}SECURITY.md`).matchAll(/[\w/.-]+_test\.ts/g)].map((
    [path],
  ) => path);
  none(
    named.filter((path) => !exists(root + path)).map((path) =>
      `SECURITY.md names ${path}, which is not there`
    ),
  );
  const attacks = tracked.filter((path) => /^tests\/attack\/.*_test\.ts$/.test(path));
  none(attacks.filter((path) => !named.includes(path)).map((path) => `SECURITY.md does not name ${path}`));
});

Deno.test("what is fetched is fetched where its sum is checked", () => {
  const checked =
    /^(scripts\/(pins\.py|install_packages\.sh)|scripts\/debian_fetch\.ts|scripts\/maven\.ts|tests\/cluster\/packages\.ts|tests\/support\/(packages|code_server)\.ts)$/;
  const fetches =
    /pip3?["', ]+(install|download)|\b(curl|wget)["', ]+(-\w+["', ]+)*https?:|npm["', ]+(install|ci)\b|\bnpx\b|go["', ]+(install|get)\b|apt-get["', ].*(install|download|\bsource\b)|execPath\(\), "install"|ADD https?:|\bmvn\b|\bivy\.jar\b/;
  const scripts = tracked.filter((path) =>
    /^dev$|^\.ci\/|^(scripts|bench|agent\/image|tests)\/.*\.(ts|sh|py)$/.test(path) &&
    !/_test\.ts$/.test(path)
  ).map((path) => ({ path, text: "", lines: Deno.readTextFileSync(root + path).split("\n") }));
  none(stray(scripts, fetches, checked).filter((line) => !/: say /.test(line)));
});

Deno.test("every folder of tests runs with a suite", () => {
  const suites = Deno.readTextFileSync(`${root}tests/runner/suites.ts`);
  const folders = new Set(
    tracked.flatMap((path) => path.match(/^(tests\/\w+)\/.*_test\.ts$/)?.[1] ?? []),
  );
  none([...folders].filter((folder) => !suites.includes(folder)).map((folder) => `${folder} is in no suite`));
});

Deno.test("no committed file names a machine's path or an unknown host", () => {
  const texts = tracked.filter((path) =>
    /\.(ts|c|h|java|kts|xml|md|json|yaml|sh|go)$|^dev$|^\.ci\//.test(path) && !/\.lock$|go\.sum$/.test(path)
  );
  const findings = texts.flatMap((path) =>
    Deno.readTextFileSync(root + path).split("\n").flatMap((line, index) => {
      const hosts = [...line.matchAll(/\b(?:https?|wss?):\/\/([^\s"'`)>]*)/g)].map((match) => match[1] ?? "");
      const unknown = hosts.filter((host) => host.includes(".") && !namableHosts.test(host));
      const machine = path !== "tests/house_test.ts" && /\/(work|root)\/\w/.test(line);
      return unknown.length > 0 || machine ? [`${path}:${index + 1}: ${line.trim()}`] : [];
    })
  );
  none(findings);
});

Deno.test("the Wasm core imports nothing", () => {
  const module = new WebAssembly.Module(Deno.readFileSync(`${root}protocol-wasm/protocol.wasm`));
  assert.deepEqual(WebAssembly.Module.imports(module), []);
});

Deno.test("layer/wire.h and agent/bpf/numbers.h are what the tables say", async () => {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "scripts/wire.ts", "--check"],
    cwd: root,
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
});
