// How a list of targets looks: a line each, columns, JSON or YAML. Called by ls.ts; session.ts has columns
// too. Machine formats hold the same facts: the paths, and with --all-namespaces each with its namespace.

import type { ListedTarget } from "../core/target/list.ts";
import type { ListFormat } from "./commands.ts";

/** How to write a list; plain: as `name`, with a heading where there are columns. */
export interface ListStyle {
  format: ListFormat | "plain";
  /** Of several namespaces. */
  everywhere: boolean;
  /** The time now, from which ages count. */
  now?: number;
}

/** The list's text without a last newline; "" for an empty list of lines. */
export async function writeList(targets: readonly ListedTarget[], style: ListStyle): Promise<string> {
  const { format, everywhere } = style;
  const named = targets.map(({ path, namespace }) => everywhere ? { namespace, path } : path);
  switch (format) {
    case "json":
      return JSON.stringify(named);
    case "yaml":
      return (await import("yaml")).stringify(named).trimEnd();
    case "wide":
      return wide(targets, style);
    case "name":
      return targets.map(({ path, namespace }) => everywhere ? `${namespace} ${path}` : path).join("\n");
    case "plain": {
      if (!everywhere) return targets.map(({ path }) => path).join("\n");
      return columns(["NAMESPACE", "TARGET"], targets.map(({ path, namespace }) => [namespace, path]));
    }
  }
}

function wide(targets: readonly ListedTarget[], { everywhere, now = Date.now() }: ListStyle): string {
  const heading = [...(everywhere ? ["NAMESPACE"] : []), "TARGET", "READY", "PORTS", "CONTAINERS", "AGE"];
  const rows = targets.map(({ namespace, path, ready, ports, containers, created }) => [
    ...(everywhere ? [namespace] : []),
    path,
    ready,
    ports.join(",") || "-",
    containers.join(",") || "-",
    created === undefined ? "-" : ageText(now - created.getTime()),
  ]);
  return columns(heading, rows);
}

/** Lines in columns; "" without rows: standard output holds results alone. */
export function columns(heading: string[], rows: string[][]): string {
  if (rows.length === 0) return "";
  const lines = [heading, ...rows];
  const widths = heading.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  return lines.map((line) => line.map((text, at) => text.padEnd(widths[at] ?? 0)).join("  ").trimEnd())
    .join("\n");
}

/** "12s", "5m", "3h", "40d": whole units, rounded down. */
export function ageText(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 2 * 3600) return `${Math.floor(seconds / 60)}m`;
  return seconds < 2 * 86_400 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}
