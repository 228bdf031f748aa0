// Debuggers' ports by the command lines that editors and people write, and by the variables that runtimes
// read.

import assert from "node:assert/strict";
import { debuggerItself, debuggerPorts, type Program } from "./debugger_table.ts";

interface Given {
  file?: string;
  line: string;
  env?: Record<string, string>;
  maps?: string;
}

function program({ file, line, env = {}, maps = "" }: Given): Program {
  const args = line.split(" ");
  return { file: file ?? `/usr/bin/${args[0]}`, args, variable: (name) => env[name] ?? "", maps: () => maps };
}

/** "listens 9229", "dials 10.0.0.1:5005". */
function portsOf(given: Given): string[] {
  return debuggerPorts(program(given)).map(({ way, host, port }) =>
    `${way} ${host === "" || way === "listens" ? "" : `${host}:`}${port}`
  );
}

const standardOfNode = "listens 9229";

const cases: [given: Given, ports: string[]][] = [
  // Node and similar runtimes: such a process may open 9229 whenever it gets SIGUSR1.
  [{ line: "node app.js" }, [standardOfNode]],
  [{ line: "node --inspect app.js" }, [standardOfNode, standardOfNode]],
  [{ line: "node --inspect=9333 app.js" }, ["listens 9333", standardOfNode]],
  [{ line: "node --inspect-brk=0.0.0.0:9333 app.js" }, ["listens 9333", standardOfNode]],
  [{ line: "node --inspect_brk=[::1]:9333 app.js" }, ["listens 9333", standardOfNode]],
  [{ line: "node --inspect-wait=127.0.0.1:9333 app.js" }, ["listens 9333", standardOfNode]],
  [{ line: "node --inspect=localhost app.js" }, [standardOfNode, standardOfNode]],
  [{ line: "node --inspect=0 app.js" }, ["listens 0", standardOfNode]],
  [{ line: "node --inspect-port=9334 app.js" }, ["listens 9334", standardOfNode]],
  [{ line: "node --inspect-port 9334 app.js" }, ["listens 9334", standardOfNode]],
  [{ line: "node --debug-port=9334 app.js" }, ["listens 9334", standardOfNode]],
  [{ line: "node --inspect-publish-uid=http app.js" }, [standardOfNode]],
  [{ line: "node app.js", env: { NODE_OPTIONS: '--require "/a b/x.js" --inspect=9335' } }, [
    "listens 9335",
    standardOfNode,
  ]],
  [{ file: "/opt/vendor/runtime", line: "runtime --inspect=9336 x" }, ["listens 9336"]],
  [{ line: "deno run --inspect-brk app.ts" }, [standardOfNode]],
  [{ line: "bun --inspect app.ts" }, ["listens 6499"]],
  [{ line: "bun app.ts", env: { BUN_INSPECT: "ws://localhost:6500/x?break=1" } }, ["listens 6500"]],
  [{ line: "workerd serve --inspector-port 9230" }, ["listens 9230"]],
  [{ line: "chrome --remote-debugging-port=9223" }, ["listens 9223"]],
  [{ line: "firefox --remote-debugging-port" }, ["listens 9222"]],
  // Python.
  [{ line: "python3 -m debugpy --listen 5679 app.py" }, ["listens 5679"]],
  [{ line: "python3 -m debugpy --listen 0.0.0.0:5679 --wait-for-client -m flask run" }, ["listens 5679"]],
  [{ line: "python3 -X frozen_modules=off -m debugpy --connect 127.0.0.1:45678 app.py" }, [
    "dials 127.0.0.1:45678",
  ]],
  [{ line: "python3 /home/u/.vscode/x/debugpy --connect 45678 --configure-subProcess True app.py" }, [
    "dials 45678",
  ]],
  [{ line: "python3 /home/u/.vscode/x/debugpy/launcher 45679 -- app.py" }, ["dials 45679"]],
  [{ line: "python3 /x/debugpy/adapter --for-server 41000 --host 127.0.0.1 --port 5678" }, ["listens 5678"]],
  [{ line: "python3 /x/pydev/pydevd.py --multiprocess --client 127.0.0.1 --port 43433 --file app.py" }, [
    "dials 127.0.0.1:43433",
  ]],
  [{ line: "python3 -m pydevd --server --port 5680 --file app.py" }, ["listens 5680"]],
  [{ line: "python3 app.py", env: { REMOTE_PDB_PORT: "4444" } }, ["listens 4444"]],
  [{ line: "python3 app.py --listen 8000" }, []],
  // Java.
  [{ line: "java -agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=*:5005 Main" }, [
    "listens 5005",
  ]],
  [{ line: "java -agentlib:jdwp=transport=dt_socket,server=y,suspend=n Main" }, ["listens 0"]],
  [{ line: "java -Xdebug -Xrunjdwp:transport=dt_socket,server=y,address=8000 Main" }, ["listens 8000"]],
  [{ line: "java -agentpath:/x/libjdwp.so=transport=dt_socket,server=y,address=8000 Main" }, [
    "listens 8000",
  ]],
  [{ line: "java -agentlib:jdwp=transport=dt_socket,suspend=y,address=localhost:53456 Main" }, [
    "dials localhost:53456",
  ]],
  [{ line: "java -agentlib:jdwp=transport=dt_socket,server=n,address=[::1]:53456 Main" }, [
    "dials ::1:53456",
  ]],
  [{
    line: "mvn-java Main",
    env: { JAVA_TOOL_OPTIONS: "-Dx=1 -agentlib:jdwp=transport=dt_socket,server=y,address=127.0.0.1:5006" },
  }, ["listens 5006"]],
  [{ line: "java Main", env: { JDK_JAVA_OPTIONS: '"-agentlib:jdwp=server=y,address=5007"' } }, [
    "listens 5007",
  ]],
  [{ line: "java -javaagent:/opt/idea/lib/idea_rt.jar=35001:/opt/idea/bin Main" }, ["dials 35001"]],
  [{ line: "java -jar app.jar --server.port=8080" }, []],
  [{ line: "mono --debugger-agent=transport=dt_socket,address=127.0.0.1:55555,server=y x.exe" }, [
    "listens 55555",
  ]],
  [{ line: "JetBrains.Debugger.Worker --mode=client --frontend-port=40123" }, [
    "listens 40123",
    "dials 40123",
  ]],
  // Others.
  [{ line: "ruby /usr/bin/rdbg --open --port 12345 -c -- rails s" }, ["listens 12345"]],
  [{ line: "ruby app.rb", env: { RUBY_DEBUG_PORT: "12346", RUBYOPT: "-rdebug/open" } }, ["listens 12346"]],
  [{ line: "ruby /g/bin/rdebug-ide --host 0.0.0.0 --port 1235 --dispatcher-port 26163 -- app.rb" }, [
    "listens 1235",
    "dials 26163",
    "listens 1234",
  ]],
  [{ line: "php -S 0.0.0.0:80", maps: "7f /usr/lib/php/20220829/xdebug.so\n" }, ["dials 9003"]],
  [{ line: "php -dxdebug.client_port=9004 app.php", maps: "/x/xdebug.so" }, ["dials 9004", "dials 9003"]],
  [{
    line: "php app.php",
    maps: "/x/xdebug.so",
    env: { XDEBUG_CONFIG: "client_host=10.0.0.7 client_port=9005" },
  }, [
    "dials 10.0.0.7:9005",
    "dials 10.0.0.7:9003",
  ]],
  [{ line: "php app.php", env: { XDEBUG_CONFIG: "client_port=9005" } }, []],
  [{ line: "perl -d app.pl", env: { PERLDB_OPTS: "NonStop RemotePort=127.0.0.1:8888" } }, [
    "dials 127.0.0.1:8888",
  ]],
  [{ line: "dart run --enable-vm-service=8182/0.0.0.0 app.dart" }, ["listens 8182"]],
  [{ line: "nginx -g daemon" }, []],
];

