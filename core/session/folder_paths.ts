// Paths beside open folders of the agent, as seen_folders.ts keeps what it knows: by the folder of a name.

import { longestName } from "../../protocol-wasm/mod.ts";
import { byteText } from "../net/byte_text.ts";

const slash = 0x2f;

/** A path and the open folder that it starts from, as the agent numbers it; 0: the root. */
export interface Spot {
  dir: number;
  path: Uint8Array;
}

/** A name in a folder. */
export interface Named {
  folder: Spot;
  name: string;
}

/** null: the path ends in no plain name. */
export function split({ dir, path }: Spot): Named | null {
  const at = path.lastIndexOf(slash);
  const name = path.subarray(at + 1);
  const isPlain = name.length > 0 && name.length <= longestName && (at >= 0 || dir !== 0);
  const text = isPlain ? byteText(name) : "";
  if (text === "" || text === "." || text === "..") return null;
  return { folder: { dir, path: path.subarray(0, at === 0 ? 1 : Math.max(at, 0)) }, name: text };
}

export function keyOf({ dir, path }: Spot): string {
  return `${dir}:${byteText(path)}`;
}

/** Known by its name to be no file system of a disk. */
export function isUnsteadyTree(path: Uint8Array): boolean {
  return /^\/(proc|sys|dev)(\/|$)/.test(byteText(path.subarray(0, 6)));
}
