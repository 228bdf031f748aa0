// What this extension uses of VS Code's API, as types only: the editor hands over the rest (extension.ts).
// Names and meanings are those of the editor's API reference.

export interface Disposable {
  dispose(): unknown;
}

export interface Uri {
  fsPath: string;
}

export interface WorkspaceFolder {
  uri: Uri;
  name: string;
}

/** An entry of launch.json, its variables replaced. */
export interface DebugConfiguration {
  type: string;
  name: string;
  request: string;
  [key: string]: unknown;
}

export interface DebugSession {
  id: string;
  configuration: DebugConfiguration;
}

export interface DebugConfigurationProvider {
  resolveDebugConfigurationWithSubstitutedVariables(
    folder: WorkspaceFolder | undefined,
    configuration: DebugConfiguration,
  ): Promise<DebugConfiguration | undefined>;
}

export interface StatusBarItem extends Disposable {
  text: string;
  tooltip: string | undefined;
  command: string | undefined;
  show(): void;
}

export interface OutputChannel extends Disposable {
  appendLine(text: string): void;
  show(preserveFocus?: boolean): void;
}

export interface QuickPickItem {
  label: string;
  description?: string;
  /** -1: a heading, which cannot be picked. */
  kind?: number;
}

export interface Memento {
  get<T>(key: string): T | undefined;
  update(key: string, value: unknown): PromiseLike<void>;
}

export interface ExtensionContext {
  subscriptions: Disposable[];
  workspaceState: Memento;
}

export interface TextDocument {
  uri: Uri;
  isDirty: boolean;
}

export interface DiagnosticCollection extends Disposable {
  set(uri: Uri, diagnostics: unknown[]): void;
  delete(uri: Uri): void;
}

export interface Range {
  start: { line: number };
}

export interface EventEmitter {
  event: unknown;
  fire(what: undefined): void;
}

export interface TreeItem {
  label: string;
}

export interface TreeDataProvider<T> {
  onDidChangeTreeData: unknown;
  getChildren(node?: T): T[];
  getTreeItem(node: T): TreeItem;
}

export interface Terminal {
  show(): void;
  sendText(text: string, shouldExecute: boolean): void;
}

export interface Progress {
  report(value: { message?: string }): void;
}

export interface CancellationToken {
  onCancellationRequested(listener: () => void): Disposable;
}

/** The module "vscode". */
export interface Vscode {
  window: {
    createStatusBarItem(alignment: number, priority?: number): StatusBarItem;
    createOutputChannel(name: string): OutputChannel;
    showQuickPick<T extends QuickPickItem>(
      items: readonly T[],
      options?: { title?: string; placeHolder?: string },
    ): PromiseLike<T | undefined>;
    showInputBox(options: { title: string; placeHolder: string }): PromiseLike<string | undefined>;
    showInformationMessage(message: string): PromiseLike<string | undefined>;
    showWarningMessage(message: string, ...buttons: string[]): PromiseLike<string | undefined>;
    showErrorMessage(message: string, ...buttons: string[]): PromiseLike<string | undefined>;
    createTerminal(name: string): Terminal;
    registerTreeDataProvider<T>(view: string, provider: TreeDataProvider<T>): Disposable;
    withProgress<T>(
      options: { location: number; title: string; cancellable: boolean },
      task: (progress: Progress, token: CancellationToken) => Promise<T>,
    ): PromiseLike<T>;
  };
  commands: {
    registerCommand(name: string, action: () => unknown): Disposable;
    executeCommand(name: string, ...given: unknown[]): PromiseLike<unknown>;
  };
  debug: {
    registerDebugConfigurationProvider(type: string, provider: DebugConfigurationProvider): Disposable;
    onDidTerminateDebugSession(listener: (session: DebugSession) => void): Disposable;
    startDebugging(
      folder: WorkspaceFolder | undefined,
      configuration: DebugConfiguration,
    ): PromiseLike<boolean>;
  };
  languages: {
    createDiagnosticCollection(name: string): DiagnosticCollection;
  };
  workspace: {
    workspaceFolders: readonly WorkspaceFolder[] | undefined;
    textDocuments: readonly TextDocument[];
    onDidOpenTextDocument(listener: (document: TextDocument) => unknown): Disposable;
    onDidSaveTextDocument(listener: (document: TextDocument) => unknown): Disposable;
    onDidCloseTextDocument(listener: (document: TextDocument) => unknown): Disposable;
    asRelativePath(file: Uri): string;
    getConfiguration(section: string, scope?: Uri): { get<T>(key: string, otherwise: T): T };
    findFiles(include: string, exclude?: string | null, maximum?: number): PromiseLike<Uri[]>;
  };
  env: {
    openExternal(target: Uri): PromiseLike<boolean>;
    clipboard: { writeText(text: string): PromiseLike<void> };
  };
  Uri: { parse(text: string): Uri; file(path: string): Uri };
  EventEmitter: new () => EventEmitter;
  TreeItem: new (label: string, state: number) => TreeItem;
  TreeItemCollapsibleState: { None: number; Collapsed: number; Expanded: number };
  ThemeIcon: new (name: string) => unknown;
  Range: new (line: number, column: number, endLine: number, endColumn: number) => Range;
  Diagnostic: new (range: Range, message: string, severity: number) => unknown;
  DiagnosticSeverity: { Error: number; Warning: number };
  StatusBarAlignment: { Left: number };
  ProgressLocation: { Notification: number };
}
