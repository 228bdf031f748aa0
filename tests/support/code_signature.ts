// Apple's code signatures checked page by page, as macOS does when it runs a program: every page's hash is
// the one that the code directory has (xnu's osfmk/kern/cs_blobs.h). A reader of its own, so that it may
// judge what core/net/macho.ts and linkers wrote.

import { createHash } from "node:crypto";

/** What a check found. */
export interface CheckedSignature {
  flags: number;
  /** How many pages there are, and the numbers of those whose hash is another. */
  pages: number;
  wrong: number[];
}

/** Checks the thin 64-bit program in `bytes`; null: it is not signed. */
export function checkSignature(bytes: Uint8Array): CheckedSignature | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const blob = signatureAt(view);
  if (blob === null) return null;
  if (view.getUint32(blob) !== 0xfade0cc0) throw new Error("there is no signature where one should be");
  const directory = blob + view.getUint32(blob + 16);
  if (view.getUint32(directory) !== 0xfade0c02) throw new Error("the first part is no code directory");
  const [hashes, pages, limit] = [16, 28, 32].map((field) => view.getUint32(directory + field)) as [
    number,
    number,
    number,
  ];
  const size = view.getUint8(directory + 36);
  if (size !== 32 || view.getUint8(directory + 37) !== 2) throw new Error("the hashes are not SHA-256");
  const pageSize = 2 ** view.getUint8(directory + 39);
  const wrong: number[] = [];
  for (let page = 0; page < pages; page++) {
    const content = bytes.subarray(page * pageSize, Math.min((page + 1) * pageSize, limit));
    const at = directory + hashes + size * page;
    const hash = createHash("sha256").update(content).digest();
    if (hash.compare(bytes.subarray(at, at + size)) !== 0) wrong.push(page);
  }
  return { flags: view.getUint32(directory + 12), pages, wrong };
}

/** Where LC_CODE_SIGNATURE says that the signature is. */
function signatureAt(view: DataView): number | null {
  let at = 32;
  for (let count = view.getUint32(16, true); count > 0; count--) {
    if (view.getUint32(at, true) === 0x1d) return view.getUint32(at + 8, true);
    at += view.getUint32(at + 4, true);
  }
  return null;
}
