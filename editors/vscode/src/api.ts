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
}

export interface Memento {
  get<T>(key: string): T | undefined;
  update(key: string, value: unknown): PromiseLike<void>;
}

export interface ExtensionContext {
  subscriptions: Disposable[];
  workspaceState: Memento;
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
    showWarningMessage(message: string, ...buttons: string[]): PromiseLike<string | undefined>;
    showErrorMessage(message: string, ...buttons: string[]): PromiseLike<string | undefined>;
    withProgress<T>(
      options: { location: number; title: string; cancellable: boolean },
      task: (progress: Progress, token: CancellationToken) => Promise<T>,
    ): PromiseLike<T>;
  };
  commands: {
    registerCommand(name: string, action: () => unknown): Disposable;
  };
  debug: {
    registerDebugConfigurationProvider(type: string, provider: DebugConfigurationProvider): Disposable;
    onDidTerminateDebugSession(listener: (session: DebugSession) => void): Disposable;
  };
  workspace: {
    workspaceFolders: readonly WorkspaceFolder[] | undefined;
    getConfiguration(section: string): { get<T>(key: string, otherwise: T): T };
    findFiles(include: string, exclude?: string | null, maximum?: number): PromiseLike<Uri[]>;
  };
  env: {
    openExternal(target: Uri): PromiseLike<boolean>;
  };
  Uri: { parse(text: string): Uri };
  StatusBarAlignment: { Left: number };
  ProgressLocation: { Notification: number };
}
