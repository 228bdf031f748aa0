// The ports of this machine that `-L` names. Opened by forwarder.ts before anything else is made, and kept
// over the loss of an agent. Invariant: all of them are open, or none.

import { exitCodes, MirrordError } from "../../base/errors.ts";
import type { TcpListener } from "../../net/platform.ts";
import { SystemError } from "../../net/system_error.ts";
import { platform } from "../../net/this_platform.ts";
import { addressText } from "../../net/address.ts";
import type { LocalForward } from "./written.ts";

const { listenTcp } = await platform.network();

/** An open port, and the forward that it is for; `at` has the port that was chosen for 0. */
export type LocalPort =
  & { forward: LocalForward }
  & ({ protocol: "tcp"; listener: TcpListener } | { protocol: "udp"; conn: Deno.DatagramConn });

/** Why a port cannot be had (listen(2), bind(2)). */
const states: Readonly<Record<string, [state: string, help: string]>> = {
  EADDRINUSE: ["another program listens there", "Choose another port of this machine, or 0 for any free one"],
  EACCES: ["this user may not listen there", "Choose a port from 1024 upwards"],
  EADDRNOTAVAIL: [
    "this machine has no such address",
    "Leave the address out for 127.0.0.1, or write one that it has",
  ],
  EAFNOSUPPORT: ["this machine has no addresses of that family", "Leave the address out for 127.0.0.1"],
};

/** Opens every port. Throws MirrordError that names the one that cannot be had. */
export function openLocalPorts(forwards: readonly LocalForward[]): LocalPort[] {
  const open: LocalPort[] = [];
  try {
    for (const forward of forwards) open.push(openOne(forward));
    return open;
  } catch (error) {
    for (const port of open) closePort(port);
    throw error;
  }
}

/** Nothing comes to it any more. */
export function closePort(port: LocalPort): void {
  if (port.protocol === "tcp") port.listener.close();
  else port.conn.close();
}

function openOne(forward: LocalForward): LocalPort {
  const { protocol, at } = forward;
  try {
    if (protocol === "tcp") {
      const listener = listenTcp(at);
      return { protocol, listener, forward: { ...forward, at: { ...at, port: listener.address.port } } };
    }
    const conn = Deno.listenDatagram({ transport: "udp", hostname: at.address, port: at.port });
    const { port } = conn.addr as Deno.NetAddr;
    return { protocol, conn, forward: { ...forward, at: { ...at, port } } };
  } catch (error) {
    const code = codeOf(error);
    const [state, help] = states[code ?? ""] ?? ["the system refuses it", undefined];
    throw new MirrordError(`Cannot listen on "${addressText(at)}": ${state}`, {
      ...(help === undefined ? { cause: error } : { help: `${help} (-L ${forward.written}).` }),
      exitCode: code === "EACCES" ? exitCodes.permission : exitCodes.conflict,
    });
  }
}

/** The errno's name. */
function codeOf(error: unknown): string | undefined {
  if (error instanceof SystemError) return error.message.replace(/^.*: /, "");
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}
