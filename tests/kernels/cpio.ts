// Writes the archive that a kernel unpacks as its first root file system: cpio's "newc" format, with every
// file root's. Several archives one behind the other count as one. Used by guest.ts. Facts: the kernel's
// Documentation/driver-api/early-userspace/buffer-format.rst.

const kinds = { directory: 0o040000, file: 0o100000, symlink: 0o120000 };
const encoder = new TextEncoder();

/** An archive that is being written. `close` ends it. */
export class Cpio {
  readonly #file: Deno.FsFile;
  readonly #folders = new Set<string>();
  #inode = 1;

  constructor(path: string) {
    this.#file = Deno.openSync(path, { write: true, create: true, truncate: true });
  }

  /** A regular file; its folders come by themselves. */
  file(path: string, bytes: Uint8Array, mode = 0o644): void {
    this.#foldersOf(path);
    this.#entry(path, kinds.file | mode, bytes);
  }

  /** A folder; those above it come by themselves. */
  folder(path: string, mode = 0o755): void {
    if (path === "" || this.#folders.has(path)) return;
    this.#foldersOf(path);
    this.#folders.add(path);
    this.#entry(path, kinds.directory | mode, new Uint8Array());
  }

  symlink(path: string, target: string): void {
    this.#foldersOf(path);
    this.#entry(path, kinds.symlink | 0o777, encoder.encode(target));
  }

  /** What lies in `folder`, as `at`, but for paths (relative to it) that `skip` takes. */
  tree(folder: string, at: string, skip: (path: string) => boolean = () => false): void {
    const walk = (inside: string) => {
      const entries = [...Deno.readDirSync(`${folder}/${inside}`)].sort((a, b) => (a.name < b.name ? -1 : 1));
      for (const { name } of entries) {
        const path = inside === "" ? name : `${inside}/${name}`;
        if (skip(path)) continue;
        const [from, to] = [`${folder}/${path}`, at === "" ? path : `${at}/${path}`];
        const { isDirectory, isSymlink, isFile, mode } = Deno.lstatSync(from);
        if (isSymlink) this.symlink(to, Deno.readLinkSync(from));
        else if (isFile) this.file(to, Deno.readFileSync(from), (mode ?? 0o644) & 0o7777);
        if (!isDirectory) continue;
        this.folder(to, (mode ?? 0o755) & 0o7777);
        walk(path);
      }
    };
    walk("");
  }

  close(): void {
    this.#entry("TRAILER!!!", 0, new Uint8Array());
    this.#file.close();
  }

  #foldersOf(path: string): void {
    const at = path.lastIndexOf("/");
    if (at > 0) this.folder(path.slice(0, at));
  }

  #entry(path: string, mode: number, content: Uint8Array): void {
    const name = encoder.encode(`${path}\0`);
    const numbers = [this.#inode++, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length, 0];
    const head = `070701${numbers.map((number) => number.toString(16).padStart(8, "0")).join("")}`;
    this.#write(padded(encoder.encode(head), name));
    this.#write(padded(content));
  }

  #write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
  }
}

/** The parts together, up to a multiple of four bytes. */
function padded(...parts: Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array((length + 3) & ~3);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
