// A failed call of the operating system. Its errno is Linux's on every platform, as on the two links. Used
// wherever such calls are made or awaited.

import { constants } from "node:os";

export { E } from "../../protocol-wasm/mod.ts";

/** A call the kernel refused: which call, and its errno. */
export class SystemError extends Error {
  readonly call: string;
  readonly errno: number;

  constructor(call: string, code: number) {
    super(`${call}: ${errnoName(code)}`);
    this.name = "SystemError";
    this.call = call;
    this.errno = code;
  }
}

const names = new Map(Object.entries(constants.errno).map(([name, code]) => [code, name]));

/** "ECONNREFUSED" for 111, "errno 4095" for what has no name. */
export function errnoName(code: number): string {
  return names.get(code) ?? `errno ${code}`;
}
