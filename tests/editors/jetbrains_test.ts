// The plugin for JetBrains' IDEs: its logic by its own unit tests and with the real mirrord, its edge to the
// IDE compiled against stubs that are compared with the IDE's sources, its package by JetBrains' validator.
// No IDE runs here.

import assert from "node:assert/strict";
import { mirrordVersion } from "../../core/base/version.ts";
import { fetchSource, hasPackageTools } from "../../scripts/debian_fetch.ts";
import { type Compiled, compilePlugin, javac, packPlugin } from "../../scripts/jetbrains.ts";
import { jars, missingForJars } from "../../scripts/maven.ts";
import { exists, root } from "../../scripts/step.ts";
import { toolsFolder } from "../../scripts/tools.ts";
import { attempt, until } from "../cluster/command.ts";
import { missingForProcess } from "../support/cases.ts";
import { assertTargetClean } from "../support/postcondition.ts";
import { ProcessStage } from "../support/process_stage.ts";
import { binary } from "../support/program.ts";
import { forbidden } from "../support/stub_api.ts";
import { TextLineStream } from "../support/text_lines.ts";

const sources = `${root}editors/jetbrains`;
const platform = { name: "intellij-community-idea", release: "bookworm" };

/** Why tests are skipped, in their names; null where they run. */
const missingJars = missingForJars() ??
  await whyNot(async () => {
    for (const use of ["plugin", "junit", "validator"]) await jars(use);
  });
const missingSources = hasPackageTools()
  ? await whyNot(platformSources)
  : "this is no machine with Debian's package tools";

/** What keeps `work` from fetching; a file with another sum than the pinned one is no reason to skip. */
async function whyNot(work: () => Promise<unknown>): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    if (/SHA-256/.test(text)) throw error;
    return text.split("\n")[0] ?? "";
  }
}

interface Skippable {
  name: string;
  /** Why it cannot run here, besides what all of these tests need. */
  missing?: string | null;
  fn: () => Promise<void>;
}

