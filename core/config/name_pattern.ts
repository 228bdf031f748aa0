// Patterns over names of variables (`feature.env.mapping`), in the syntax of upstream's files, as
// JavaScript's. Called by resolve.ts, which reports a pattern that cannot be used, and by the session, which
// applies it.

/**
 * The pattern as an expression. Two forms are written differently there: a flag group at the start, (?i)…,
 * and a named group, (?P<name>…). Throws SyntaxError.
 */
export function nameExpression(pattern: string): RegExp {
  const named = pattern.replaceAll("(?P<", "(?<");
  const [start = "", flags = ""] = /^\(\?([ims]+)\)/.exec(named) ?? [];
  return new RegExp(named.slice(start.length), `u${flags}`);
}

/** The replacement: $1, ${1}, $name and ${name} stand for groups, $$ for a dollar. */
export function groupReplacement(value: string): string {
  return value.replace(/\$(?:\$|(\w+)|\{(\w+)\})/g, (whole, bare?: string, braced?: string) => {
    const group = bare ?? braced;
    return group === undefined ? whole : /^[0-9]+$/.test(group) ? `$${group}` : `$<${group}>`;
  });
}
