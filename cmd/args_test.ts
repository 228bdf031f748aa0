// The command line as a value: which flags mean the same.

import assert from "node:assert/strict";
import { MirrordError } from "../core/base/errors.ts";
import { execFlags } from "./config_flags.ts";
import { parseCommand } from "./args.ts";

Deno.test("the namespace may be called as kubectl calls it", async () => {
  for (
    const [flag, key] of [["-n", "targetNamespace"], ["--target-namespace", "targetNamespace"], [
      "--namespace",
      "namespace",
    ]] as const
  ) {
    const command = await parseCommand(["exec", flag, "shop", "--", "app", "-n", "its own"]);
    assert.ok(command.name === "exec");
    assert.equal(command[key], "shop");
    assert.deepEqual([command.program, ...command.args], ["app", "-n", "its own"]);
  }
});

Deno.test("ls knows the flags that say where the cluster is, and no others", async () => {
  const command = await parseCommand([
    "ls",
    "--namespace",
    "shop",
    "--context",
    "c",
    "--kubeconfig",
    "k",
    "-f",
  ]);
  assert.deepEqual(command, {
    name: "ls",
    namespace: "shop",
    context: "c",
    kubeconfig: "k",
    configFile: true,
  });
  await assert.rejects(parseCommand(["ls", "--steal"]), /Cannot use "--steal": "ls" has no such flag/);
});

Deno.test("ext takes what upstream's editors give it, in either order", async () => {
  const expected = { name: "ext", configFile: "/a/m.json", target: "pod/a", executable: "/usr/bin/python3" };
  const words = [["-f", "/a/m.json"], ["-t", "pod/a"], ["-e", "/usr/bin/python3"]];
  assert.deepEqual(await parseCommand(["ext", ...words.flat()]), expected);
  assert.deepEqual(await parseCommand(["ext", ...words.reverse().flat()]), expected);
  assert.deepEqual(await parseCommand(["ext"]), { name: "ext" });
});

Deno.test("ci start and container take the flags of exec up to the program, whose own they are from there", async () => {
  for (
    const words of [["start", "-t", "pod/a", "app", "-t", "x"], ["start", "-t=pod/a", "--", "app", "-t", "x"]]
  ) {
    const command = await parseCommand(["ci", ...words]);
    assert.ok(command.name === "ci" && command.runs?.name === "exec");
    assert.equal(command.action, "start");
    assert.equal(execFlags(command.runs).target, "pod/a");
    assert.deepEqual([command.runs.program, ...command.runs.args], ["app", "-t", "x"]);
    assert.equal(command.session, "default");
  }
  const line = ["docker", "run", "-t", "image", "--name", "x"];
  for (const words of [["--", ...line], line]) {
    const command = await parseCommand(["ci", "container", "-t", "pod/a", "--name", "b", ...words]);
    assert.ok(command.name === "ci" && command.runs?.name === "container");
    assert.deepEqual([command.action, command.session], ["container", "b"]);
    assert.equal(execFlags(command.runs).target, "pod/a");
    assert.deepEqual(command.runs.line, line);
  }
  const stop = await parseCommand(["ci", "stop", "--name", "a", "--timeout", "3"]);
  assert.deepEqual(stop, { name: "ci", action: "stop", session: "a", timeout: 3 });
});

