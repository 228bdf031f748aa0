// Reads NAME.bpf.bin, the files scripts/build_bpf.ts writes (layout: `packProgram` there). Called by bpf.ts.
// Pure: no kernel, no I/O.

/** A map the program uses; the numbers are those of bpf(2). */
export interface MapShape {
  name: string;
  type: number;
  keySize: number;
  valueSize: number;
  maxEntries: number;
}

/** A program ready to load, but for the descriptors of its maps. */
export interface ProgramFile {
  name: string;
  licence: string;
  type: number;
  attach: number;
  maps: MapShape[];
  /** Instruction `instruction` loads the address of `maps[map]`. */
  relocations: { map: number; instruction: number }[];
  /** 8 bytes each. */
  instructions: Uint8Array<ArrayBuffer>;
}

/** Throws on a file that is not ours or is cut short: a broken build. */
export function readProgramFile(bytes: Uint8Array): ProgramFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const word = () => view.getUint32((at += 4) - 4, true);
  const text = () => {
    const raw = bytes.subarray(at, at += 16);
    return new TextDecoder().decode(raw.subarray(0, raw.indexOf(0)));
  };
  if (word() !== 0x4650424d || word() !== 1) {
    throw new Error("the embedded BPF program is not of this release");
  }
  const counts = { maps: word(), relocations: word(), instructions: word() };
  const [type, attach, name, licence] = [word(), word(), text(), text()];
  const maps = Array.from({ length: counts.maps }, (): MapShape => {
    const [type, keySize, valueSize, maxEntries] = [word(), word(), word(), word()];
    return { type, keySize, valueSize, maxEntries, name: text() };
  });
  const relocations = Array.from(
    { length: counts.relocations },
    () => ({ map: word(), instruction: word() }),
  );
  const instructions = bytes.slice(at);
  if (instructions.length !== counts.instructions * 8) {
    throw new Error("the embedded BPF program is cut short");
  }
  return { name, licence, type, attach, maps, relocations, instructions };
}
