// What macOS's libSystem exports, by the text file that stands for it when programs are linked (.tbd, version
// 4).

/** The names for `target`, for example "arm64-macos", of libSystem and of what it consists of. */
export function exportsOf(tbd: string, target: string): Set<string> {
  const names = new Set<string>();
  const lists = /- targets:\s*\[([^\]]*)\]\s*(?:symbols|weak-symbols):\s*\[([^\]]*)\]/g;
  for (const [, targets = "", symbols = ""] of tbd.matchAll(lists)) {
    if (!targets.split(",").some((one) => one.trim() === target)) continue;
    for (const symbol of symbols.split(",")) names.add(symbol.trim().replace(/^'|'$/g, ""));
  }
  return names;
}
