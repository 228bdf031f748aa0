// Where a path of the app leads: to this machine, to the target, or nowhere. Called by files.ts for every
// path that a question names; policy.ts decides.

import { E, fileWhere, RemoteError } from "../../protocol-wasm/mod.ts";
import { Decisions } from "./decisions.ts";
import type { Details } from "./details.ts";
import type { AppProcess } from "./floor.ts";
import { OwnCode } from "./own_code.ts";
import type { Place, Policy } from "./policy.ts";
import type { RemoteFile } from "./remote_file.ts";
import { besideDirectory } from "./remote_path.ts";

/** `where` of an answer. */
export const { local, whole, remote } = fileWhere;

const slash = 0x2f;
const nothing = new Uint8Array(0);

export interface RemoteWay {
  where: typeof remote;
  /** The agent's number of the directory that `path` starts from; 0 = none. */
  dir: number;
  path: Uint8Array;
  /** From the root. */
  full: Uint8Array;
}

export interface LocalWay {
  where: typeof local;
  path: Uint8Array;
  /** Where the path would lead if the app only read there; null: here as well. */
  read: RemoteWay | null;
}

/** Where a path leads: to libc, or to the agent. */
export type Way = LocalWay | RemoteWay;

export class Ways {
  readonly #policy: Policy;
  readonly #decisions: Decisions;
  readonly #code: OwnCode;

  /** stat: stat(2) in the target, which rejects with RemoteError. */
  constructor(policy: Policy, stat: (path: Uint8Array) => Promise<unknown>, details?: Details) {
    this.#policy = policy;
    this.#decisions = new Decisions(details);
    this.#code = new OwnCode(policy, stat);
  }

  /** Before `find` for `process`: sees what it runs. */
  meet(process: AppProcess): Promise<void> {
    return this.#code.meet(process);
  }

  /**
   * Of a path from the root, or from `directory` (an empty one: the open file itself). Throws RemoteError for
   * what is to look absent, and for a change of an open file that must not be changed.
   */
  find(directory: RemoteFile | null, path: Uint8Array, use: { writes: boolean; process: AppProcess }): Way {
    if (path[0] === slash) return this.#fromRoot(path, use);
    if (directory === null) throw new RemoteError(E.ENOENT, "a relative path without a directory");
    const full = path.length === 0 ? directory.path : besideDirectory(directory.path, path);
    const place = this.#decide(full, use);
    const beside: RemoteWay = { where: remote, dir: directory.remote, path, full };
    if (path.length > 0) {
      if (place === "absent") throw new RemoteError(E.ENOENT, "not found, by configuration");
      // Changes go where they would by the whole path; what is only looked at stays beside its directory.
      if (use.writes && place === "local") return { where: local, path: full, read: beside };
    } else if (use.writes && place !== "remote") {
      throw new RemoteError(E.EROFS, "the target's files are only read");
    }
    return beside;
  }

  #fromRoot(path: Uint8Array, use: { writes: boolean; process: AppProcess }): Way {
    const meant = this.#policy.rewrite(path);
    const place = this.#decide(meant, use);
    if (place === "absent") throw new RemoteError(E.ENOENT, "not found, by configuration");
    const way: RemoteWay = { where: remote, dir: 0, path: meant, full: meant };
    if (place === "remote") return way;
    const reads = use.writes && this.#decide(meant, { ...use, writes: false }) === "remote";
    return { where: local, path: meant === path ? nothing : meant, read: reads ? way : null };
  }

  #decide(path: Uint8Array, { writes, process }: { writes: boolean; process: AppProcess }): Place {
    const decision = this.#policy.decide({ path, writes, ...this.#code.of(process) });
    this.#decisions.note(path, { writes, process }, decision);
    return decision.place;
  }
}
