// What VS Code loads: the only file that needs the editor's own module, which no other place has.

import type { ExtensionContext, Vscode } from "./api.ts";
import { activate as begin } from "./extension.ts";

declare function require(name: "vscode"): Vscode;

/** Called by VS Code, once. */
export function activate(context: ExtensionContext): void {
  begin(context, require("vscode"));
}