Deno.test("a program's command line and variables tell which ports are its debugger's", () => {
  for (const [given, ports] of cases) assert.deepEqual(portsOf(given), ports, JSON.stringify(given));
});

Deno.test("arguments that stand in a file of Java's are read", () => {
  const file = Deno.makeTempFileSync();
  Deno.writeTextFileSync(file, '-cp "a b.jar"\n-agentlib:jdwp=transport=dt_socket,server=y,address=*:5008\n');
  try {
    assert.deepEqual(portsOf({ line: `java @${file} Main` }), ["listens 5008"]);
    assert.deepEqual(portsOf({ line: `java @${file}.not Main` }), []);
  } finally {
    Deno.removeSync(file);
  }
});

Deno.test("a program that is a debugger itself is known by its name, or as part of debugpy", () => {
  const itself = (given: Given) => debuggerItself(program(given));
  assert.equal(itself({ line: "dlv dap --listen=127.0.0.1:2345" }), "dlv");
  assert.equal(itself({ line: "gdbserver :2345 ./app" }), "gdbserver");
  assert.equal(itself({ line: "python3 /x/debugpy/adapter --for-server 4 --port 5678" }), "debugpy");
  assert.equal(itself({ line: "python3 -m debugpy.adapter" }), "debugpy");
  assert.equal(itself({ line: "python3 -m debugpy --listen 5678 app.py" }), null);
  assert.equal(itself({ line: "node dlv" }), null);
});
