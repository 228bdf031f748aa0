// What mirroring costs the target: bytes per second to it, one-byte round trips and new connections, with
// nobody looking, with an agent that mirrors another port, and with one that mirrors this port, in turns in
// the same run. Also how much of it the mirror got, and the agent's memory. Run as root, assets built: `deno
// run -A bench/agent_mirror.ts`.

import { FakeClient } from "../tests/support/fake_client.ts";
import { Netns } from "../tests/support/netns.ts";
import { median, report } from "./measure.ts";

const port = 80;
const otherPort = 81;
const streamBytes = 256 << 20;
const roundTrips = 2000;
const connections = 500;
const rounds = 3;
const self = new URL(import.meta.url).pathname;

interface Figures {
  /** Bytes per second. */
  upload: number;
  /** Microseconds. */
  roundTrip: number;
  connect: number;
}

/** The target: reads to the end and answers with a byte (u), or sends back each byte (e). */
async function serve(): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port });
  report("listening");
  for await (const conn of listener) answer(conn).catch(() => {}).finally(() => conn.close());
}

async function answer(conn: Deno.TcpConn): Promise<void> {
  conn.setNoDelay(true);
  const buffer = new Uint8Array(65536);
  const first = await conn.read(buffer.subarray(0, 1));
  if (first === null) return;
  const echoes = buffer[0] === 101; // "e"
  if (echoes) await conn.write(buffer.subarray(0, 1));
  for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
    if (echoes) await conn.write(buffer.subarray(0, count));
  }
  if (!echoes) await conn.write(buffer.subarray(0, 1));
}

async function measure(): Promise<Figures> {
  const dial = async (asked: string) => {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay(true);
    await conn.write(new TextEncoder().encode(asked));
    return conn;
  };
  const seconds = async (work: () => Promise<unknown>) => {
    const started = performance.now();
    await work();
    return (performance.now() - started) / 1000;
  };
  const buffer = new Uint8Array(65536);
  const upload = streamBytes / await seconds(async () => {
    using conn = await dial("u");
    for (let sent = 0; sent < streamBytes;) sent += await conn.write(buffer);
    await conn.closeWrite();
    await conn.read(buffer);
  });
  const trips: number[] = [];
  {
    using conn = await dial("e");
    await conn.read(buffer);
    for (let i = 0; i < roundTrips; i++) {
      trips.push(
        await seconds(async () => {
          await conn.write(buffer.subarray(0, 1));
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
  return { upload, roundTrip: median(trips) * 1e6, connect: median(dials) * 1e6 };
}

/** This program in another role, inside the namespace. */
function start(netns: Netns, role: string): Deno.ChildProcess {
  const [program = "", ...args] = netns.inside([Deno.execPath(), "run", "-A", self, role]);
  return new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "inherit" }).spawn();
}

async function figures(netns: Netns): Promise<Figures> {
  const { stdout } = await start(netns, "peer").output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** The figures with an agent that mirrors `mirrored`, what its session got, and its memory. */
async function withAgent(
  netns: Netns,
  mirrored: number,
): Promise<{ figures: Figures; got: number; mib: number }> {
  await using client = await FakeClient.start(netns, { mode: "mirror" });
  await client.mirror(mirrored);
  let got = 0;
  client.handle(async ({ take, channel }) => {
    try {
      await take();
      for (let bytes = await channel.read(); bytes !== null; bytes = await channel.read()) {
        got += bytes.length;
      }
      await channel.closeWrite();
    } catch {
      // It was too much, or all is over.
    }
  });
  const measured = await figures(netns);
  const status = Deno.readTextFileSync(`/proc/${client.agent.pid}/status`);
  const mib = Math.round(Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) / 1024);
  return { figures: measured, got, mib };
}

async function run(): Promise<void> {
  await using netns = await Netns.create();
  const server = start(netns, "server");
  const reader = server.stdout.getReader();
  await reader.read();
  await reader.cancel();
  const all: { alone: Figures; beside: Figures; mirrored: Figures; got: number; mib: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    const alone = await figures(netns);
    const beside = await withAgent(netns, otherPort);
    const mirrored = await withAgent(netns, port);
    all.push({
      alone,
      beside: beside.figures,
      mirrored: mirrored.figures,
      got: mirrored.got,
      mib: mirrored.mib,
    });
  }
  server.kill("SIGKILL");
  await server.status;
  const row = (name: string, of: (one: Figures) => number, unit: string) => {
    const columns = (["alone", "beside", "mirrored"] as const).map((key) =>
      `${Math.round(median(all.map((one) => of(one[key]))))} ${unit}`.padStart(14)
    );
    report(`${name.padEnd(12)}${columns.join("")}`);
  };
  report("                     alone   other port      mirrored");
  row("upload", ({ upload }) => upload / 1e6, "MB/s");
  row("round trip", ({ roundTrip }) => roundTrip, "us");
  row("connection", ({ connect }) => connect, "us");
  const ratio = (of: (one: Figures) => number, key: "beside" | "mirrored") =>
    median(all.map((one) => of(one[key]) / of(one.alone))).toFixed(2);
  const sent = streamBytes + roundTrips + connections;
  report(
    `agent_mirror upload_ratio=${ratio(({ upload }) => upload, "mirrored")} ` +
      `rtt_ratio=${ratio(({ roundTrip }) => roundTrip, "mirrored")} ` +
      `connect_ratio=${ratio(({ connect }) => connect, "mirrored")} ` +
      `other_port_upload_ratio=${ratio(({ upload }) => upload, "beside")} ` +
      `copied=${median(all.map(({ got }) => got / sent)).toFixed(2)} ` +
      `peak_mib=${median(all.map(({ mib }) => mib))}`,
  );
}

const [role = "run"] = Deno.args;
if (role === "server") await serve();
else if (role === "peer") report(JSON.stringify(await measure()));
else await run();
