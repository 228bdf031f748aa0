// Where the control sockets of this user's sessions lie: a folder that nobody else may enter, with a socket
// for each session, named after its id and its process. Called by control.ts and sessions.ts.

import { hasRawBytes } from "../base/os_text.ts";
import { variable } from "../base/variables.ts";
import { socketPathBytes } from "../../protocol-wasm/mod.ts";

/** A session's socket, by its name. */
export interface SocketName {
  id: string;
  pid: number;
  path: string;
}

/** "/3f9a01c2.4711.sock": so many bytes at most, and a zero (unix(7)). */
const nameBytes = 1 + 8 + 1 + 10 + 5 + 1;
const named = /^([0-9a-f]{8})\.(\d{1,10})\.sock$/;

/** The folders in which sessions may be looked for; a session takes the first that it can have. */
export function controlFolders(): string[] {
  const [runtime, cache, home] = ["XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "HOME"].map(variable);
  const folders = [
    ...(isUsable(runtime) && isOwn(runtime) ? [`${runtime}/mirrord`] : []),
    ...(isUsable(cache) ? [`${cache}/mirrord/sessions`] : []),
    ...(isUsable(home) ? [`${home}/.cache/mirrord/sessions`] : []),
  ];
  return [...new Set(folders)].filter((folder) =>
    new TextEncoder().encode(folder).length + nameBytes <= socketPathBytes
  );
}

/** The first folder that is this user's alone, which is made where it is missing. Throws where none is. */
export function ownFolder(): string {
  let failure: unknown = new Error("neither XDG_RUNTIME_DIR nor HOME names a place for it");
  for (const folder of controlFolders()) {
    try {
      Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
      if (isOwn(folder)) return folder;
      failure = new Error(`"${folder}" is not this user's alone`);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** The sockets that lie there; `folder` may be missing. */
export function socketsIn(folder: string): SocketName[] {
  if (!isOwn(folder)) return [];
  return [...Deno.readDirSync(folder)].flatMap(({ name }) => {
    const [, id, pid] = named.exec(name) ?? [];
    return id === undefined ? [] : [{ id, pid: Number(pid), path: `${folder}/${name}` }];
  });
}

/** Where the socket of session `id` of this process goes. */
export function socketPath(folder: string, id: string): string {
  return `${folder}/${id}.${Deno.pid}.sock`;
}

function isUsable(path: string | undefined): path is string {
  return path?.startsWith("/") === true && !hasRawBytes(path);
}

/** A folder of another user, or that others may enter, is not trusted; nor is a link. */
function isOwn(path: string): boolean {
  try {
    const { isDirectory, uid, mode } = Deno.lstatSync(path);
    return isDirectory && uid === Deno.uid() && ((mode ?? 0) & 0o077) === 0;
  } catch {
    return false;
  }
}
