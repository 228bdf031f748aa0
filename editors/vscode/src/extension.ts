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
import { Checks, usualFile } from "./checks.ts";
import { Choices } from "./choices.ts";
import { commandLine } from "./command.ts";
import { executableOf, inSession, isActive, startsProgram } from "./launch.ts";
import {
  type Binary,
  type Button,
  findBinary,
  MirrordFailure,
  openSession,
  type Order,
  type Session,
  verify,
} from "./session.ts";
import { SessionsView } from "./view.ts";

/** Marks a configuration that has its session: VS Code may resolve it once more (a restart, a compound). */
const mark = "__mirrordSession";
/** Marks a configuration that is not to be started, but copied. */
const copied = "__mirrordCopied";
/** The shell line that installs mirrord, put in by scripts/vscode.ts; "": no release is published. */
declare const installLine: string | undefined;

/** Registers all there is. */
export function activate(context: ExtensionContext, vscode: Vscode): void {
  const extension = new Extension(context, vscode);
  const { commands, debug, window, workspace } = vscode;
  const view = new SessionsView(vscode, process.env);
  context.subscriptions.push(
    extension,
    view,
    window.registerTreeDataProvider("mirrord.sessions", view),
    commands.registerCommand("mirrord.toggle", () => extension.toggle()),
    commands.registerCommand("mirrord.menu", () => extension.showMenu()),
    commands.registerCommand("mirrord.selectTarget", () => extension.choose("chooseTarget")),
    commands.registerCommand("mirrord.selectConfig", () => extension.choose("chooseConfig")),
    commands.registerCommand("mirrord.createConfig", () => extension.choose("createConfig")),
    commands.registerCommand("mirrord.openConfig", () => extension.choose("openConfig")),
    commands.registerCommand("mirrord.copyCommand", () => extension.copyCommand()),
    commands.registerCommand("mirrord.showOutput", () => extension.showOutput()),
    debug.registerDebugConfigurationProvider("*", extension),
    debug.onDidTerminateDebugSession(({ configuration }) => extension.ended(configuration)),
    workspace.onDidOpenTextDocument((document) => extension.checks.check(document)),
    workspace.onDidSaveTextDocument((document) => extension.checks.check(document)),
    workspace.onDidCloseTextDocument((document) => extension.checks.forget(document)),
  );
  for (const document of workspace.textDocuments) void extension.checks.check(document);
}

class Extension implements DebugConfigurationProvider {
  readonly checks: Checks;
  readonly #vscode: Vscode;
  readonly #choices: Choices;
  readonly #output: OutputChannel;
  readonly #item: StatusBarItem;
  readonly #sessions = new Map<string, Session>();
  #isOn: boolean;
  #count = 0;

  constructor(context: ExtensionContext, vscode: Vscode) {
    this.#vscode = vscode;
    this.#output = vscode.window.createOutputChannel("mirrord");
    this.#item = vscode.window.createStatusBarItem(vscode.StatusBarAlignment.Left);
    this.#item.command = "mirrord.menu";
    this.#isOn = vscode.workspace.getConfiguration("mirrord").get("enabledByDefault", false);
    const binary = () => this.#binary(vscode.workspace.workspaceFolders?.[0]);
    this.#choices = new Choices(vscode, context.workspaceState, binary);
    this.checks = new Checks(vscode, binary);
    this.#show();
    this.#item.show();
  }

  toggle(): void {
    this.#isOn = !this.#isOn;
    this.#show();
  }

