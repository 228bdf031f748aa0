// Templates in configuration files: `{{ … }}` is replaced before the text is parsed, as upstream's files
// expect. Called by document.ts. Known: `key`, `git_branch`, `get_env(name=…, default=…)`, a quoted text, and
// the filters below; everything else of the template language is refused by name, so that no file means
// something it does not say. Invariant: replacing never changes the number of lines before an expression, so
// error lines stay true.

import { ConfigError } from "../base/errors.ts";
import type { Variables } from "./env.ts";

/** What a template may ask for. */
export interface TemplateValues {
  env: Variables;
  /** The session's key. */
  key: () => string;
  /** The branch checked out in the working directory; undefined: no repository, or no branch. */
  gitBranch: () => string | undefined;
}

type Filter = (value: string | undefined, given: Record<string, string>) => string | undefined;

const filters: Readonly<Record<string, Filter>> = {
  default: (value, { value: other }) => value ?? other,
  lower: (value) => value?.toLowerCase(),
  upper: (value) => value?.toUpperCase(),
  trim: (value) => value?.trim(),
  replace: (value, { from, to }) => value?.replaceAll(from ?? "", to ?? ""),
  slugify: (value) => value?.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, ""),
};

/**
 * `text` with its templates replaced; `name` is what errors call it. Throws ConfigError with line and column.
 */
export function renderTemplate(name: string, text: string, values: TemplateValues): string {
  return text.replace(
    /\{#-?[^]*?#\}|\{%[^]*?(?:%\}|$)|\{\{-?\s*(?=[A-Za-z_"'])([^]*?)-?\}\}|\{\{-?\s*[A-Za-z_]/g,
    (whole: string, expression: string | undefined, offset: number) => {
      if (whole.startsWith("{#")) return whole.replace(/[^\n]/g, "");
      const refuse = (state: string, help?: string): ConfigError => {
        const before = text.slice(0, offset).split("\n");
        const column = (before[before.length - 1] ?? "").length + 1;
        const where = `the template in line ${before.length}, column ${column}`;
        return new ConfigError(
          `Cannot read "${name}": ${where}: ${state}`,
          help === undefined ? {} : { help },
        );
      };
      if (whole.startsWith("{%")) {
        const word = /^\{%-?\s*(\w+)/.exec(whole)?.[1] ?? "";
        throw refuse(`"{% ${word} %}" is not supported`, 'Only "{{ … }}" is: write the rest out.');
      }
      if (expression === undefined) throw refuse('"}}" is missing');
      return evaluate(expression.trim().replaceAll('\\"', '"'), values, refuse);
    },
  );
}

function evaluate(
  expression: string,
  values: TemplateValues,
  refuse: (state: string, help?: string) => ConfigError,
): string {
  const [first = "", ...rest] = splitFilters(expression);
  const call = parseCall(first) ?? { name: first, given: {} };
  let value: string | undefined;
  let missing = "";
  let help = "";
  const quoted = /^"([^"]*)"$|^'([^']*)'$/.exec(first);
  if (quoted !== null) {
    value = quoted[1] ?? quoted[2];
  } else if (call.name === "get_env" && call.given["name"] !== undefined) {
    value = values.env.get(call.given["name"]) ?? call.given["default"];
    missing = `the variable "${call.given["name"]}" is not set`;
    help = `Give a value for that case: get_env(name="${call.given["name"]}", default="…").`;
  } else if (first === "key") {
    value = values.key();
  } else if (first === "git_branch") {
    value = values.gitBranch();
    missing = "there is no git branch here";
    help = 'Give a value for that case: {{ git_branch | default(value="…") }}, or set MIRRORD_BRANCH_NAME.';
  } else {
    throw refuse(`"${first}" is not known`, "Known are key, git_branch and get_env(name=…, default=…).");
  }
  for (const text of rest) {
    const filter = parseCall(text) ?? { name: text, given: {} };
    const apply = Object.hasOwn(filters, filter.name) ? filters[filter.name] : undefined;
    if (apply === undefined) {
      throw refuse(
        `the filter "${filter.name}" is not known`,
        `Known are ${Object.keys(filters).join(", ")}.`,
      );
    }
    value = apply(value, filter.given);
  }
  if (value === undefined) throw refuse(missing, help);
  return value;
}

/** `a | b(c="|")` at its bars outside quotes. */
function splitFilters(expression: string): string[] {
  const parts = expression.match(/(?:"[^"]*"|'[^']*'|[^|"'])+/g) ?? [];
  return parts.map((part) => part.trim());
}

/** `name(a="x", b='y')`; null when it is not one. */
function parseCall(text: string): { name: string; given: Record<string, string> } | null {
  const [, name, list] = /^(\w+)\(([^]*)\)$/.exec(text) ?? [];
  if (name === undefined || list === undefined) return null;
  const given: Record<string, string> = {};
  const rest = list.replace(
    /\s*(\w+)\s*=\s*(?:"([^"]*)"|'([^']*)'|(\w+))\s*(,|$)/g,
    (_, argument: string, double?: string, single?: string, bare?: string) => {
      given[argument] = double ?? single ?? bare ?? "";
      return "";
    },
  );
  return rest.trim() === "" ? { name, given } : null;
}

/** The session's key that `text`, not yet rendered, gives itself at its top; undefined: none. */
export function keyOf(text: string): string | undefined {
  return /^\s*(?:\{\s*)?"?key"?\s*[:=]\s*["']?([^"',\s{}]+)/m.exec(text)?.[1];
}

/** The branch that HEAD of the repository around `directory` names (gitrepository-layout(5)). */
export function gitBranch(directory: string): string | undefined {
  for (let folder = Deno.realPathSync(directory);; folder = folder.replace(/\/[^/]*$/, "") || "/") {
    try {
      let git = `${folder}/.git`;
      if (Deno.statSync(git).isFile) { // a work tree or submodule: the file says where its directory is
        const path = Deno.readTextFileSync(git).replace(/^gitdir:\s*/, "").trim();
        git = path.startsWith("/") ? path : `${folder}/${path}`;
      }
      return /^ref: refs\/heads\/(.+)$/m.exec(Deno.readTextFileSync(`${git}/HEAD`))?.[1];
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) return undefined;
    }
    if (folder === "/") return undefined;
  }
}
