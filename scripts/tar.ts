// A tar that is the same wherever and whenever it is made: of root, without times, in the order of the given
// list. Called by the agent's image (agent/image/build_image.ts) and the release's archives.

import { pack } from "tar-stream";

/** What stands in an archive. Paths have no leading slash. */
export type TarFile =
  | { type: "file"; path: string; mode: number; bytes: Uint8Array }
  | { type: "symlink"; path: string; mode: number; target: string }
  | { type: "directory"; path: string; mode: number };

/** A tar of `files`: owned by root, without times. */
export async function tar(files: TarFile[]): Promise<Uint8Array> {
  const archive = pack();
  const collected = new Response(ReadableStream.from(archive as AsyncIterable<Uint8Array>)).bytes();
  for (const file of files) {
    const header = { name: file.path, mode: file.mode, mtime: new Date(0), uid: 0, gid: 0 };
    if (file.type === "file") archive.entry(header, file.bytes as never);
    else if (file.type === "symlink") archive.entry({ ...header, type: "symlink", linkname: file.target });
    else archive.entry({ ...header, type: "directory" });
  }
  archive.finalize();
  return await collected;
}
