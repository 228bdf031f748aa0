// What a file holds and does not say: null, and an empty text where a text may be left out. Called by load.ts
// before variables and flags are put into the document. The invariant: only keys of the format are dropped,
// so that a misspelt one is still refused; inside lists and tables of the user's own names null stays, and is
// refused.

import type { Problem } from "./issues.ts";
import { isObject } from "./later.ts";

type Path = readonly (string | number)[];

/** Tables whose keys are the user's own. */
const ownNames = ["feature.env.override", "feature.env.mapping", "feature.fs.mapping"];

/** Texts that may be left out, and for which an empty one can mean nothing else. */
const optionalTexts = [
  "kubeconfig",
  "kube_context",
  "key",
  "target.namespace",
  "target.container",
  "target.path.container",
  "agent.image",
  "agent.image.registry",
  "agent.image.tag",
  "agent.image_pull_policy",
  "agent.log_level",
  "feature.env.env_file",
  "feature.env.unset",
  "skip_processes",
  "skip_extra_build_tools",
  "skip_sip",
  "sip_binaries",
];

/** Drops from `document` each null at a path that `isKnown`, and each empty text that may be left out. */
export async function dropAbsent(
  document: Record<string, unknown>,
  isKnown: (path: Path) => Promise<boolean>,
): Promise<Problem[]> {
  const warnings: Problem[] = [];
  const visit = async (node: unknown, path: Path): Promise<void> => {
    if (Array.isArray(node)) {
      for (const [index, member] of node.entries()) await visit(member, [...path, index]);
    }
    if (!isObject(node) || ownNames.includes(path.join("."))) return;
    for (const [key, value] of Object.entries(node)) {
      const here = [...path, key];
      if (value === null && await isKnown(here)) delete node[key];
      else if (value === "" && optionalTexts.includes(here.join("."))) {
        delete node[key];
        warnings.push({ path: here, state: "it is empty, so it counts as not given" });
      } else await visit(value, here);
    }
  };
  await visit(document, []);
  return warnings;
}
