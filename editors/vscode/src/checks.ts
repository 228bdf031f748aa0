// Checks configuration files of every format as they are opened and saved, by `mirrord verify-config`: what
// is wrong appears at its line. The schemas of package.json do so while a file is edited.

import { existsSync } from "node:fs";
import type { DiagnosticCollection, TextDocument, Vscode } from "./api.ts";
import { type Binary, verify } from "./session.ts";

/** Where mirrord looks when no file is named. */
export const usualFiles = ["json", "yaml", "yml", "toml"].map((ending) => `.mirrord/mirrord.${ending}`);

/** A finding of mirrord's and the line (from 0) where it belongs. */
export interface Finding {
  line: number;
  text: string;
}

/** The configuration that mirrord finds by itself in `folder`. */
export function usualFile(folder: string | undefined): string | undefined {
  if (folder === undefined) return undefined;
  return usualFiles.map((name) => `${folder}/${name}`).find((path) => existsSync(path));
}

/** Is this a file that package.json gives the schema to, or one of the same names in another format? */
export function isConfigFile(path: string): boolean {
  return /(^|\/)([^/]*mirrord|\.mirrord\/[^/]+)\.(json|toml|ya?ml)$/.test(path) &&
    !path.endsWith("mirrord.schema.json");
}

/** mirrord's sentences name the line: ` (line 3 of "FILE")`, `in line 4, column 2`. */
export function findingOf(text: string): Finding {
  const [, line = "1"] = /\bline (\d+)(?: of "|, column |:)/.exec(text) ?? [];
  return { line: Number(line) - 1, text: text.replace(/ \(line \d+ of "[^"]*"\)/, "") };
}

/** Shows findings where they belong, until it is disposed. */
export class Checks {
  readonly #vscode: Vscode;
  readonly #binary: () => Binary;
  readonly #findings: DiagnosticCollection;

  constructor(vscode: Vscode, binary: () => Binary) {
    this.#vscode = vscode;
    this.#binary = binary;
    this.#findings = vscode.languages.createDiagnosticCollection("mirrord");
  }

  async check({ uri, isDirty }: TextDocument): Promise<void> {
    if (isDirty || !isConfigFile(uri.fsPath)) return;
    const { Diagnostic, DiagnosticSeverity, Range } = this.#vscode;
    try {
      const { errors, warnings } = await verify(this.#binary(), uri.fsPath);
      const shown = (texts: string[], severity: number) =>
        texts.map(findingOf).map(({ line, text }) =>
          new Diagnostic(new Range(line, 0, line, Number.MAX_SAFE_INTEGER), text, severity)
        );
      this.#findings.set(uri, [
        ...shown(errors, DiagnosticSeverity.Error),
        ...shown(warnings, DiagnosticSeverity.Warning),
      ]);
    } catch {
      this.#findings.delete(uri); // a start says why mirrord does not run
    }
  }

  /** A file that is closed has no findings. */
  forget({ uri }: TextDocument): void {
    this.#findings.delete(uri);
  }

  dispose(): void {
    this.#findings.dispose();
  }
}
