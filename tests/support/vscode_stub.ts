// The part of VS Code's API that the extension uses, played: answers of the user are given beforehand, and
// what the editor would show is kept. Used by tests/program/vscode_test.ts.

import type {
  DebugConfiguration,
  DebugConfigurationProvider,
  DebugSession,
  ExtensionContext,
  QuickPickItem,
  StatusBarItem,
  Vscode,
} from "../../editors/vscode/src/api.ts";

/** An editor with one window. */
export class VscodeStub implements Disposable {
  /** Labels that the user picks, one for each list that comes. */
  readonly picks: string[] = [];
  /** What lists offered. */
  readonly offered: string[][] = [];
  readonly warnings: string[] = [];
  readonly errors: string[] = [];
  readonly output: string[] = [];
  readonly steps: string[] = [];
  readonly context: ExtensionContext;
  readonly api: Vscode;
  readonly #commands = new Map<string, () => unknown>();
  readonly #kept = new Map<string, unknown>();
  #provider: DebugConfigurationProvider | undefined;
  #ended: (session: DebugSession) => void = () => {};
  #item: StatusBarItem | undefined;

  constructor(settings: Record<string, unknown>) {
    const nothing = { dispose: () => {} };
    this.context = {
      subscriptions: [],
      workspaceState: {
        get: <T>(key: string) => this.#kept.get(key) as T | undefined,
        update: (key, value) => Promise.resolve(void this.#kept.set(key, value)),
      },
    };
    this.api = {
      window: {
        createStatusBarItem: () => {
          const item = { text: "", tooltip: undefined, command: undefined, show: () => {}, ...nothing };
          return this.#item = item;
        },
        createOutputChannel: () => ({
          appendLine: (text) => void this.output.push(text),
          show: () => {},
          ...nothing,
        }),
        showQuickPick: <T extends QuickPickItem>(items: readonly T[]) => {
          this.offered.push(items.map(({ label }) => label));
          const pick = this.picks.shift();
          return Promise.resolve(items.find(({ label }) => label === pick));
        },
        showWarningMessage: (message) => Promise.resolve(void this.warnings.push(message)),
        showErrorMessage: (message) => Promise.resolve(void this.errors.push(message)),
        withProgress: (_options, task) =>
          task(
            { report: ({ message }) => void this.steps.push(message ?? "") },
            { onCancellationRequested: () => nothing },
          ),
      },
      commands: {
        registerCommand: (name, action) => {
          this.#commands.set(name, action);
          return nothing;
        },
      },
      debug: {
        registerDebugConfigurationProvider: (_type, provider) => {
          this.#provider = provider;
          return nothing;
        },
        onDidTerminateDebugSession: (listener) => {
          this.#ended = listener;
          return nothing;
        },
      },
      workspace: {
        workspaceFolders: undefined,
        getConfiguration: () => ({
          get: <T>(key: string, otherwise: T) => (settings[key] ?? otherwise) as T,
        }),
        findFiles: () => Promise.resolve([{ fsPath: String(settings["file"]) }]),
      },
      env: { openExternal: () => Promise.resolve(true) },
      Uri: { parse: (text) => ({ fsPath: text }) },
      StatusBarAlignment: { Left: 1 },
      ProgressLocation: { Notification: 15 },
    };
  }

  get statusBar(): string {
    return this.#item?.text ?? "";
  }

  /** What a key or a click does. */
  async run(command: string): Promise<void> {
    await this.#commands.get(command)?.();
  }

  /** What F5 does: the configuration with which the debugger would start; undefined: it does not. */
  async start(configuration: DebugConfiguration): Promise<DebugConfiguration | undefined> {
    return await this.#provider?.resolveDebugConfigurationWithSubstitutedVariables(undefined, configuration);
  }

  /** What the stop button does, after the program. */
  stop(configuration: DebugConfiguration): void {
    this.#ended({ id: "1", configuration });
  }

  /** Closes the window. */
  [Symbol.dispose](): void {
    for (const one of this.context.subscriptions) one.dispose();
  }
}
