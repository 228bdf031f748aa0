// Whether the TCP sockets of running processes wait with small writes (TCP_NODELAY), asked of the sockets
// themselves. Needs root.

import { run } from "../cluster/command.ts";

const script = decodeURIComponent(new URL("../apps/no_delay.py", import.meta.url).pathname);

/** A connected TCP socket of process `pid`. */
export interface TcpSocket {
  pid: number;
  peerPort: number;
  noDelay: boolean;
}

/** Those of all `pids`. */
export async function tcpSockets(pids: number[]): Promise<TcpSocket[]> {
  const printed = await run(["/usr/bin/python3", script, ...pids.map(String)]);
  return printed.split("\n").filter(Boolean).map((line) => {
    const [pid = 0, peerPort = 0, noDelay] = line.split(" ").map(Number);
    return { pid, peerPort, noDelay: noDelay !== 0 };
  });
}
