// What `mirrord explain` is asked about: a path, a host name or an address, perhaps with a port, or a port of
// the app. Called by explain.ts.

import { parseIp } from "../protocol-wasm/mod.ts";
import { exitCodes, MirrordError } from "../core/base/errors.ts";

/** The argument, read. */
export type What =
  | { kind: "path"; path: string }
  | { kind: "port"; port: number }
  | { kind: "host"; host: string; port: number | null };

const lastPort = 65_535;

/** Throws MirrordError (2) for what is none of them. */
export function readWhat(text: string): What {
  const refused = (state: string): MirrordError =>
    new MirrordError(`Cannot explain "${text}": ${state}`, {
      exitCode: exitCodes.usage,
      help:
        "Give a path (/data/x, ./x), a host (db, db:5432, 10.0.0.1, [::1]:80), or a port of your program (3000).",
    });
  const readPort = (digits: string): number => {
    const port = Number(digits);
    if (port >= 1 && port <= lastPort) return port;
    throw refused(`${digits} is not a port from 1 to ${lastPort}`);
  };
  const [, own] = /^:?(\d+)$/.exec(text) ?? [];
  if (own !== undefined) return { kind: "port", port: readPort(own) };
  if (/^\.{0,2}\//.test(text)) return { kind: "path", path: text };
  if (text.includes(":") && isAddress(text)) return { kind: "host", host: text, port: null };
  const [, bracketed, name, port] = /^(?:\[([^\]]*)\]|([^\s:/[\]]+))(?::(\d+))?$/.exec(text) ?? [];
  const host = bracketed ?? name;
  if (host === undefined || (bracketed !== undefined && !isAddress(bracketed))) {
    throw refused("it is neither a path, a host nor a port");
  }
  return { kind: "host", host, port: port === undefined ? null : readPort(port) };
}

function isAddress(text: string): boolean {
  return (parseIp(text)?.family ?? 0) !== 0;
}
