// The demo's stage without a cluster: a service in a network and a mount namespace of its own, and a second network
// namespace for its clients. Made by demo.ts; disposing it ends the service and removes both namespaces.

import { app, type Stage } from "./demo.ts";

const service = `mirrord-demo-service-${Deno.pid}`;
const clients = `mirrord-demo-clients-${Deno.pid}`;
const address = "192.0.2.2";
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
    for (const [name, own] of [[service, address], [clients, "192.0.2.1"]] as const) {
      await output(["ip", "-n", name, "address", "add", `${own}/24`, "dev", "eth0"]);
      await output(["ip", "-n", name, "link", "set", "eth0", "up"]);
    }
    const original = startService();
    undo.push(async () => {
      original.kill("SIGKILL");
      await original.status;
    });
    await listening(original.pid);
    return {
      description:
        `A service (process ${original.pid}) in namespaces of its own, at ${address}:80, with DEMO_GREETING set there only.`,
      argv: ["exec", "--target", `process/${original.pid}`, "--steal", "--", "python3", app, "your machine"],
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

/** "who TAB variable TAB client". */
export function parseAnswer(text: string): { who: string; variable: string; client: string } {
  const [who = "", variable = "", client = ""] = text.trim().split("\t");
  return { who, variable, client };
}

function startService(): Deno.ChildProcess {
  return new Deno.Command("nsenter", {
    args: [`--net=/run/netns/${service}`, "unshare", "--mount", "--", "python3", app, "the original"],
    clearEnv: true,
    env: { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin", DEMO_GREETING: "hello from the service" },
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
}

/** Resolves when process `pid` has a listener in its network namespace. */
async function listening(pid: number): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    const table = await Deno.readTextFile(`/proc/${pid}/net/tcp`);
    if (table.includes(":0050 00000000:0000 0A")) return;
    // The kernel has no event for "a listener appeared": looking again is what is left.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("Cannot start the demo's service: it does not listen on port 80");
}
