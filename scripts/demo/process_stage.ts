// The demo's stage without a cluster: a service in a network and a mount namespace of its own, and a second
// network namespace for its clients. Made by demo.ts; disposing it ends the service and removes both
// namespaces.

import { app, type Facts, type Stage } from "./stage.ts";

const service = `mirrord-demo-service-${Deno.pid}`;
const clients = `mirrord-demo-clients-${Deno.pid}`;
const address = "192.0.2.2";
const ledgerAddress = "192.0.2.1";
const ledger = decodeURIComponent(new URL("./ledger.py", import.meta.url).pathname);
/** The service's own files: a hosts file that knows the ledger, and one text. */
const files = `
set -e
mount -t tmpfs demo /srv
mkdir /srv/demo
echo "one pod, many developers" > /srv/demo/motto.txt
printf '127.0.0.1 localhost\\n${ledgerAddress} ledger\\n' > /srv/hosts
mount --bind /srv/hosts /etc/hosts
exec "$@"
`;
/** A request by the standard library; prints the answer. */
export const client = `
import sys, urllib.request
sys.stdout.write(urllib.request.urlopen(f"http://{sys.argv[1]}/", timeout=10).read().decode())
`;

/** Runs a command to its end and returns its output. */
export async function output(argv: string[]): Promise<string> {
  const [program = "", ...args] = argv;
  const result = await new Deno.Command(program, { args, stdin: "null" }).output();
  if (!result.success) {
    throw new Error(`Cannot run "${argv.join(" ")}": ${new TextDecoder().decode(result.stderr).trim()}`);
  }
  return new TextDecoder().decode(result.stdout);
}

/** Starts the service and waits until it answers. Needs root: namespaces are made. */
export async function processStage(): Promise<Stage> {
  if (Deno.uid() !== 0) {
    throw new Error('Cannot make namespaces: the demo needs root. Run "sudo ./dev demo".');
  }
  const undo: (() => Promise<unknown>)[] = [];
  const dispose = async (): Promise<void> => {
    for (const step of undo.reverse()) await step();
  };
  try {
    for (const name of [service, clients]) {
      await output(["ip", "netns", "add", name]);
      undo.push(() => output(["ip", "netns", "delete", name]));
      await output(["ip", "-n", name, "link", "set", "lo", "up"]);
    }
    await output([
      "ip",
      "link",
      "add",
      "eth0",
      "netns",
      service,
      "type",
      "veth",
      "peer",
      "name",
      "eth0",
      "netns",
      clients,
    ]);
    for (const [name, own] of [[service, address], [clients, ledgerAddress]] as const) {
      await output(["ip", "-n", name, "address", "add", `${own}/24`, "dev", "eth0"]);
      await output(["ip", "-n", name, "link", "set", "eth0", "up"]);
    }
    const original = start(service, [
      "unshare",
      "--mount",
      "--",
      "sh",
      "-c",
      files,
      "sh",
      "python3",
      app,
      "the original",
    ]);
    const other = start(clients, ["python3", ledger]);
    for (const child of [original, other]) {
      undo.push(async () => {
        child.kill("SIGKILL");
        await child.status;
      });
    }
    await listening(original.pid, 80);
    await listening(other.pid, 8080);
    return {
      description:
        `Process ${original.pid} in namespaces of its own, at ${address}:80: variable, name, ledger and file are there only.`,
      target: ["--target", `process/${original.pid}`],
      cliPrefix: [],
      ask: async () =>
        parseAnswer(await output(["ip", "netns", "exec", clients, "python3", "-c", client, address])),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** What the program says of itself. */
export function parseAnswer(text: string): Facts {
  return JSON.parse(text);
}

function start(namespace: string, argv: string[]): Deno.ChildProcess {
  return new Deno.Command("nsenter", {
    args: [`--net=/run/netns/${namespace}`, ...argv],
    clearEnv: true,
    env: { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin", DEMO_GREETING: "hello from the target" },
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
}

/** Resolves when process `pid`'s network namespace has a listener on `port`. */
async function listening(pid: number, port: number): Promise<void> {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  for (let attempt = 0; attempt < 500; attempt++) {
    const table = await Deno.readTextFile(`/proc/${pid}/net/tcp`);
    if (table.includes(`:${hex} 00000000:0000 0A`)) return;
    // The kernel has no event for "a listener appeared": looking again is what is left.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("Cannot start the demo's service: it does not listen");
}