Deno.test("a usage error says what, in which state, and what to do", async () => {
  const cases: [string[], string, RegExp][] = [
    [["exce", "x"], 'Cannot run "exce": there is no such command', /^Did you mean "exec"\?$/],
    [["nosuch", "--help"], 'Cannot run "nosuch": there is no such command', /^See "mirrord --help"\.$/],
    [["help", "exce"], 'Cannot run "exce": there is no such command', /^Did you mean "exec"\?$/],
    [["wizard"], 'Cannot run "wizard": upstream has it, this release does not yet', /configuration.md/],
    [["up", "init", "api"], 'Cannot use "api": up init takes no names', /up --help/],
    [["up", "-o", "x.yaml"], 'Cannot use "--output x.yaml": it is for up init', /up --help/],
    [
      ["queues", "status"],
      'Cannot run "queues": it is left out: it needs upstream\'s operator, and mirrord installs nothing in the cluster',
      /./,
    ],
    [
      ["vpn", "--help"],
      'Cannot run "vpn": it is left out: mirrord gives the cluster\'s network to one program, not to the machine',
      /^Use: mirrord exec --target targetless/,
    ],
    [
      ["exec", "-x", "--", "y"],
      'Cannot use "--override-env-vars-exclude": its value <names> is missing',
      /^Write/,
    ],
    [["exec", "--target", "--steal", "y"], 'Cannot use "--target": its value <path> is missing', /^Write/],
    [
      ["exec", "-t=pod/a", "-t", "pod/b", "y"],
      'Cannot use "--target pod/b": "pod/a" is given as well',
      /^Give/,
    ],
    [["ls", "-n", "a", "--namespace=b"], 'Cannot use "--namespace b": "a" is given as well', /^Give one/],
    [
      ["exec", "--tagret=x", "y"],
      'Cannot use "--tagret": "exec" has no such flag',
      /^Did you mean "--target"/,
    ],
    [["exec", "--steal=true", "y"], 'Cannot use "--steal=true": it takes no value', /^Write/],
    [["exec", "-c=1", "y"], 'Cannot use "--accept-invalid-certificates=1": its value is true or false', /^W/],
    [["frobnicate"], 'Cannot run "frobnicate": there is no such command', /^See "mirrord --help"\.$/],
    [["--frob"], 'Cannot use "--frob": mirrord has no such flag', /^See/],
    [["exec", "--traget", "x", "--", "y"], 'Cannot use "--traget": "exec" has no such flag', /"--target"/],
    [["exec"], 'Cannot run "exec": the <program> is missing', /^Write: mirrord exec \[options\]/],
    [["exec", "--target"], 'Cannot use "--target": its value <path> is missing', /^Write: mirrord exec/],
    [
      ["exec", "--fs-mode", "wirte", "--", "x"],
      'Cannot use "wirte": it is none of read, write, local, localwithoverrides, local-with-overrides (--fs-mode)',
      /^Write/,
    ],
    [["ls", "x"], 'Cannot run "ls": there are too many arguments', /^Write: mirrord ls/],
    [
      ["ls", "-o", "csv"],
      'Cannot use "csv": it is none of json, yaml, name, wide (--output)',
      /^Write/,
    ],
    [["verify-config"], 'Cannot run "verify-config": the <file> is missing', /^Write/],
    [["completions", "ksh"], 'Cannot use "ksh": it is none of bash, zsh, fish, elvish, powershell', /^Write/],
    [["agent"], 'Cannot run "agent": --public-key is missing', /^Write/],
    [
      ["agent", "--listen", "-1"],
      'Cannot use "-1": it is not a port from 1 to 65535, or 0 (--listen)',
      /^Write/,
    ],
  ];
  for (const [args, message, help] of cases) {
    await assert.rejects(parseCommand(args), (error) => {
      assert.ok(error instanceof MirrordError);
      assert.equal(error.message, message);
      assert.match(error.help ?? "", help);
      assert.equal(error.exitCode, 2);
      return true;
    });
  }
});

Deno.test("a flag and its value may be one word, and a switch may be turned off", async () => {
  const parse = async (...args: string[]) => {
    const command = await parseCommand(["exec", ...args, "--", "app", "-t=its own"]);
    assert.ok(command.name === "exec");
    assert.deepEqual(command.args, ["-t=its own"]);
    return command;
  };
  const short = await parse("-t=pod/a", "-f=m.json", "-nshop", "-c=true", "--no-outgoing", "-x=A=B");
  assert.deepEqual(
    [short.target, short.configFile, short.targetNamespace, short.acceptInvalidCertificates, short.outgoing],
    ["pod/a", "m.json", "shop", true, false],
  );
  assert.equal(short.overrideEnvVarsExclude, "A=B");
  const long = await parse("--accept-invalid-certificates=false", "--target=pod/a", "-f", "-");
  assert.deepEqual([long.acceptInvalidCertificates, long.target, long.configFile], [false, "pod/a", "-"]);
  assert.equal(execFlags(long).acceptInvalidCertificates, false);
  const same = await parse("-n", "shop", "--namespace=shop");
  assert.equal(same.namespace, "shop");
});

