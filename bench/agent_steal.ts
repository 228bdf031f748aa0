// What stealing costs: bytes per second, one-byte round trips and new connections through an agent and its
// link, against the same server dialled directly, in the same network namespace and the same run. Run as
// root, assets built: `deno run -A bench/agent_steal.ts`. The peer, the agent and the server (here: the
// client of the agent) are three processes.

import { type ByteChannel, connStream, SigningKey } from "../protocol-wasm/mod.ts";
import { AgentProcess, FakeClient, prove } from "../tests/support/fake_client.ts";
import { Netns } from "../tests/support/netns.ts";

const stolenPort = 80;
const directPort = 81;
const streamBytes = 256 << 20;
const roundTrips = 3000;
const connections = 500;
const self = new URL(import.meta.url).pathname;

/** What the peer measured. */
interface Figures {
  download: number;
  upload: number;
  roundTrip: number;
  connect: number;
}

/** The server: the first byte says what is asked. d: bytes down; u: bytes up, then one down; e: echo. */
async function serve(stream: ByteChannel): Promise<void> {
  const first = await stream.read();
  if (first === null) return;
  const asked = String.fromCharCode(first[0] ?? 0);
  if (asked === "d") {
    const block = new Uint8Array(65536);
    for (let sent = 0; sent < streamBytes; sent += block.length) await stream.write(block);
  } else if (asked === "u") {
    for (let bytes = await stream.read(); bytes !== null; bytes = await stream.read()) {
      stream.release?.(bytes);
    }
    await stream.write(new Uint8Array(1));
  } else {
    await stream.write(first);
    for (let bytes = await stream.read(); bytes !== null; bytes = await stream.read()) {
      await stream.write(bytes);
    }
  }
  await stream.closeWrite();
}

function channelOf(conn: Deno.TcpConn): ByteChannel {
  conn.setNoDelay(true);
  const buffer = new Uint8Array(65536);
  return {
    async read() {
      const count = await conn.read(buffer);
      return count === null ? null : buffer.subarray(0, count);
    },
    async write(bytes) {
      for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
    },
    closeWrite: () => conn.closeWrite(),
    reset: () => conn.close(),
  };
}

async function serveDirect(): Promise<void> {
  for await (const conn of Deno.listen({ hostname: "127.0.0.1", port: directPort })) {
    serve(channelOf(conn)).catch(() => {}).finally(() => conn.close());
  }
}

async function serveStolen(): Promise<void> {
  const key = await SigningKey.generate();
  await using agent = new AgentProcess({ publicKey: key.publicKey, link: { kind: "tcp", port: 0 } });
  const announced = await agent.announced();
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: announced.port });
  const proved = await prove(connStream(conn), key, { announced });
  if (proved === null) throw new Error("the agent refused its client");
  await using client = new FakeClient(agent, proved.link);
  await client.subscribe(stolenPort);
  client.handle(async ({ take, channel }) => {
    await take();
    await serve(channel).catch(() => {});
  });
  print(`idle ${residentMiB(agent.pid, "VmRSS")}`);
  await new Promise<void>((resolve) => Deno.addSignalListener("SIGTERM", resolve));
  print(`peak ${residentMiB(agent.pid, "VmHWM")}`);
  await client.goodbye();
}

function residentMiB(pid: number, field: string): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Math.round(Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1]) / 1024);
}

async function measure(port: number): Promise<Figures> {
  const dial = async (asked: string) => {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay(true);
    await conn.write(new TextEncoder().encode(asked));
    return conn;
  };
  const buffer = new Uint8Array(65536);
  const drain = async (conn: Deno.Conn) => {
    while (await conn.read(buffer) !== null);
  };
  const seconds = async (work: () => Promise<void>) => {
    const started = performance.now();
    await work();
    return (performance.now() - started) / 1000;
  };

  const download = streamBytes / await seconds(async () => {
    using conn = await dial("d");
    await drain(conn);
  });
  const upload = streamBytes / await seconds(async () => {
    using conn = await dial("u");
    for (let sent = 0; sent < streamBytes;) sent += await conn.write(buffer);
    await conn.closeWrite();
    await drain(conn);
  });
  const trips: number[] = [];
  {
    using conn = await dial("e");
    await conn.read(buffer);
    const one = new Uint8Array(1);
    for (let i = 0; i < roundTrips; i++) {
      trips.push(
        await seconds(async () => {
          await conn.write(one);
          await conn.read(buffer);
        }),
      );
    }
  }
  const dials: number[] = [];
  for (let i = 0; i < connections; i++) {
    dials.push(
      await seconds(async () => {
        using conn = await dial("e");
        await conn.read(buffer);
      }),
    );
  }
  return { download, upload, roundTrip: median(trips) * 1e6, connect: median(dials) * 1e6 };
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}

/** This program in another role, inside the namespace. */
function start(netns: Netns, role: string, ...args: string[]): Deno.ChildProcess {
  const [program = "", ...rest] = netns.inside([Deno.execPath(), "run", "-A", self, role, ...args]);
  return new Deno.Command(program, { args: rest, stdin: "null", stdout: "piped", stderr: "inherit" }).spawn();
}

async function figuresOf(netns: Netns, port: number): Promise<Figures> {
  const { stdout } = await start(netns, "peer", String(port)).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

async function run(): Promise<void> {
  await using netns = await Netns.create();
  const direct = start(netns, "direct");
  const stolen = start(netns, "stolen");
  const reader = stolen.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value: idle = "" } = await reader.read();
  const [a, b] = [await figuresOf(netns, directPort), await figuresOf(netns, stolenPort)];
  stolen.kill("SIGTERM");
  const { value: peak = "" } = await reader.read();
  await reader.cancel();
  direct.kill("SIGKILL");
  await Promise.all([direct.output().catch(() => {}), stolen.status]);
  const megabytes = (value: number) => `${Math.round(value / 1e6)} MB/s`;
  const microseconds = (value: number) => `${Math.round(value)} us`;
  print(`                 direct       stolen`);
  print(`download     ${megabytes(a.download).padStart(11)}  ${megabytes(b.download).padStart(11)}`);
  print(`upload       ${megabytes(a.upload).padStart(11)}  ${megabytes(b.upload).padStart(11)}`);
  print(`round trip   ${microseconds(a.roundTrip).padStart(11)}  ${microseconds(b.roundTrip).padStart(11)}`);
  print(`connection   ${microseconds(a.connect).padStart(11)}  ${microseconds(b.connect).padStart(11)}`);
  const ratios = [
    `download_ratio=${(b.download / a.download).toFixed(2)}`,
    `upload_ratio=${(b.upload / a.upload).toFixed(2)}`,
    `rtt_ratio=${(b.roundTrip / a.roundTrip).toFixed(2)}`,
    `connect_ratio=${(b.connect / a.connect).toFixed(2)}`,
  ];
  print(
    `agent_steal ${ratios.join(" ")} idle_mib=${idle.replace(/\D/g, "")} peak_mib=${peak.replace(/\D/g, "")}`,
  );
}

const [role = "run", argument] = Deno.args;
if (role === "peer") print(JSON.stringify(await measure(Number(argument))));
else if (role === "direct") await serveDirect();
else if (role === "stolen") await serveStolen();
else await run();