function test({ name, missing = null, fn }: Skippable): void {
  const reason = missingJars ?? missing;
  Deno.test({ name: reason === null ? name : `${name} (skipped: ${reason})`, ignore: reason !== null, fn });
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "mirrord-jetbrains-" });
  try {
    await work(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

const classes = Deno.makeTempDirSync({ prefix: "mirrord-jetbrains-" });
globalThis.addEventListener("unload", () => Deno.removeSync(classes, { recursive: true }));
let compiled: Promise<Compiled> | undefined;

/** The plugin's classes, compiled once, and those of its tests. */
function compile(): Promise<Compiled> {
  return compiled ??= compilePlugin(classes).then(async (found) => {
    const classPath = [found.core, ...await jars("junit"), ...found.bundled];
    await javac(`${classes}/test`, `${sources}/src/test/java`, classPath);
    const around = [found.ide, found.stubs, ...classPath, `${classes}/test`];
    await javac(`${classes}/played`, `${sources}/src/test/ide`, around);
    return found;
  });
}

/**
 * Runs the unit tests that `select` names by JUnit, with `around` before all other classes; what it printed.
 */
async function junit(
  select: string[],
  env: Record<string, string> = {},
  around: (found: Compiled) => string[] = () => [],
): Promise<string> {
  const found = await compile();
  const [console = ""] = await jars("junit");
  const classPath = [...around(found), found.core, `${classes}/test`, ...found.bundled].join(":");
  const options = ["--disable-banner", "--disable-ansi-colors", "--details=tree", "--fail-if-no-tests"];
  const { code, stdout, stderr } = await new Deno.Command("java", {
    args: ["-Djava.awt.headless=true", "-jar", console, "execute", "-cp", classPath, ...options, ...select],
    env,
  }).output();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.equal(code, 0, said);
  return said;
}

/** "N tests KIND" of JUnit's summary. */
function count(said: string, kind: string): number {
  return Number(new RegExp(`\\[ +(\\d+) tests ${kind} `).exec(said)?.[1]);
}

test({
  name: "the plugin's logic passes its own tests",
  async fn() {
    const said = await junit(["--scan-classpath", `${classes}/test`]);
    assert.ok(count(said, "successful") >= 40, said);
    assert.equal(count(said, "failed"), 0, said);
  },
});

test({
  name: "the edge gives each kind of program its session, in an IDE that is played",
  async fn() {
    const around = ({ ide, stubs }: Compiled) => [`${classes}/played`, ide, stubs];
    const said = await junit(["--select-class", "mirrord.ide.EdgeTest"], {}, around);
    assert.ok(count(said, "successful") >= 10, said);
    assert.equal(count(said, "failed"), 0, said);
  },
});

test({
  name: "the plugin's logic runs a program in a session of the real mirrord",
  missing: missingForProcess(),
  fn: () =>
    withApi(async (kubeconfig) => {
      await using stage = await ProcessStage.create();
      const identity = await stage.identity();
      const said = await junit(["--select-class", "mirrord.editor.RealMirrordTest"], {
        MIRRORD_TEST_PROGRAM: binary,
        MIRRORD_TEST_TARGET: `process/${stage.pid}`,
        MIRRORD_TEST_KUBECONFIG: kubeconfig,
      });
      assert.ok(count(said, "successful") >= 3, said);
      assert.equal(count(said, "failed"), 0, said);
      await agentsAreGone(stage);
      await assertTargetClean(stage, identity);
    }),
});

test({
  name: "a session ends with an IDE that is killed",
  missing: missingForProcess(),
  fn: () =>
    inFolder(async (folder) => {
      await using stage = await ProcessStage.create();
      const identity = await stage.identity();
      const { core, bundled } = await compile();
      const classPath = [core, `${classes}/test`, ...bundled].join(":");
      const ide = new Deno.Command("java", {
        args: ["-cp", classPath, "mirrord.editor.IdeThatDies", binary, `process/${stage.pid}`, folder],
        env: { XDG_RUNTIME_DIR: folder },
        stdin: "piped",
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
      const output = ide.stdout.pipeThrough(new TextLineStream()).getReader();
      try {
        assert.equal((await output.read()).value, "ready");
        assert.equal((await stage.agents()).length, 1);
      } finally {
        ide.kill("SIGKILL");
        await ide.status;
        await output.cancel();
        await ide.stdin.close().catch(() => {}); // its reader is gone
      }
      await agentsAreGone(stage);
      await assertTargetClean(stage, identity);
    }),
});

async function agentsAreGone(stage: ProcessStage): Promise<void> {
  await until("the agents are gone", async () => (await stage.agents()).length === 0 || "one is there", 120);
}

/** An API server with one pod, and a kubeconfig for it. */
async function withApi(work: (kubeconfig: string) => Promise<void>): Promise<void> {
  const pod = {
    metadata: { name: "web-1" },
    spec: { containers: [{ name: "web" }] },
    status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
  };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url }) => {
    const resource = new URL(url).pathname.replace(/^.*\//, "");
    return resource === "pods"
      ? Response.json({ items: [pod] })
      : forbidden(resource, 'in the namespace "shop"');
  });
  try {
    await inFolder(async (folder) => {
      const cluster = { server: `http://127.0.0.1:${server.addr.port}` };
      const config = {
        "current-context": "c",
        clusters: [{ name: "c", cluster }],
        contexts: [{ name: "c", context: { cluster: "c", namespace: "shop" } }],
      };
      Deno.writeTextFileSync(`${folder}/kubeconfig`, JSON.stringify(config));
      await work(`${folder}/kubeconfig`);
    });
  } finally {
    await server.shutdown();
  }
}

/** The platform's sources, unpacked. */
async function platformSources(): Promise<string> {
  const folder = `${toolsFolder()}/${platform.name}`;
  const files = await fetchSource(folder, platform.name, platform.release);
  const archive = files?.find((path) => path.includes(".orig.tar."));
  if (archive === undefined) throw new Error("this machine knows no mirror of Debian");
  const unpacked = `${folder}/unpacked`;
  if (!exists(unpacked)) {
    const work = Deno.makeTempDirSync({ dir: folder, prefix: ".unpacked-" });
    const parts = [
      "*/platform/*/src/com/*.java",
      "*/platform/*/src/org/*.java",
      "*/java/execution/*.java",
      "*/json/*.java",
    ];
    const { code, stderr } = await attempt(["tar", "-xJf", archive, "-C", work, "--wildcards", ...parts]);
    assert.equal(code, 0, stderr);
    Deno.renameSync(work, unpacked);
  }
  return unpacked;
}

async function compareStubs(stubs: string, platform: string): Promise<{ code: number; stdout: string }> {
  const check = [`${sources}/check/SignatureCheck.java`, stubs, platform, `${sources}/check/newer.txt`];
  const { code, stdout, stderr } = await attempt(["java", ...check]);
  return { code, stdout: stdout + stderr };
}

test({
  name: "the stubs say what the IDE's own sources say",
  missing: missingSources,
  fn: () =>
    inFolder(async (folder) => {
      const found = await platformSources();
      const { code, stdout } = await compareStubs(`${sources}/stubs`, found);
      assert.equal(code, 0, stdout);
      const [, types = "0", members = "0"] = /^(\d+) types, (\d+) members compared$/m.exec(stdout) ?? [];
      assert.ok(Number(types) >= 40 && Number(members) >= 70, stdout);
      // Another result, another parameter, a member and a type that are not there: each is found.
      await attempt(["cp", "-r", `${sources}/stubs`, `${folder}/stubs`]);
      const changes: [file: string, from: string, to: string, problem: RegExp][] = [
        ["openapi/project/Project.java", "String getBasePath()", "int getBasePath()", /Project#getBasePath/],
        ["ide/BrowserUtil.java", "browse(String url)", "browse(int url)", /BrowserUtil#browse/],
        ["openapi/Disposable.java", "void dispose();", "void dispose(); void gone();", /Disposable#gone/],
        [
          "execution/process/ProcessHandler.java",
          "public void",
          "protected void",
          /destroyProcess has the modif/,
        ],
        [
          "util/EnvironmentUtil.java",
          "class EnvironmentUtil",
          "class EnvironmentUtil implements Runnable",
          /Runnable/,
        ],
      ];
      for (const [file, from, to] of changes) {
        const path = `${folder}/stubs/platform/com/intellij/${file}`;
        const text = Deno.readTextFileSync(path);
        assert.ok(text.includes(from), `${file} has no "${from}"`);
        Deno.writeTextFileSync(path, text.replace(from, to));
      }
      const changed = await compareStubs(`${folder}/stubs`, found);
      assert.equal(changed.code, 1);
      for (const [, , , problem] of changes) assert.match(changed.stdout, problem);
    }),
});

/** What JetBrains' validator says of a plugin. */
async function validate(zip: string): Promise<{ code: number; said: string }> {
  const classPath = (await jars("validator")).join(":");
  const { code, stdout, stderr } = await attempt([
    "java",
    "-cp",
    classPath,
    `${sources}/check/PluginCheck.java`,
    zip,
  ]);
  const said = (stdout + stderr).split("\n").filter((line) => !line.startsWith("SLF4J")).join("\n").trim();
  return { code, said };
}

test({
  name: "JetBrains' validator accepts the plugin, and would refuse a wrong one",
  fn: () =>
    inFolder(async (folder) => {
      const zip = await packPlugin(`${folder}/one`, await compile());
      const { code, said } = await validate(zip);
      assert.equal(code, 0, said);
      const [first, ...others] = said.split("\n");
      assert.equal(first, `dev.mirrord ${mirrordVersion} for 241.0 and later`);
      assert.deepEqual(others.filter((line) => line.startsWith("warning")), []);
      assert.equal(others.filter((line) => line.startsWith("part: ")).length, 7, said);
      const again = await packPlugin(`${folder}/two`, await compile());
      assert.deepEqual(Deno.readFileSync(again), Deno.readFileSync(zip), "packed twice, it differs");
      Deno.writeTextFileSync(
        `${folder}/plugin.xml`,
        "<idea-plugin><id>x</id><name>mirrord</name></idea-plugin>",
      );
      Deno.mkdirSync(`${folder}/wrong/META-INF`, { recursive: true });
      Deno.renameSync(`${folder}/plugin.xml`, `${folder}/wrong/META-INF/plugin.xml`);
      await attempt([
        "jar",
        "--create",
        "--no-manifest",
        "--file",
        `${folder}/wrong.jar`,
        "-C",
        `${folder}/wrong`,
        ".",
      ]);
      const wrong = await validate(`${folder}/wrong.jar`);
      assert.equal(wrong.code, 1);
      assert.match(wrong.said, /version/i);
    }),
});
