// What the agent takes of the target's memory: at rest, with a client that has stolen a port and asked for
// variables, names and files; and at most, under bodies of 1 GiB both ways and 1,000 connections at a time.
// Called by start.ts and incoming.ts; needs root and dist/. Counted is the resident set (proc_pid_status(5),
// VmRSS and VmHWM): the program's own pages in it are shared by all agents of a node and can be dropped, the
// rest (`anon`) cannot.

import { agentMessages, type ByteChannel, decode } from "../protocol-wasm/mod.ts";
import { FakeClient, type Offered } from "../tests/support/fake_client.ts";
import { Netns } from "../tests/support/netns.ts";
import { binary } from "../tests/support/program.ts";
import { figure, serve } from "./load.ts";
import { compileLoad } from "./load.ts";

const stolenPort = 80;
const bodyBytes = 1 << 30;
const connections = 1000;
const loadSeconds = 5;
/** When start-up's garbage is gone. */
const restMilliseconds = 8000;

export interface AgentMemory {
  idleMiB: number;
  /** Of it what is not the program's own file. */
  idleAnonMiB: number;
  peakMiB: number;
}

/** Measures one agent's life. `program`: the compiled program. */
export async function agentMemory(program = binary): Promise<AgentMemory> {
  const folder = Deno.makeTempDirSync();
  try {
    const load = await compileLoad(folder, "dynamic");
    await using netns = await Netns.create();
    await using client = await FakeClient.start(netns, { binary: program });
    const { pid } = client.agent;
    await client.subscribe(stolenPort);
    await ask(client);
    await new Promise((resolve) => setTimeout(resolve, restMilliseconds));
    const [idleMiB, idleAnonMiB] = [mebibytes(pid, "VmRSS"), mebibytes(pid, "RssAnon")];
    const port = freePort();
    await using _server = await serve([load, "serve", String(port)]);
    client.handle((offered) => void relay(offered, port).catch(() => {}));
    const place = [netns.ipv4, String(stolenPort)];
    await figure([load, "down", ...place, String(bodyBytes)]);
    await figure([load, "up", ...place, String(bodyBytes)]);
    await figure([load, "http", ...place, String(loadSeconds), String(connections)]);
    return { idleMiB, idleAnonMiB, peakMiB: mebibytes(pid, "VmHWM") };
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** One request of each other floor. */
async function ask({ link }: FakeClient): Promise<void> {
  await link.request("env", { include: "", exclude: "" });
  await link.request("lookup", { name: "localhost", family: 4, flags: 0 });
  const path = new TextEncoder().encode("/etc/hostname");
  const asked = { dir: 0, flags: 0, mode: 0, whole: 1 << 18, ahead: 0, path };
  const [frame] = await link.request("open", asked);
  decode(agentMessages.openReply, frame?.body ?? new Uint8Array());
}

/** The client's side of a stolen connection: the app is a server of its own. */
async function relay({ take, channel }: Offered, port: number): Promise<void> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conn.setNoDelay(true);
  await take();
  await Promise.all([pump(channel, conn), drain(conn, channel)]).catch(() => channel.reset());
  conn.close();
}

async function pump(from: ByteChannel, to: Deno.TcpConn): Promise<void> {
  for (let bytes = await from.read(); bytes !== null; bytes = await from.read()) {
    for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
  }
  await to.closeWrite();
}

async function drain(from: Deno.TcpConn, to: ByteChannel): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
    await to.write(buffer.subarray(0, count));
  }
  await to.closeWrite();
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

function mebibytes(pid: number, field: string): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1]) / 1024;
}

if (import.meta.main) {
  const { idleMiB, idleAnonMiB, peakMiB } = await agentMemory(Deno.args[0]);
  const line = `idle ${idleMiB.toFixed(0)} MiB, anonymous ${idleAnonMiB.toFixed(0)}, peak ${
    peakMiB.toFixed(0)
  }\n`;
  Deno.stdout.writeSync(new TextEncoder().encode(line));
  Deno.exit(0);
}
