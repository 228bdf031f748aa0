// A real VS Code for tests: code-server, whose package from the npm registry holds VS Code's own parts. It is
// fetched and built once into the cache outside the repository (two minutes, 320 MB), and started with a
// folder of its own for everything that it writes. The package's sum stands here; its own npm-shrinkwrap.json
// files have the sums of all that it needs, and npm compares them. Used by tests/editors.

import { createHash } from "node:crypto";
import { contentKey, exists, findProgram, run } from "../cluster/command.ts";
import { deadline } from "./deadline.ts";
import { TextLineStream } from "./text_lines.ts";

const version = "4.100.0";
const sum = "7D5nTg9XsLUpO49leS0EfnwQvin5bQ6s/aUQFCPncA5a9WMhc2K+NR/gFbd9g84v72UNj57Wcd557IlEnFenSg==";
/** The Node that this code-server is for. */
const nodeVersion = 20;
/** Native modules without which VS Code has no terminal and no log, and code-server does not start. */
const native = ["node-pty", "@vscode/spdlog", "native-watchdog"].map((name) =>
  `lib/vscode/node_modules/${name}`
);
const argon = "node_modules/argon2";
/** Where argon2 looks for what was compiled. */
const argonFlags = ["--module_name=argon2", "--napi_version=9", "--napi_build_version=3"];

/** What lacks for VS Code on this machine; null: nothing. */
export async function missingForEditor(): Promise<string | null> {
  if (Deno.uid() !== 0) return "network namespaces need root";
  for (const program of ["node", "npm", "g++", "make", "rg", "chromium"]) {
    if (await findProgram(program) === null) return `${program} is not installed`;
  }
  const [major = ""] = (await run(["node", "-p", "process.versions.node"])).split(".");
  return Number(major) === nodeVersion ? null : `code-server ${version} needs Node ${nodeVersion}`;
}

/** The folder of code-server, ready to run. */
async function codeServer(): Promise<string> {
  const cache = `${Deno.env.get("MIRRORD_CACHE") ?? `${Deno.env.get("HOME") ?? "/root"}/.cache/mirrord-dev`}`;
  const key = await contentKey([version, sum, await run(["node", "--version"]), Deno.build.arch]);
  const folder = `${cache}/code-server/${key}`;
  if (await exists(folder)) return folder;
  await Deno.mkdir(`${cache}/code-server`, { recursive: true });
  const work = await Deno.makeTempDir({ dir: `${cache}/code-server`, prefix: "." });
  try {
    await run(["npm", "pack", "--silent", `code-server@${version}`], { cwd: work });
    const archive = `${work}/code-server-${version}.tgz`;
    const found = createHash("sha512").update(await Deno.readFile(archive)).digest("base64");
    if (found !== sum) throw new Error(`code-server ${version} is not the one that was pinned: ${found}`);
    await run(["tar", "-xzf", archive], { cwd: work });
    await build(`${work}/package`);
    await Deno.rename(`${work}/package`, folder);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
  return folder;
}

/** Installs what the package needs without any script of it, and compiles what is native. */
async function build(folder: string): Promise<void> {
  const install = [
    "npm",
    "ci",
    "--ignore-scripts",
    "--omit=dev",
    "--legacy-peer-deps",
    "--no-audit",
    "--no-fund",
  ];
  for (const part of ["", "/lib/vscode", "/lib/vscode/extensions"]) {
    await run(install, { cwd: folder + part });
  }
  const find = `const npm = require("fs").realpathSync(process.argv[1]);
console.log(require.resolve("node-gyp/bin/node-gyp.js", { paths: [npm] }));`;
  const gyp = (await run(["node", "-e", find, (await run(["sh", "-c", "command -v npm"])).trim()])).trim();
  const headers = await exists("/usr/include/node/node.h") ? ["--nodedir=/usr"] : [];
  for (const part of [...native, argon]) {
    const path = `--module_path=${folder}/${argon}/lib/binding/napi-v3`;
    const flags = part === argon ? [...argonFlags, path] : [];
    await run(["node", gyp, "rebuild", ...headers, ...flags], { cwd: `${folder}/${part}` });
  }
  const ripgrep = `${folder}/lib/vscode/node_modules/@vscode/ripgrep/bin`;
  await Deno.mkdir(ripgrep, { recursive: true });
  await Deno.symlink((await run(["sh", "-c", "command -v rg"])).trim(), `${ripgrep}/rg`);
}

/** A running VS Code: its address, and the folder that holds its settings and the home of its user. */
export class CodeServer implements AsyncDisposable {
  readonly url: string;
  readonly #child: Deno.ChildProcess;
  readonly #output: Promise<void>;

  private constructor(url: string, child: Deno.ChildProcess, output: Promise<void>) {
    this.url = url;
    this.#child = child;
    this.#output = output;
  }

  /**
   * `home`: its own folder, which gets its process's number in the file "pid"; `extensions`: files or folders
   * of such; `env`: more variables for programs.
   */
  static async start(
    home: string,
    { extensions, settings, env = {}, prefix = [] }: {
      extensions: string[];
      settings: Record<string, unknown>;
      env?: Record<string, string>;
      /** Put before its command line, such as what enters a network namespace. */
      prefix?: string[];
    },
  ): Promise<CodeServer> {
    const folder = await codeServer();
    await Deno.mkdir(`${home}/data/Machine`, { recursive: true });
    await Deno.writeTextFile(`${home}/data/Machine/settings.json`, JSON.stringify(settings));
    const all = [folder, "--user-data-dir", `${home}/data`, "--extensions-dir", `${home}/extensions`];
    const variables = {
      PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
      HOME: home,
      XDG_RUNTIME_DIR: home,
      SHELL: "/bin/sh",
      ...env,
    };
    for (const file of extensions) {
      await run(["env", "-i", ...assignments(variables), "node", ...all, "--install-extension", file]);
    }
    const quiet = ["--disable-telemetry", "--disable-update-check", "--disable-workspace-trust"];
    const [program = "", ...args] = [
      ...prefix,
      "node",
      ...all,
      "--auth",
      "none",
      "--bind-addr",
      "127.0.0.1:0",
    ];
    const child = new Deno.Command(program, {
      args: [...args, ...quiet],
      clearEnv: true,
      env: variables,
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    await Deno.writeTextFile(`${home}/pid`, `${child.pid}\n`);
    const listening = Promise.withResolvers<string>();
    const read = async (): Promise<void> => {
      for await (const line of child.stdout.pipeThrough(new TextLineStream())) {
        const [, url] = /listening on (http:\S+)/.exec(line) ?? [];
        if (url !== undefined) listening.resolve(url);
      }
      listening.reject(new Error("code-server ended"));
    };
    const output = read();
    listening.promise.catch(() => {});
    const url = await deadline(listening.promise, "code-server listens");
    return new CodeServer(url, child, output);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#child.status;
    await this.#output;
  }
}

function assignments(variables: Record<string, string>): string[] {
  return Object.entries(variables).map(([name, value]) => `${name}=${value}`);
}