  async showMenu(): Promise<void> {
    const { target, config } = this.#choices;
    const picked = await this.#vscode.window.showQuickPick([
      { label: this.#isOn ? "Turn off" : "Turn on", run: () => this.toggle() },
      {
        label: "Select the target",
        description: target?.path ?? "asked at each start",
        run: () => this.choose("chooseTarget"),
      },
      {
        label: "Select the configuration file",
        description: config ?? "the usual one",
        run: () => this.choose("chooseConfig"),
      },
      { label: "Open the configuration file", run: () => this.choose("openConfig") },
      { label: "Copy a start as a command", run: () => this.copyCommand() },
      { label: "Show the output", run: () => this.showOutput() },
    ], { title: "mirrord" });
    await picked?.run();
  }

  showOutput(): void {
    this.#output.show();
  }

  async choose(what: "chooseTarget" | "chooseConfig" | "createConfig" | "openConfig"): Promise<void> {
    try {
      await this.#choices[what]();
    } catch (error) {
      await this.#fail(error);
    }
    this.#show();
  }

  /** Copies what F5 would do with one of launch.json's entries as a line for a shell. */
  async copyCommand(): Promise<void> {
    const { window, workspace, debug } = this.#vscode;
    const folder = workspace.workspaceFolders?.[0];
    const all = workspace.getConfiguration("launch", folder?.uri).get<DebugConfiguration[]>(
      "configurations",
      [],
    );
    const starts = all.filter(startsProgram).map((configuration) => ({
      label: configuration.name,
      configuration,
    }));
    if (starts.length === 0) {
      return this.#fail(new MirrordFailure("Cannot copy a start: launch.json has none that runs a program"));
    }
    const picked = starts.length === 1
      ? starts[0]
      : await window.showQuickPick(starts, { title: "Copy as a command" });
    // The editor replaces the variables and asks back; then nothing is started.
    if (picked !== undefined) await debug.startDebugging(folder, { ...picked.configuration, [copied]: true });
  }

  /** VS Code is about to start `configuration`; undefined: it starts nothing. */
  async resolveDebugConfigurationWithSubstitutedVariables(
    folder: WorkspaceFolder | undefined,
    configuration: DebugConfiguration,
  ): Promise<DebugConfiguration | undefined> {
    const isCopied = configuration[copied] === true;
    if (configuration[mark] !== undefined || !startsProgram(configuration)) return configuration;
    if (!isCopied && !isActive(configuration, this.#isOn)) return configuration;
    try {
      const binary = this.#binary(folder, configuration["env"] as Record<string, string> | undefined);
      const order = await this.#order(binary, configuration);
      if (order === null) return undefined;
      if (isCopied) return void await this.#copy(configuration, order);
      const session = await this.#open(binary, order);
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
    this.checks.dispose();
    this.#item.dispose();
    this.#output.dispose();
  }

  /** What is to be run; null: the user was asked for a target and chose none. */
  async #order(binary: Binary, configuration: DebugConfiguration): Promise<Order | null> {
    const { config: configFile, target: chosen } = this.#choices;
    const checked = configFile ?? usualFile(binary.folder);
    const verdict = checked === undefined ? null : await verify(binary, checked);
    if (verdict !== null && verdict.errors.length > 0) throw new MirrordFailure(verdict.errors.join("\n"));
    const isNamed = chosen === undefined && verdict?.hasTarget === true;
    const target = isNamed ? undefined : chosen ?? await this.#choices.askTarget();
    if (target === undefined && !isNamed) return null;
    return { configFile, target, executable: executableOf(configuration) };
  }

  async #copy(configuration: DebugConfiguration, order: Order): Promise<void> {
    const name = this.#vscode.workspace.getConfiguration("mirrord").get("binaryPath", "mirrord");
    const line = commandLine(configuration, { binary: name, order });
    if (line === undefined) {
      throw new MirrordFailure(
        `Cannot copy "${configuration.name}": it names no program that a shell can run`,
      );
    }
    await this.#vscode.env.clipboard.writeText(line);
    void this.#vscode.window.showInformationMessage(unlinked(`Copied: ${line}`));
  }

  async #open(binary: Binary, order: Order): Promise<Session | null> {
    const { window, ProgressLocation } = this.#vscode;
    return await window.withProgress(
      { location: ProgressLocation.Notification, title: "mirrord", cancellable: true },
      async (progress, token) => {
        const given = new AbortController();
        token.onCancellationRequested(() => given.abort());
        const listener = {
          step: (message: string) => progress.report({ message: unlinked(message) }),
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

  #binary(folder: WorkspaceFolder | undefined, env: Record<string, string> = {}): Binary {
    const name = this.#vscode.workspace.getConfiguration("mirrord").get("binaryPath", "mirrord");
    const path = findBinary(name, process.env);
    return { path, folder: folder?.uri.fsPath, env: { ...process.env, ...env } };
  }

  async #warn(text: string, button?: Button): Promise<void> {
    this.#output.appendLine(`warning: ${text}`);
    const buttons = button === undefined ? [] : [button.label];
    const pressed = await this.#vscode.window.showWarningMessage(unlinked(text), ...buttons);
    if (button !== undefined && pressed !== undefined) {
      await this.#vscode.env.openExternal(this.#vscode.Uri.parse(button.link));
    }
  }

  async #fail(error: unknown): Promise<void> {
    const { window } = this.#vscode;
    const [help, isMissing] = error instanceof MirrordFailure ? [error.help, error.isMissing] : ["", false];
    const text = error instanceof Error ? error.message : String(error);
    this.#output.appendLine(`error: ${text}${help === "" ? "" : `\nhelp: ${help}`}`);
    const line = isMissing && typeof installLine === "string" ? installLine : "";
    const install = line === "" ? [] : ["Install mirrord"];
    const said = help === "" ? text : `${text}. ${help}`;
    const pressed = await window.showErrorMessage(unlinked(said), ...install, "Show the output");
    if (pressed === undefined) return;
    if (pressed !== "Install mirrord") return this.#output.show();
    const terminal = window.createTerminal("Install mirrord");
    terminal.show();
    terminal.sendText(line, false); // the user reads it, and presses Enter
  }

  #show(): void {
    const { target, config } = this.#choices;
    const where = this.#isOn && target !== undefined ? `, ${target.path}` : "";
    this.#item.text = `mirrord: ${this.#isOn ? "on" : "off"}${where}`;
    this.#item.tooltip = this.#isOn
      ? `Programs that you start run in a pod's conditions. Configuration: ${config ?? "the usual one"}`
      : "Programs that you start run on this machine alone";
  }
}

/**
 * Text for a notification, in which the editor makes `[text](command:…)` a link that runs a command: what
 * mirrord says may hold names that a target or an API server chose.
 */
function unlinked(text: string): string {
  return text.replaceAll("](", "] (");
}
