// `mirrord ui`: a page on this machine that shows the sessions of this user, until it is interrupted.

import { exitCodes, MirrordError } from "../core/base/errors.ts";
import { log } from "../core/base/log.ts";
import type { UiCommand } from "./commands.ts";
import { PageServer } from "./page/page_server.ts";
import { printLine } from "./ui.ts";

const ending: Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** Prints the page's address, and serves it until a signal comes. */
export async function page({ port }: UiCommand): Promise<number> {
  const interrupted = Promise.withResolvers<void>();
  for (const signal of ending) Deno.addSignalListener(signal, interrupted.resolve);
  await using server = serve(port ?? 0);
  printLine(server.address);
  log.info("The address works once, in one browser; Ctrl-C ends the page");
  await interrupted.promise;
  return 0;
}

function serve(port: number): PageServer {
  try {
    return new PageServer(port);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.AddrInUse || cause instanceof Deno.errors.PermissionDenied)) {
      throw cause;
    }
    throw new MirrordError(`Cannot serve the page at port ${port}: ${cause.message}`, {
      help: "Without --port a free one is taken.",
      exitCode: exitCodes.unavailable,
    });
  }
}
