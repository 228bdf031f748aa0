// Reads what tests look at in a Mach-O file of one processor (mach-o/loader.h): its load commands, which
// names of other libraries are bound where, and the pages of its signature. Little-endian, 64 bit.

/** A word of the file that becomes the address of another library's name. */
export interface MacBind {
  section: string;
  name: string;
  weak: boolean;
  /** Where in memory, from the start of the image. */
  address: bigint;
}

export interface MacFile {
  /** CPU_TYPE_*. */
  processor: number;
  /** MH_DYLIB is 6, MH_EXECUTE 2. */
  kind: number;
  /** Names of load commands by number, in order. */
  commands: number[];
  /** Of LC_BUILD_VERSION: the platform (1 is macOS), and the first version as major * 100 + minor. */
  platform: number;
  minimum: number;
  libraries: string[];
  binds: MacBind[];
  /** Pages of the signature's code directory, and how many of them are not what they are signed to be. */
  signed: { pages: number; wrong: number } | null;
}

interface Section {
  name: string;
  address: bigint;
  size: bigint;
}

const text = (bytes: Uint8Array, at: number, most = 4096): string => {
  let end = at;
  while (end < at + most && bytes[end] !== 0) end++;
  return new TextDecoder().decode(bytes.subarray(at, end));
};

/** The parts of a fat file (mach-o/fat.h, big-endian), each a file of one processor. */
export function partsOf(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (view.getUint32(0) !== 0xcafebabe) return [bytes];
  return Array.from({ length: view.getUint32(4) }, (_, index) => {
    const at = 8 + 20 * index;
    const start = view.getUint32(at + 8);
    return bytes.subarray(start, start + view.getUint32(at + 12));
  });
}

export async function readMacFile(bytes: Uint8Array<ArrayBuffer>): Promise<MacFile> {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const word = (at: number): number => view.getUint32(at, true);
  const file: MacFile = {
    processor: word(4),
    kind: word(12),
    commands: [],
    platform: 0,
    minimum: 0,
    libraries: [],
    binds: [],
    signed: null,
  };
  const segments: bigint[] = [];
  const sections: Section[] = [];
  let lowest: bigint | null = null;
  const streams: [start: number, size: number, lazy: boolean][] = [];
  for (let index = 0, at = 32; index < word(16); index++, at += word(at + 4)) {
    file.commands.push(word(at));
    switch (word(at)) {
      case 0x19: {
        const address = view.getBigUint64(at + 24, true);
        segments.push(address);
        if (text(bytes, at + 8, 16) !== "__PAGEZERO") lowest ??= address;
        for (let section = 0; section < word(at + 64); section++) {
          const from = at + 72 + 80 * section;
          sections.push({
            name: text(bytes, from, 16),
            address: view.getBigUint64(from + 32, true),
            size: view.getBigUint64(from + 40, true),
          });
        }
        break;
      }
      case 0x0c:
        file.libraries.push(text(bytes, at + word(at + 8)));
        break;
      case 0x32:
        file.platform = word(at + 8);
        file.minimum = (word(at + 12) >>> 16) * 100 + (word(at + 12) >>> 8 & 0xff);
        break;
      case 0x80000022:
        streams.push([word(at + 16), word(at + 20), false], [word(at + 32), word(at + 36), true]);
        break;
      case 0x1d:
        file.signed = await checkPages(bytes, word(at + 8));
        break;
    }
  }
  for (const [start, size, lazy] of streams) {
    for (const bind of bindsOf(bytes, start, start + size, lazy, segments)) {
      const section = sections.find(({ address, size }) =>
        bind.address >= address && bind.address < address + size
      );
      file.binds.push({ ...bind, section: section?.name ?? "", address: bind.address - (lowest ?? 0n) });
    }
  }
  return file;
}

function* bindsOf(
  bytes: Uint8Array,
  start: number,
  end: number,
  lazy: boolean,
  segments: bigint[],
): Generator<Omit<MacBind, "section">> {
  let at = start;
  const leb = (): bigint => {
    let result = 0n;
    for (let shift = 0n;; shift += 7n) {
      const byte = bytes[at++] ?? 0;
      result |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return result;
    }
  };
  let address = 0n;
  let name = "";
  let weak = false;
  while (at < end) {
    const byte = bytes[at++] ?? 0;
    const small = byte & 0x0f;
    let count = 0n;
    let skip = 0n;
    switch (byte & 0xf0) {
      case 0x00:
        if (!lazy) return;
        break;
      case 0x20:
      case 0x60:
        leb();
        break;
      case 0x40:
        name = text(bytes, at);
        weak = (small & 1) !== 0;
        at += name.length + 1;
        break;
      case 0x70:
        address = (segments[small] ?? 0n) + leb();
        break;
      case 0x80:
        address = BigInt.asUintN(64, address + leb());
        break;
      case 0x90:
        count = 1n;
        break;
      case 0xa0:
        count = 1n;
        skip = leb();
        break;
      case 0xb0:
        count = 1n;
        skip = BigInt(small) * 8n;
        break;
      case 0xc0:
        count = leb();
        skip = leb();
        break;
    }
    for (; count > 0n; count--) {
      yield { name, weak, address };
      address = BigInt.asUintN(64, address + 8n + skip);
    }
  }
}

/** The code directory with SHA-256 of an ad hoc signature (xnu's cs_blobs.h; big-endian). */
async function checkPages(bytes: Uint8Array<ArrayBuffer>, start: number): Promise<MacFile["signed"]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let index = 0; index < view.getUint32(start + 8); index++) {
    const at = start + view.getUint32(start + 12 + 8 * index + 4);
    if (view.getUint32(at) !== 0xfade0c02) continue;
    const hashes = at + view.getUint32(at + 16);
    const pages = view.getUint32(at + 28);
    const limit = view.getUint32(at + 32);
    const length = bytes[at + 36] ?? 0;
    const page = 1 << (bytes[at + 39] ?? 0);
    let wrong = 0;
    for (let n = 0; n < pages; n++) {
      const piece = bytes.subarray(n * page, Math.min((n + 1) * page, limit));
      const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", piece));
      if (hash.subarray(0, length).some((byte, i) => byte !== bytes[hashes + n * length + i])) wrong++;
    }
    return { pages, wrong };
  }
  return null;
}
