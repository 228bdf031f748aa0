// TLS to an API server on terms that Deno's fetch cannot have for one server alone: another name in the
// certificate (tls-server-name), or none of its checks (insecure-skip-tls-verify). Called by transport.ts.
// Requests go in clear over a Unix socket in a directory of this user's alone, and from there by TLS: a port
// on loopback would lend the client certificate to every user of the machine.

import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { PrivateDir } from "../net/private_dir.ts";
import type { Identity } from "./identity.ts";

export interface TunnelOptions {
  /** https://… */
  server: string;
  /** Name that the certificate must hold; undefined: the server's. */
  serverName: string | undefined;
  /** PEM of all that may vouch for the server. */
  authorities: string[];
  certificate: Identity["certificate"];
  /** False: whatever the server shows is taken. */
  verify: boolean;
}

/** An open tunnel. Dispose it to close its connections and remove its socket. */
export interface Tunnel extends Disposable {
  /** The Unix socket. */
  path: string;
  /** Why the last connection failed; what fetch says of it is only that it ended. */
  failure: Error | undefined;
}

/** Listens; connections to the server are made as they are asked for. */
export async function openTunnel(options: TunnelOptions): Promise<Tunnel> {
  const [{ createServer, isIP }, { connect }] = await Promise.all([
    import("node:net"),
    import("node:tls"),
  ]);
  const { hostname, port } = new URL(options.server);
  const host = hostname.replace(/^\[|\]$/g, "");
  const serverName = options.serverName ?? (isIP(host) === 0 ? host : undefined);
  const directory = PrivateDir.make();
  const open = new Set<Socket | TLSSocket>();
  const tunnel: Tunnel = {
    path: `${directory.path}/api.sock`,
    failure: undefined,
    [Symbol.dispose]() {
      server.close();
      for (const socket of open) socket.destroy();
      void directory[Symbol.asyncDispose]();
    },
  };
  const server = createServer((near) => {
    const far = connect({
      host,
      port: Number(port || 443),
      rejectUnauthorized: options.verify,
      ALPNProtocols: ["http/1.1"],
      ...(serverName === undefined ? {} : { servername: serverName }),
      ca: options.authorities,
      ...(options.certificate ?? {}),
    });
    let greeted = false;
    far.once("data", () => {
      greeted = true;
      tunnel.failure = undefined;
    });
    for (const [socket, other] of [[near, far], [far, near]] as const) {
      open.add(socket);
      socket.on("close", () => {
        open.delete(socket);
        other.destroy();
      });
      socket.on("error", (error: Error) => {
        if (socket === far) tunnel.failure = greeted ? error : explain(error, serverName ?? host);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.on("error", reject);
  server.listen(tunnel.path, resolve);
  await promise;
  server.unref();
  return tunnel;
}

/** Deno says of a handshake that fails for the certificate no more than UNKNOWN (tls.connect of node:tls). */
function explain(error: Error, name: string): Error {
  if (!error.message.includes("UNKNOWN")) return error;
  return new Error(`certificate not accepted for "${name}"`, { cause: error });
}
