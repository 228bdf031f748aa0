// Joins programs or libraries for macOS of several processors into one file (mach-o/fat.h), as lipo(1) does.
// Called by build_layer.ts. Pure.

/** A 64-bit Mach-O file begins with this, little-endian, and then says which processor it is for. */
const thinMagic = 0xfeedfacf;
const fatMagic = 0xcafebabe;
/** Parts begin at a page of arm64, 16 KiB. */
const align = 14;

/** The parts in one file; big-endian headers before them. */
export function joinFat(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const step = 1 << align;
  const starts: number[] = [];
  let end = 8 + 20 * parts.length;
  for (const part of parts) {
    const start = Math.ceil(end / step) * step;
    starts.push(start);
    end = start + part.length;
  }
  const file = new Uint8Array(end);
  const head = new DataView(file.buffer);
  head.setUint32(0, fatMagic);
  head.setUint32(4, parts.length);
  for (const [index, part] of parts.entries()) {
    const view = new DataView(part.buffer, part.byteOffset);
    if (view.getUint32(0, true) !== thinMagic) throw new Error(`Cannot join part ${index}: no Mach-O file`);
    const at = 8 + 20 * index;
    const start = starts[index] ?? 0;
    head.setUint32(at, view.getUint32(4, true));
    head.setUint32(at + 4, view.getUint32(8, true));
    head.setUint32(at + 8, start);
    head.setUint32(at + 12, part.length);
    head.setUint32(at + 16, align);
    file.set(part, start);
  }
  return file;
}
