// No service stays forbidden: the policy that ./dev lays while it installs packages goes with every end of
// the installation, and one that was left by a SIGKILL goes with the next run. In a mount namespace of its
// own, with an apt-get that waits.

import assert from "node:assert/strict";
import { exists, root } from "./step.ts";

const script = `${root}scripts/install_packages.sh`;
const ignore = Deno.uid() !== 0;

/** apt-get says when it installs, then waits for a line; /usr/sbin and /run are folders of the test's. */
const apt = `#!/bin/sh
case "$*" in *install*) echo installing >&2; read -r line <"$WAIT"; echo done >&2 ;; esac
`;
const wrapper = `mount --bind "$SBIN" /usr/sbin && mount --bind "$RUN" /run && exec "$@"`;

class Machine implements Disposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "mirrord-install-" });
  readonly policy = `${this.folder}/sbin/policy-rc.d`;

  static async make(): Promise<Machine> {
    const machine = new Machine();
    Deno.mkdirSync(`${machine.folder}/sbin`);
    Deno.mkdirSync(`${machine.folder}/bin`);
    Deno.mkdirSync(`${machine.folder}/run`);
    Deno.writeTextFileSync(`${machine.folder}/bin/apt-get`, apt, { mode: 0o755 });
    await new Deno.Command("mkfifo", { args: [`${machine.folder}/wait`] }).output();
    return machine;
  }

  run(...packages: string[]): Installation {
    const child = new Deno.Command("unshare", {
      args: ["--mount", "--propagation", "private", "sh", "-c", wrapper, "sh", script, ...packages],
      env: {
        PATH: `${this.folder}/bin:/usr/bin:/bin`,
        SBIN: `${this.folder}/sbin`,
        RUN: `${this.folder}/run`,
        WAIT: `${this.folder}/wait`,
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    return new Installation(child, this);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

class Installation {
  readonly child: Deno.ChildProcess;
  readonly #machine: Machine;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #output: ReadableStreamDefaultReader<string>;

  constructor(child: Deno.ChildProcess, machine: Machine) {
    this.child = child;
    this.#machine = machine;
    this.#lines = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
    this.#output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Waits until it has to wait for another one. */
  async waiting(): Promise<void> {
    const { value } = await this.#output.read();
    assert.match(value ?? "", /^Waiting for another/);
  }

  /** Waits until apt-get installs. */
  async installing(): Promise<this> {
    const { value } = await this.#lines.read();
    assert.equal(value, "installing\n");
    return this;
  }

  /** Lets apt-get end, and returns the exit code of the whole. */
  async finish(): Promise<number> {
    Deno.writeTextFileSync(`${this.#machine.folder}/wait`, "\n");
    return await this.code();
  }

  async code(): Promise<number> {
    const { code } = await this.child.status;
    await this.#lines.cancel();
    await this.#output.cancel();
    return code;
  }
}

Deno.test("services are forbidden while packages are installed, and not after", { ignore }, async () => {
  using machine = await Machine.make();
  const run = await machine.run("nginx").installing();
  const { code } = await new Deno.Command(machine.policy).output();
  assert.equal(code, 101);
  assert.equal(await run.finish(), 0);
  assert.ok(!exists(machine.policy));
});

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const) {
  Deno.test(`nothing stays after ${signal}`, { ignore }, async () => {
    using machine = await Machine.make();
    const run = await machine.run("nginx").installing();
    run.child.kill(signal);
    assert.equal(await run.finish(), code);
    assert.ok(!exists(machine.policy));
  });
}

Deno.test(
  "what a SIGKILL left goes with the next run, but not while apt-get lives on",
  { ignore },
  async () => {
    using machine = await Machine.make();
    const killed = await machine.run("nginx").installing();
    killed.child.kill("SIGKILL");
    await killed.child.status;
    assert.ok(exists(machine.policy));
    assert.equal(await machine.run().code(), 0);
    assert.ok(exists(machine.policy), "apt-get still installs");

    Deno.writeTextFileSync(`${machine.folder}/wait`, "\n");
    await killed.code();
    // Its end closes the lock: the next run waits for that, and takes the policy over.
    const next = await machine.run("redis").installing();
    assert.equal(await next.finish(), 0);
    assert.ok(!exists(machine.policy));
  },
);

Deno.test("a second installation waits for the first", { ignore }, async () => {
  using machine = await Machine.make();
  const first = await machine.run("nginx").installing();
  const second = machine.run("redis");
  await second.waiting();
  assert.equal(await first.finish(), 0);
  await second.installing();
  assert.equal(await second.finish(), 0);
  assert.ok(!exists(machine.policy));
});

Deno.test("a stale one goes although nothing is to be installed", { ignore }, async () => {
  using machine = await Machine.make();
  const mark = Deno.readTextFileSync(script).match(/^mark='(.*)'$/m)?.[1];
  Deno.writeTextFileSync(machine.policy, `#!/bin/sh\n${mark}\nexit 101\n`, { mode: 0o755 });
  assert.equal(await machine.run().code(), 0);
  assert.ok(!exists(machine.policy));
});

Deno.test("a policy of somebody else stays as it is", { ignore }, async () => {
  using machine = await Machine.make();
  Deno.writeTextFileSync(machine.policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  assert.equal(await (await machine.run("nginx").installing()).finish(), 0);
  assert.equal(await machine.run().code(), 0);
  assert.equal(Deno.readTextFileSync(machine.policy), "#!/bin/sh\nexit 101\n");
});

Deno.test("./dev removes a stale one before anything else", () => {
  const dev = Deno.readTextFileSync(`${root}dev`);
  const mark = Deno.readTextFileSync(script).match(/^mark='(.*)'$/m)?.[1] ?? "";
  const known = dev.match(/grep -qs '\^(.*)' \/usr\/sbin\/policy-rc\.d/)?.[1] ?? "-";
  assert.ok(mark.startsWith(known));
  assert.match(dev, /clean_up\n\tneed_packages/);
});
