// What the user has chosen for this folder: the target of the next start, or of every one, and the
// configuration file. Kept in the editor's state of the folder; made by extension.ts.

import type { Memento, Vscode } from "./api.ts";
import { usualFile } from "./checks.ts";
import { type Binary, listTargets, MirrordFailure, type Target, writeConfig } from "./session.ts";
import { targetItems } from "./targets.ts";

const [lastTarget, everyTarget, configFile] = ["lastTarget", "everyTarget", "config"];

export class Choices {
  readonly #vscode: Vscode;
  readonly #state: Memento;
  readonly #binary: () => Binary;

  constructor(vscode: Vscode, state: Memento, binary: () => Binary) {
    this.#vscode = vscode;
    this.#state = state;
    this.#binary = binary;
  }

  /** The target of every start, whatever the configuration says; undefined: each start asks. */
  get target(): Target | undefined {
    return this.#state.get(everyTarget);
  }

  /** The file that was chosen; undefined: mirrord finds one by itself. */
  get config(): string | undefined {
    return this.#state.get(configFile);
  }

  /** Lets the user choose the target of every start. */
  async chooseTarget(): Promise<void> {
    const target = await this.askTarget(undefined, true);
    if (target !== undefined) await this.#state.update(everyTarget, target === "ask" ? undefined : target);
  }

  /** Lets the user choose a target; undefined: nothing was chosen. */
  async askTarget(namespace?: string): Promise<Target | undefined>;
  async askTarget(namespace: string | undefined, mayAsk: true): Promise<Target | "ask" | undefined>;
  async askTarget(namespace?: string, mayAsk = false): Promise<Target | "ask" | undefined> {
    const { window } = this.#vscode;
    const last = this.#state.get<Target>(lastTarget);
    const { placeHolder, ...found } = await this.#list(namespace);
    const items = targetItems({
      ...found,
      last: last?.namespace === namespace ? last?.path : undefined,
      isPinned: mayAsk && this.target !== undefined,
    });
    const title = found.namespace === "" ? "Targets" : `Targets of the namespace ${found.namespace}`;
    const picked = await window.showQuickPick(items, { title, placeHolder });
    switch (picked?.does) {
      case "ask":
        return "ask";
      case "namespaces": {
        const names = found.namespaces.map((label) => ({ label }));
        const other = await window.showQuickPick(names, { title: "Namespaces" });
        return other === undefined ? undefined : await this.askTarget(other.label, mayAsk as true);
      }
      case "type":
        return await this.#keep(
          await window.showInputBox({
            title: "Target",
            placeHolder: "deployment/NAME, pod/NAME, process/PID",
          }),
          namespace,
        );
      case "choose":
        return await this.#keep(picked.target, namespace);
      default:
        return undefined;
    }
  }

  async #keep(path: string | undefined, namespace: string | undefined): Promise<Target | undefined> {
    if (path === undefined || path === "") return undefined;
    const target = { path, ...(namespace === undefined ? {} : { namespace }) };
    await this.#state.update(lastTarget, target);
    return target;
  }

  /** Where the cluster cannot be asked, the list says why, and a target can still be typed. */
  async #list(namespace: string | undefined) {
    try {
      const found = await listTargets(this.#binary(), { configFile: this.config, namespace });
      return { ...found, placeHolder: "deployment, pod and others" };
    } catch (error) {
      if (!(error instanceof MirrordFailure) || error.isMissing) throw error;
      return { targets: [], namespace: namespace ?? "", namespaces: [], placeHolder: error.message };
    }
  }

  async chooseConfig(): Promise<void> {
    const { window, workspace } = this.#vscode;
    const files = await workspace.findFiles(
      "**/{*mirrord,.mirrord/*}.{json,toml,yml,yaml}",
      "**/{node_modules/**,mirrord.schema.json}",
      100,
    );
    const mark = (file: string | undefined) => file === this.config ? { description: "chosen" } : {};
    const picked = await window.showQuickPick([
      { label: "The usual one", description: ".mirrord/mirrord.json", ...mark(undefined), run: undefined },
      ...files.map((uri) => ({ label: workspace.asRelativePath(uri), ...mark(uri.fsPath), run: uri.fsPath })),
      { label: "Create a configuration …", run: null },
    ], { title: "Configuration of mirrord" });
    if (picked === undefined) return;
    if (picked.run === null) await this.createConfig();
    else await this.#state.update(configFile, picked.run);
  }

  /** Writes `.mirrord/mirrord.json` for a target that is asked for, and opens it; opens one that is there. */
  async createConfig(): Promise<void> {
    const binary = this.#binary();
    if (binary.folder === undefined) {
      throw new MirrordFailure("Cannot create a configuration: no folder is open");
    }
    if (usualFile(binary.folder) === undefined) {
      const target = await this.askTarget();
      if (target === undefined) return;
      await writeConfig(binary, target);
    }
    await this.#state.update(configFile, usualFile(binary.folder));
    await this.openConfig();
  }

  /** Opens the configuration that the next start uses. */
  async openConfig(): Promise<void> {
    const file = this.config ?? usualFile(this.#binary().folder);
    if (file === undefined) await this.createConfig();
    else await this.#vscode.commands.executeCommand("vscode.open", this.#vscode.Uri.file(file));
  }
}
