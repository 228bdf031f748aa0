// Paths in a kubeconfig that are relative to it, made absolute: then the file can be moved, or mounted
// elsewhere. Called by cmd/fix.ts. Invariant: nothing of the text changes but these values.

import { dirname, isAbsolute, resolve } from "node:path";
import { isTable, textOf, unusable } from "./kubeconfig_file.ts";

/** One value that changes. */
export interface AbsolutePath {
  /** Where it stands: `user "ana", client-key`. */
  where: string;
  before: string;
  after: string;
}

/** Keys whose values are paths, by the list that they stand in. */
const pathKeys = [
  ["clusters", "cluster", ["certificate-authority"]],
  ["users", "user", ["client-certificate"]],
  ["users", "user", ["client-key"]],
  ["users", "user", ["tokenFile"]],
  ["users", "user", ["exec", "command"]],
  ["users", "user", ["auth-provider", "config", "idp-certificate-authority"]],
] as const;

/** The new text of the kubeconfig `file`, and what changed. Throws KubeError for what is no kubeconfig. */
export async function absolutePaths(
  file: string,
  text: string,
): Promise<{ text: string; changes: AbsolutePath[] }> {
  const { isScalar, parseDocument } = await import("../config/yaml.ts");
  const document = parseDocument(text);
  const [error] = document.errors;
  // The first line alone: what follows shows the place in the file, and that may be a secret.
  if (error !== undefined) throw unusable(file, error.message.split("\n")[0] ?? "");
  const root: unknown = document.toJS() ?? {};
  if (!isTable(root)) throw unusable(file, "it is not a kubeconfig");
  const edits: (AbsolutePath & { start: number; end: number })[] = [];
  for (const [list, kind, keys] of pathKeys) {
    const entries = root[list];
    (Array.isArray(entries) ? entries as unknown[] : []).forEach((entry, index) => {
      const node: unknown = document.getIn([list, index, kind, ...keys], true);
      if (!isScalar(node) || typeof node.value !== "string" || !node.range) return;
      const before = node.value;
      const isCommand = keys[0] === "exec"; // a bare name is looked for in PATH
      if (before === "" || isAbsolute(before) || (isCommand && !before.includes("/"))) return;
      const name = isTable(entry) ? textOf(entry, "name") ?? "" : "";
      const [start, end] = node.range;
      const where = `${kind} "${name}", ${keys.join(".")}`;
      edits.push({ where, before, after: resolve(dirname(file), before), start, end });
    });
  }
  let changed = text;
  for (const { start, end, after } of edits.toSorted((a, b) => b.start - a.start)) {
    const isPlain = /^[\w./-]+$/.test(after) && !/^["']/.test(text.slice(start, end));
    changed = changed.slice(0, start) + (isPlain ? after : JSON.stringify(after)) + changed.slice(end);
  }
  return { text: changed, changes: edits.map(({ where, before, after }) => ({ where, before, after })) };
}
