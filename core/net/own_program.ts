// How to start mirrord again. Called where an agent or a session is a process of its own.

import { hasRawBytes } from "../base/os_text.ts";
import { platform } from "./this_platform.ts";

/** The words that run this very program: the compiled binary, or main.ts by the Deno that runs us. */
export async function ownProgram(): Promise<string[]> {
  if (Deno.build.standalone) {
    if (Deno.build.os !== "linux") return [Deno.execPath()];
    const { readLink } = await platform.files();
    const path = readLink("/proc/self/exe") ?? "";
    return [path === "" || hasRawBytes(path) ? `/proc/${Deno.pid}/exe` : path];
  }
  const main = new URL("../../main.ts", import.meta.url);
  const config = new URL("../../deno.json", import.meta.url);
  return [Deno.execPath(), "run", "-A", "--quiet", "--config", config.pathname, main.pathname];
}
