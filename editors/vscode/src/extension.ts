// The edge to VS Code: the switch in the status bar, and what happens when a program is started while it is
// on. Loaded by entry.ts with the editor's module; tests hand over a stub of it.

import process from "node:process";
import type {
  DebugConfiguration,
  DebugConfigurationProvider,
  ExtensionContext,
  OutputChannel,
  StatusBarItem,
  Vscode,
  WorkspaceFolder,
} from "./api.ts";
import { executableOf, inSession, isActive, startsProgram } from "./launch.ts";
import {
  type Binary,
  type Button,
  listTargets,
  MirrordFailure,
  openSession,
  type Session,
  verify,
} from "./session.ts";
import { targetItems } from "./targets.ts";

/** Marks a configuration that has its session: VS Code may resolve it once more (a restart, a compound). */
const mark = "__mirrordSession";
const [lastTarget, lastConfig] = ["target", "config"];

/** Registers all there is. */
export function activate(context: ExtensionContext, vscode: Vscode): void {
  const extension = new Extension(context, vscode);
  const { commands, debug } = vscode;
  context.subscriptions.push(
    extension,
    commands.registerCommand("mirrord.toggle", () => extension.toggle()),
    commands.registerCommand("mirrord.menu", () => extension.showMenu()),
    commands.registerCommand("mirrord.selectTarget", () => extension.selectTarget(undefined)),
    commands.registerCommand("mirrord.selectConfig", () => extension.selectConfig()),
    commands.registerCommand("mirrord.showOutput", () => extension.showOutput()),
    debug.registerDebugConfigurationProvider("*", extension),
    debug.onDidTerminateDebugSession(({ configuration }) => extension.ended(configuration)),
  );
}

class Extension implements DebugConfigurationProvider {
  readonly #vscode: Vscode;
  readonly #context: ExtensionContext;
  readonly #output: OutputChannel;
  readonly #item: StatusBarItem;
  readonly #sessions = new Map<string, Session>();
  #isOn: boolean;
  #count = 0;

  constructor(context: ExtensionContext, vscode: Vscode) {
    this.#vscode = vscode;
    this.#context = context;
    this.#output = vscode.window.createOutputChannel("mirrord");
    this.#item = vscode.window.createStatusBarItem(vscode.StatusBarAlignment.Left);
    this.#item.command = "mirrord.menu";
    this.#isOn = vscode.workspace.getConfiguration("mirrord").get("enabledByDefault", false);
    this.#show();
    this.#item.show();
  }

  toggle(): void {
    this.#isOn = !this.#isOn;
    this.#show();
  }

