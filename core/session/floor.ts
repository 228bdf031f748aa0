// What a floor is to the session: the part of it that answers one section of the layer link's questions
// (incoming, outgoing, dns, files). Made and disposed by session.ts, which calls it for every frame of its
// kinds.

import type { LayerFrame, LayerLink, layerMessages } from "../../protocol-wasm/mod.ts";

/** One process of the app, however many links its threads have; the object is its identity. */
export interface AppProcess {
  pid: number;
  parent: number;
  /** Its file, as osText writes it. */
  executable: string;
}

/**
 * One frame of a layer. The floor answers on `link` with the same kind and id; the next frame of this link
 * waits for it.
 */
export interface Question {
  link: LayerLink;
  frame: LayerFrame;
  process: AppProcess;
}

export interface Floor {
  /** The frames it answers, by name. */
  readonly kinds: readonly (keyof typeof layerMessages)[];
  /** Throws RemoteError for what the app gets as errno; LinkError for a frame that cannot be read. */
  answer(question: Question): Promise<void>;
  /** The last link of process `one` ended: free what it held. */
  ended?(one: AppProcess): Promise<void>;
  [Symbol.asyncDispose]?(): Promise<void>;
}
