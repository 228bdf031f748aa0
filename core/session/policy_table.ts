// The paths that every process of the app may take for local without asking, as a table that the layer
// compares bytes with (helloReply.paths, layer/ops/files/paths.c). Made by files.ts from the rules of
// policy.ts. Invariant: no path is local by the table and not by the policy. A rule that the table cannot
// express turns the whole table off.
//
// One line each, a letter and a text: A path that begins so is asked about (letters of any case), a one that
// ends so; L is local: it and all below it, P what begins so, l what ends so. Asking wins.

import type { FilesConfig } from "../config/config.ts";
import * as lists from "./policy_default.ts";
import { type Mounts, noMounts } from "./policy_mounts.ts";

/** Larger tables are of no use: everything is asked about. */
const longest = 16384;
const askAll = "A/";

/** The table's text; "": ask about every path. */
export function pathTable(config: FilesConfig, places: lists.LocalPlaces, mounts: Mounts = noMounts): string {
  const patterns = [
    ...config.notFound,
    ...config.readWrite,
    ...config.readOnly,
    ...config.mapping.map(([pattern]) => pattern),
  ];
  const { home } = places;
  const isHome = home !== undefined && /^\/+[^/]/.test(home);
  const asked = [
    ...patterns.map(hole),
    ...(isHome ? lists.absentTrees.map((path) => `A${home}${path}`) : []),
    ...Object.values(lists.remotePlaces(places)).flat().map((path) => `A${path}`),
    ...[...mounts.trees, ...mounts.leading].map((path) => `A${path}`),
  ];
  if (asked.some((line) => line === askAll || line.includes("\n"))) return "";
  const local = config.mode === "localwithoverrides" ? ["L/"] : [
    ...[...lists.localTrees, ...lists.localPlaceTrees(places)].map((path) => `L${path.replace(/\/+$/, "")}`),
    ...lists.homesOf(places).map((path) => `P${path}/.`),
    ...lists.localSuffixes.map((end) => `l${end}`),
  ];
  const lines = [...new Set([...asked, ...local.filter((line) => !line.includes("\n"))])];
  const text = lines.map((line) => `${line}\n`).join("");
  return new TextEncoder().encode(text).length > longest ? "" : text;
}

/** A piece of a pattern: one character that stands for itself, or anything else. */
interface Piece {
  text: string | null;
  /** It may be absent, or come again. */
  isRepeated: boolean;
}

/** The line that covers every path which `pattern` could match. */
function hole(pattern: string): string {
  const pieces = readPieces(pattern);
  if (pieces === null) return askAll;
  if (pattern.startsWith("^")) {
    const begin = literalRun(pieces.slice(1));
    // What does not begin with a slash matches no absolute path, or begins with something we cannot see.
    return begin.startsWith("/") ? `A${begin}` : askAll;
  }
  if (!pattern.endsWith("$") || pieces.at(-1)?.text !== null) return askAll;
  const end = [...literalRun(pieces.slice(0, -1).reverse())].reverse().join("");
  return end === "" ? askAll : `a${end}`;
}

/** The characters that must stand at the start of what `pieces` match. */
function literalRun(pieces: Piece[]): string {
  const length = pieces.findIndex(({ text, isRepeated }) => text === null || isRepeated);
  return pieces.slice(0, length < 0 ? pieces.length : length).map(({ text }) => text).join("");
}

/** null: with flags, look-around or alternatives outside of groups, where ends are no ends. */
function readPieces(pattern: string): Piece[] | null {
  if (pattern.includes("(?") && !/^(?:(?!\(\?).|\(\?:)*$/s.test(pattern)) return null;
  const pieces: Piece[] = [];
  let depth = 0;
  for (
    const [part = ""] of pattern.matchAll(
      /\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]])*\]|[*+?]\??|\{\d*,?\d*\}\??|./gsu,
    )
  ) {
    if (part === "|" && depth === 0) return null;
    if (/^(?:[*+?]|\{\d)/.test(part)) {
      const last = pieces.at(-1);
      if (last !== undefined) last.isRepeated = true;
      continue;
    }
    if (part === "(") depth++;
    if (part === ")") depth--;
    const isPlain = depth === 0 && !/^[()[.^$|\\]/.test(part);
    const isEscaped = depth === 0 && /^\\[^\w\s<>]$/.test(part);
    pieces.push({ text: isPlain ? part : isEscaped ? part.slice(1) : null, isRepeated: false });
  }
  return pieces;
}
