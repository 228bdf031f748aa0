// What the kernel says of a path here, in the form in which it travels: struct statx and struct statfs. Used
// by fake_files.ts.

import fs from "node:fs";

/** struct statx (statx(2)) of a path. */
export function status(path: string, link: boolean): Uint8Array {
  const stat = link ? fs.lstatSync(path, { bigint: true }) : fs.statSync(path, { bigint: true });
  const bytes = new Uint8Array(256);
  const view = new DataView(bytes.buffer);
  const u32 = (at: number, value: bigint) => view.setUint32(at, Number(value & 0xffffffffn), true);
  u32(0, 0xfffn);
  u32(4, stat.blksize);
  u32(16, stat.nlink);
  u32(20, stat.uid);
  u32(24, stat.gid);
  view.setUint16(28, Number(stat.mode), true);
  view.setBigUint64(32, stat.ino, true);
  view.setBigUint64(40, stat.size, true);
  view.setBigUint64(48, stat.blocks, true);
  const times = [stat.atimeNs, stat.birthtimeNs, stat.ctimeNs, stat.mtimeNs];
  times.forEach((time, index) => {
    view.setBigInt64(64 + 16 * index, time / 1_000_000_000n, true);
    u32(72 + 16 * index, time % 1_000_000_000n);
  });
  u32(136, 7n);
  u32(140, 77n);
  return bytes;
}

/** struct statfs (statfs(2)); the type is that of no file system here. */
export function fileSystem(path: string): Uint8Array {
  fs.statSync(path);
  const bytes = new Uint8Array(120);
  const view = new DataView(bytes.buffer);
  [0x6d697272n, 4096n, 1000n, 500n, 400n, 300n, 200n].forEach((value, index) =>
    view.setBigUint64(8 * index, value, true)
  );
  view.setBigUint64(64, 254n, true);
  view.setBigUint64(72, 4096n, true);
  return bytes;
}