  async showMenu(): Promise<void> {
    const picked = await this.#vscode.window.showQuickPick([
      { label: this.#isOn ? "Turn off" : "Turn on", run: () => this.toggle() },
      { label: "Select the target", run: () => this.selectTarget(undefined) },
      { label: "Select the configuration file", run: () => this.selectConfig() },
      { label: "Show the output", run: () => this.showOutput() },
    ], { title: "mirrord" });
    await picked?.run();
  }

  showOutput(): void {
    this.#output.show();
  }

  /** Lets the user choose; undefined: nothing was chosen. */
  async selectTarget(namespace: string | undefined): Promise<string | undefined> {
    const { window } = this.#vscode;
    const binary = this.#binary(this.#vscode.workspace.workspaceFolders?.[0]);
    const last = this.#context.workspaceState.get<string>(lastTarget);
    try {
      const found = await listTargets(binary, { configFile: this.#config(), namespace });
      const items = targetItems(found.targets, { ...found, last });
      const title = `Targets of the namespace ${found.namespace}`;
      const picked = await window.showQuickPick(items, { title, placeHolder: "deployment or pod" });
      if (picked === undefined) return undefined;
      if (picked.does === "namespaces") {
        const names = found.namespaces.map((label) => ({ label }));
        const other = await window.showQuickPick(names, { title: "Namespaces" });
        return other === undefined ? undefined : await this.selectTarget(other.label);
      }
      await this.#context.workspaceState.update(lastTarget, picked.target);
      return picked.target;
    } catch (error) {
      await this.#fail(error);
      return undefined;
    }
  }

  async selectConfig(): Promise<void> {
    const { window, workspace } = this.#vscode;
    const files = await workspace.findFiles(
      "**/{*mirrord,.mirrord/*}.{json,toml,yml,yaml}",
      "**/node_modules/**",
      100,
    );
    const items = files.map(({ fsPath }) => ({ label: fsPath, file: fsPath as string | undefined }));
    const usual = { label: "The usual one", description: ".mirrord/mirrord.json", file: undefined };
    const picked = await window.showQuickPick([usual, ...items], { title: "Configuration of mirrord" });
    if (picked !== undefined) await this.#context.workspaceState.update(lastConfig, picked.file);
  }

  /** VS Code is about to start `configuration`; undefined: it starts nothing. */
  async resolveDebugConfigurationWithSubstitutedVariables(
    folder: WorkspaceFolder | undefined,
    configuration: DebugConfiguration,
  ): Promise<DebugConfiguration | undefined> {
    if (configuration[mark] !== undefined || !startsProgram(configuration)) return configuration;
    if (!isActive(configuration, this.#isOn)) return configuration;
    try {
      const session = await this.#open(folder, configuration);
      if (session === null) return undefined;
      const name = `${++this.#count}`;
      this.#sessions.set(name, session);
      void session.ended.then(async (failure) => {
        if (this.#sessions.delete(name) && failure !== null) await this.#fail(failure);
      });
      return { ...inSession(configuration, session.launch), [mark]: name };
    } catch (error) {
      await this.#fail(error);
      return undefined;
    }
  }

  /** The debugger has ended: its session ends too. */
  ended(configuration: DebugConfiguration): void {
    const name = String(configuration[mark]);
    const session = this.#sessions.get(name);
    this.#sessions.delete(name);
    session?.end();
  }

  dispose(): void {
    for (const session of this.#sessions.values()) session.end();
    this.#item.dispose();
    this.#output.dispose();
  }

  async #open(
    folder: WorkspaceFolder | undefined,
    configuration: DebugConfiguration,
  ): Promise<Session | null> {
    const { window, ProgressLocation } = this.#vscode;
    const binary = this.#binary(folder, configuration["env"] as Record<string, string> | undefined);
    const configFile = this.#config();
    const verdict = configFile === undefined ? null : await verify(binary, configFile);
    if (verdict !== null && verdict.errors.length > 0) throw new MirrordFailure(verdict.errors.join("\n"));
    const target = verdict?.hasTarget === true ? undefined : await this.selectTarget(undefined);
    if (target === undefined && verdict?.hasTarget !== true) return null; // the picker was closed
    const order = { configFile, target, executable: executableOf(configuration) };
    return await window.withProgress(
      { location: ProgressLocation.Notification, title: "mirrord", cancellable: true },
      async (progress, token) => {
        const given = new AbortController();
        token.onCancellationRequested(() => given.abort());
        const listener = {
          step: (message: string) => progress.report({ message }),
          info: (text: string) => this.#output.appendLine(text),
          warning: (text: string, button?: Button) => void this.#warn(text, button),
        };
        try {
          return await openSession(binary, order, listener, given.signal);
        } catch (error) {
          if (given.signal.aborted) return null;
          throw error;
        }
      },
    );
  }

  #config(): string | undefined {
    return this.#context.workspaceState.get<string>(lastConfig);
  }

  #binary(folder: WorkspaceFolder | undefined, env: Record<string, string> = {}): Binary {
    const path = this.#vscode.workspace.getConfiguration("mirrord").get("binaryPath", "mirrord");
    return { path, folder: folder?.uri.fsPath, env: { ...process.env, ...env } };
  }

  async #warn(text: string, button?: Button): Promise<void> {
    this.#output.appendLine(`warning: ${text}`);
    const buttons = button === undefined ? [] : [button.label];
    const pressed = await this.#vscode.window.showWarningMessage(text, ...buttons);
    if (button !== undefined && pressed !== undefined) {
      await this.#vscode.env.openExternal(this.#vscode.Uri.parse(button.link));
    }
  }

  async #fail(error: unknown): Promise<void> {
    const help = error instanceof MirrordFailure ? error.help : "";
    const text = error instanceof Error ? error.message : String(error);
    this.#output.appendLine(`error: ${text}${help === "" ? "" : `\nhelp: ${help}`}`);
    const pressed = await this.#vscode.window.showErrorMessage(
      help === "" ? text : `${text}. ${help}`,
      "Show the output",
    );
    if (pressed !== undefined) this.#output.show();
  }

  #show(): void {
    this.#item.text = `mirrord: ${this.#isOn ? "on" : "off"}`;
    this.#item.tooltip = this.#isOn
      ? "Programs that you start run in a pod's conditions"
      : "Programs that you start run on this machine alone";
  }
}