Deno.test("ports and filters are flags that can be repeated", async () => {
  const command = await parseCommand([
    ...["exec", "--port-map", "3000:8080", "--port-map=9000:90", "--http-filter", "header: ^x-user: ana;b$"],
    ...["--http-filter=path: ^/api", "app", "--port-map", "1:2"],
  ]);
  assert.ok(command.name === "exec");
  assert.deepEqual(command.args, ["--port-map", "1:2"]);
  const { portMap, httpFilter } = execFlags(command);
  assert.deepEqual(portMap, ["3000:8080", "9000:90"]);
  assert.deepEqual(httpFilter, ["header: ^x-user: ana;b$", "path: ^/api"]);
});

/** The help of `mirrord ...words` on a terminal of so many columns. */
async function helpOn(columns: number, ...words: string[]): Promise<string[]> {
  const main = new URL("../main.ts", import.meta.url).pathname;
  const line = `stty cols ${columns}; ${Deno.execPath()} run -A --quiet ${main} ${words.join(" ")} --help`;
  const { stdout } = await new Deno.Command("script", {
    args: ["-qec", line, "/dev/null"],
    env: { NO_COLOR: "1", TERM: "xterm" },
    stdin: "null",
  }).output();
  return new TextDecoder().decode(stdout).split("\r\n");
}

Deno.test("help is as wide as the terminal", async () => {
  const narrow = await helpOn(50, "exec");
  assert.ok(narrow.includes("  -t, --target <path>"), narrow.join("\n"));
  // The usage line is one line, and so is a flag's name.
  assert.deepEqual(narrow.slice(1).filter((line) => line.length > 50), []);
  const wide = await helpOn(200, "exec");
  const target = wide.find((line) => line.startsWith("  -t, --target <path>")) ?? "";
  assert.match(target, /process\/PID or targetless$/);
});

Deno.test("help fits eighty columns", async () => {
  for (const name of ["exec", "ls", "verify-config", "completions"]) {
    const main = new URL("../main.ts", import.meta.url).pathname;
    const args = ["run", "-A", "--quiet", main, name, "--help"];
    const { stdout } = await new Deno.Command(Deno.execPath(), { args, env: { NO_COLOR: "1" } }).output();
    const lines = new TextDecoder().decode(stdout).split("\n");
    assert.deepEqual(lines.filter((line) => line.length > 80), []);
  }
});

Deno.test("flags of upstream are taken, whatever they do here", async () => {
  const command = await parseCommand([
    ...["exec", "-t", "pod/a", "-n", "ns", "-a", "ns", "-l", "debug", "-i", "image", "--agent-ttl", "5"],
    ...[
      "--agent-startup-timeout",
      "6",
      "--linger",
      "7",
      "-e",
      "--fs-mode",
      "write",
      "-x",
      "A;B",
      "-s",
      "C",
      "--env-file",
      "f",
    ],
    ...["--no-remote-dns", "--no-outgoing", "--no-tcp-outgoing", "--no-udp-outgoing", "--steal"],
    ...["--skip-processes", "p", "-c", "--no-telemetry", "--disable-version-check", "-f", "m.json"],
    ...["--context", "c", "-k", "key", "--", "app", "--steal", "--", "-x"],
  ]);
  assert.ok(command.name === "exec");
  assert.deepEqual([command.program, ...command.args], ["app", "--steal", "--", "-x"]);
  assert.deepEqual(execFlags(command), {
    namespace: "ns",
    kubeconfig: undefined,
    context: "c",
    acceptInvalidCertificates: true,
    target: "pod/a",
    steal: true,
    portMap: undefined,
    httpFilter: undefined,
    agentImage: "image",
    agentLogLevel: "debug",
    agentStartupTimeout: "6",
    linger: "7",
    agentNamespace: "ns",
    agentTtl: "5",
    ephemeral: true,
    envInclude: "C",
    envExclude: "A;B",
    envFile: "f",
    fsMode: "write",
    remoteDns: false,
    tcpOutgoing: false,
    udpOutgoing: false,
    telemetry: false,
    skipProcesses: "p",
    key: "key",
  });
});

Deno.test("a flag that is not given changes nothing", async () => {
  const command = await parseCommand(["exec", "app"]);
  assert.ok(command.name === "exec");
  const given = Object.entries(execFlags(command)).filter(([, value]) => value !== undefined);
  assert.deepEqual(given, []);
});
