// Launch configurations as lines for a shell: a shell reads them again.

import assert from "node:assert/strict";
import { commandLine } from "./command.ts";

const order = { configFile: undefined, target: { path: "deployment/api" } };

function line(type: string, more: Record<string, unknown>): string | undefined {
  return commandLine({ type, name: "Run", request: "launch", ...more }, { binary: "mirrord", order });
}

/** The words of a line, as a shell splits it. */
async function shellWords(text: string): Promise<string[]> {
  const script = `mirrord() { printf '%s\\0' "A=$A" "$PWD" "$@"; }\n${text}`;
  const { stdout } = await new Deno.Command("sh", { args: ["-c", script] }).output();
  return new TextDecoder().decode(stdout).split("\0").slice(0, -1);
}

Deno.test("directory, variables, file and target come before the program, whatever is in them", async () => {
  const text = commandLine(
    {
      type: "node",
      name: "Run",
      request: "launch",
      cwd: "/",
      program: "/a b/main.js",
      args: ["it's", "$HOME"],
      env: { A: '"x" y', GONE: null, MIRRORD_ACTIVE: "1" },
    },
    {
      binary: "mirrord",
      order: { configFile: "/c d.json", target: { path: "pod/a", namespace: "shop" } },
    },
  );
  assert.deepEqual(await shellWords(text ?? ""), [
    'A="x" y',
    "/",
    ...[
      "exec",
      "-f",
      "/c d.json",
      "-n",
      "shop",
      "-t",
      "pod/a",
      "--",
      "node",
      "/a b/main.js",
      "it's",
      "$HOME",
    ],
  ]);
});

Deno.test("each kind of configuration has its program", () => {
  const start = "mirrord exec -t deployment/api -- ";
  const cases: [type: string, more: Record<string, unknown>, expected: string][] = [
    ["pwa-node", { runtimeExecutable: "npm", runtimeArgs: ["run", "dev"] }, "npm run dev"],
    ["node-terminal", { command: "npm start | cat" }, "sh -c 'npm start | cat'"],
    ["debugpy", { python: ["/v/bin/python"], program: "app.py", args: ["-v"] }, "/v/bin/python app.py -v"],
    ["debugpy", { module: "flask", args: ["run"] }, "python3 -m flask run"],
    ["go", { program: "./cmd/api" }, "go run ./cmd/api"],
    ["go", { mode: "exec", program: "./api", args: ["-p", "80"] }, "./api -p 80"],
    [
      "java",
      { mainClass: "a.Main", classPaths: ["a", "b"], vmArgs: "-ea -Da=b" },
      "java -ea -Da=b -cp a:b a.Main",
    ],
    ["php", { program: "", runtimeArgs: ["-S", "localhost:8000"] }, "php -S localhost:8000"],
    ["rdbg", { script: "app.rb" }, "ruby app.rb"],
    ["cppdbg", { program: "/b/a.out", args: [] }, "/b/a.out"],
    ["lldb", { program: "/b/a.out", args: ["1"] }, "/b/a.out 1"],
  ];
  for (const [type, more, expected] of cases) assert.equal(line(type, more), start + expected, type);
});

Deno.test("a configuration without a program has no line", () => {
  for (const type of ["node", "debugpy", "go", "java", "php", "lldb"]) {
    assert.equal(line(type, {}), undefined, type);
  }
});
