// Work that a client hands to a process outside the session is named, once: real clients with daemons that
// were there before. The same daemons started inside the session, and what runs nothing for the app, are not.

import assert from "node:assert/strict";
import { sentenceOf } from "../../cmd/session_sentences.ts";
import { App } from "../support/layer_app.ts";
import { OutgoingStage } from "../support/outgoing_stage.ts";
import { pm2Script } from "../support/packages.ts";
import { until } from "../cluster/command.ts";

interface Place {
  stage: OutgoingStage;
  folder: string;
  /** Runs a program to its end, in the session or beside it. */
  inside(argv: string[]): Promise<string>;
  beside(argv: string[]): Promise<string>;
  /** The session's lines about work that was handed over. */
  said: string[];
}

async function withPlace(body: (place: Place) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mirrord-handed-" });
  const said: string[] = [];
  try {
    await using stage = await OutgoingStage.create({
      config: { ignoreLocalhost: true },
      emit: (event) => void (event.type === "handedOver" && said.push(sentenceOf(event)?.text ?? "")),
    });
    const env = { PM2_HOME: `${folder}/pm2`, HOME: folder, TERM: "xterm" };
    const beside = async (argv: string[]) => {
      const [program = "", ...args] = argv;
      const { stdout, stderr } = await new Deno.Command(program, { args, env, stdin: "null" }).output();
      return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    };
    const inside = async (argv: string[]) => {
      await using app = new App(stage, argv, { env });
      await app.status;
      return await app.errors;
    };
    await body({ stage, folder, inside, beside, said });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A process that listens at `path` and does nothing; `name` is its own name. */
async function listener(path: string, name: string): Promise<Deno.ChildProcess> {
  const script = `
import socket, sys
open("/proc/self/comm", "w").write(${JSON.stringify(name)})
one = socket.socket(socket.AF_UNIX)
one.bind(${JSON.stringify(path)})
one.listen()
while True: one.accept()`;
  const child = new Deno.Command("python3", { args: ["-c", script], stdin: "null" }).spawn();
  await until(`${name} listens`, () => Promise.resolve(exists(path) || "no socket"), 20);
  return child;
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path) !== null;
  } catch {
    return false;
  }
}

/** Connects to the Unix sockets, each twice. */
const meet = (...paths: string[]) => [
  "python3",
  "-c",
  "import socket, sys\nfor path in sys.argv[1:] * 2: socket.socket(socket.AF_UNIX).connect(path)",
  ...paths,
];

Deno.test("tmux's server from before is named, one of the session's own is not", () =>
  withPlace(async ({ folder, inside, beside, said }) => {
    const tmux = (name: string, ...words: string[]) => ["tmux", "-S", `${folder}/${name}`, ...words];
    try {
      await inside(tmux("own", "new-session", "-d"));
      await inside(tmux("own", "new-window", "-d"));
      assert.deepEqual(said, []);
      await beside(tmux("other", "new-session", "-d"));
      await inside(tmux("other", "new-window", "-d"));
      await inside(tmux("other", "new-window", "-d"));
      assert.equal(said.length, 1, said.join("\n"));
      assert.match(said[0] ?? "", /to tmux \(process \d+\).* runs outside the pod/);
    } finally {
      for (const name of ["own", "other"]) await beside(tmux(name, "kill-server"));
    }
  }));

Deno.test("pm2's daemon from before is named, one of the session's own is not", () =>
  withPlace(async ({ folder, inside, beside, said }) => {
    const pm2 = ["node", await pm2Script()];
    await Deno.writeTextFile(`${folder}/app.js`, "setInterval(() => {}, 1000)");
    try {
      await inside([...pm2, "start", `${folder}/app.js`]);
      await inside([...pm2, "list"]);
      assert.deepEqual(said, []);
      await beside([...pm2, "kill"]);
      await beside([...pm2, "ping"]);
      await inside([...pm2, "start", `${folder}/app.js`]);
      assert.equal(said.length, 1, said.join("\n"));
      assert.match(said[0] ?? "", /to pm2 \(process \d+\)/);
    } finally {
      await beside([...pm2, "kill"]);
    }
  }));

Deno.test("Docker's socket is named by its path, whichever process listens", () =>
  withPlace(async ({ folder, inside, said }) => {
    const docker = await listener(`${folder}/docker.sock`, "systemd");
    try {
      await inside(meet(`${folder}/docker.sock`));
      assert.equal(said.length, 1, said.join("\n"));
    } finally {
      docker.kill("SIGKILL");
      await docker.status;
    }
  }));

Deno.test("databases, agents and desktops are not named", () =>
  withPlace(async ({ folder, inside, beside, said }) => {
    const names = [
      "postgres",
      "mysqld",
      "Xorg",
      "dbus-daemon",
      "nscd",
      "rsyslogd",
      "ssh-agent",
      "gpg-agent",
      "pipewire",
      "systemd",
    ];
    const all = await Promise.all(names.map((name) => listener(`${folder}/${name}.sock`, name)));
    const redis = [
      "redis-server",
      "--port",
      "0",
      "--unixsocket",
      `${folder}/redis.sock`,
      "--daemonize",
      "yes",
    ];
    await beside([...redis, "--dir", folder, "--pidfile", `${folder}/redis.pid`]);
    try {
      await until("redis listens", () => Promise.resolve(exists(`${folder}/redis.pid`) || "no file"), 20);
      await inside(meet(`${folder}/redis.sock`, ...names.map((name) => `${folder}/${name}.sock`)));
      assert.deepEqual(said, []);
    } finally {
      Deno.kill(Number(Deno.readTextFileSync(`${folder}/redis.pid`)), "SIGKILL");
      for (const one of all) {
        one.kill("SIGKILL");
        await one.status;
      }
    }
  }));

Deno.test("a build daemon on this machine's loopback is named where loopback stays here", () =>
  withPlace(async ({ folder, inside, said }) => {
    const script = `
import socket, sys, time
one = socket.socket()
one.bind(("127.0.0.1", 0))
one.listen()
open(sys.argv[1], "w").write(str(one.getsockname()[1]))
while True: one.accept()`;
    const words = ["-c", script, `${folder}/port`, "org.gradle.launcher.daemon.bootstrap.GradleDaemon"];
    const daemon = new Deno.Command("python3", { args: words, stdin: "null" }).spawn();
    try {
      await until("it listens", () => Promise.resolve(exists(`${folder}/port`) || "no file"), 20);
      const port = Deno.readTextFileSync(`${folder}/port`);
      const dial = `import socket; socket.create_connection(("127.0.0.1", ${port}))`;
      await inside(["python3", "-c", dial]);
      assert.equal(said.length, 1, said.join("\n"));
      assert.match(said[0] ?? "", /to Gradle \(process/);
    } finally {
      daemon.kill("SIGKILL");
      await daemon.status;
    }
  }));
