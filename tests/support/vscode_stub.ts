// The part of VS Code's API that the extension uses, played: answers of the user are given beforehand, and
// what the editor would show is kept. Used by tests/program/vscode_test.ts.

import type {
  DebugConfiguration,
  DebugConfigurationProvider,
  DebugSession,
  ExtensionContext,
  QuickPickItem,
  Range,
  StatusBarItem,
  TextDocument,
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
  /** Texts that the user types, one for each question. */
  readonly typed: string[] = [];
  /** What the editor was asked to do, and what was copied. */
  readonly executed: string[] = [];
  /** File → its findings, as `line: text`. */
  readonly findings = new Map<string, string[]>();
  readonly output: string[] = [];
  readonly steps: string[] = [];
  readonly context: ExtensionContext;
  readonly api: Vscode;
  readonly #commands = new Map<string, () => unknown>();
  readonly #kept = new Map<string, unknown>();
  #provider: DebugConfigurationProvider | undefined;
  #ended: (session: DebugSession) => void = () => {};
  #item: StatusBarItem | undefined;
  #saved: (document: TextDocument) => unknown = () => {};

  constructor(settings: Record<string, unknown>, folder?: string) {
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
        showInputBox: () => Promise.resolve(this.typed.shift()),
        showInformationMessage: (message) => Promise.resolve(void this.output.push(message)),
        createTerminal: (name) => ({
          show: () => {},
          sendText: (text, isRun) => void this.executed.push(`${name}: ${text}${isRun ? " (run)" : ""}`),
        }),
        showWarningMessage: (message) => Promise.resolve(void this.warnings.push(message)),
        showErrorMessage: (message) => Promise.resolve(void this.errors.push(message)),
        registerTreeDataProvider: () => nothing,
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
        executeCommand: (name, file) =>
          Promise.resolve(void this.executed.push(`${name} ${(file as { fsPath: string }).fsPath}`)),
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
        startDebugging: async (_folder, configuration) => await this.start(configuration) !== undefined,
      },
      languages: {
        createDiagnosticCollection: () => ({
          set: ({ fsPath }, found) => void this.findings.set(fsPath, found.map(String)),
          delete: ({ fsPath }) => void this.findings.delete(fsPath),
          ...nothing,
        }),
      },
      workspace: {
        workspaceFolders: folder === undefined ? undefined : [{ uri: { fsPath: folder }, name: "folder" }],
        textDocuments: [],
        onDidOpenTextDocument: () => nothing,
        onDidSaveTextDocument: (listener) => {
          this.#saved = listener;
          return nothing;
        },
        onDidCloseTextDocument: () => nothing,
        asRelativePath: ({ fsPath }) => fsPath,
        getConfiguration: () => ({
          get: <T>(key: string, otherwise: T) => (settings[key] ?? otherwise) as T,
        }),
        findFiles: () => Promise.resolve([{ fsPath: String(settings["file"]) }]),
      },
      env: {
        openExternal: () => Promise.resolve(true),
        clipboard: { writeText: (text) => Promise.resolve(void this.executed.push(`copy ${text}`)) },
      },
      Uri: { parse: (text) => ({ fsPath: text }), file: (path) => ({ fsPath: path }) },
      EventEmitter: class {
        readonly event = undefined;
        fire(): void {}
      },
      TreeItem: class {
        constructor(readonly label: string) {}
      },
      TreeItemCollapsibleState: { None: 0, Collapsed: 1, Expanded: 2 },
      ThemeIcon: class {},
      Range: class {
        readonly start: { line: number };
        constructor(line: number) {
          this.start = { line };
        }
      },
      Diagnostic: class {
        constructor(readonly range: Range, readonly message: string) {}
        toString(): string {
          return `${this.range.start.line}: ${this.message}`;
        }
      },
      DiagnosticSeverity: { Error: 0, Warning: 1 },
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

  /** What Ctrl-S does. */
  async save(path: string): Promise<void> {
    await this.#saved({ uri: { fsPath: path }, isDirty: false });
  }

  /** What F5 does: the configuration with which the debugger would start; undefined: it does not. */
  async start(configuration: DebugConfiguration): Promise<DebugConfiguration | undefined> {
    return await this.#provider?.resolveDebugConfigurationWithSubstitutedVariables(
      this.api.workspace.workspaceFolders?.[0],
      configuration,
    );
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
