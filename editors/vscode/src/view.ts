// The view "mirrord" beside the debugger: the sessions of this user, with their ports, open connections and
// requests as they come. Made by extension.ts; what there is comes from watched.ts.

import type { EventEmitter, TreeDataProvider, TreeItem, Vscode } from "./api.ts";
import { Watch, type WatchedSession } from "./watched.ts";

/** A line of the view and the lines below it. */
export interface Node {
  id: string;
  label: string;
  description: string;
  icon: string;
  children: Node[];
  /** null: it never has lines below it. */
  isOpen: boolean | null;
}

/** The lines of a session. */
export function nodeOf({ facts, state, ports, connections, requests }: WatchedSession): Node {
  const { id, command, kind, target, pid } = facts;
  const list = (
    name: string,
    icon: string,
    lines: [label: string, description: string][],
    isOpen = true,
  ): Node => ({
    id: `${id}/${name}`,
    label: name,
    description: lines.length === 0 ? "none" : String(lines.length),
    icon,
    isOpen,
    children: lines.map(([label, description], at) => ({
      id: `${id}/${name}/${lines.length - at}`,
      label,
      description,
      icon,
      isOpen: null,
      children: [],
    })),
  });
  const program = command.length === 0 ? kind === "ext" ? "editor" : kind : command.join(" ");
  return {
    id,
    label: target,
    description: `${program}, process ${pid}${state === "running" ? "" : `, ${state}`}`,
    icon: "radio-tower",
    isOpen: true,
    children: [
      list("Ports", "plug", [...ports].map(([port, text]) => [String(port), text])),
      list("Requests", "arrow-right", [...requests.values()].reverse().map((text) => [text, ""])),
      list(
        "Connections",
        "link",
        [...connections].map(([text, count]) => [text, count > 1 ? `× ${count}` : ""]),
        false,
      ),
    ],
  };
}

/** Shows the sessions, until it is disposed. */
export class SessionsView implements TreeDataProvider<Node> {
  readonly onDidChangeTreeData: unknown;
  readonly #vscode: Vscode;
  readonly #changes: EventEmitter;
  readonly #env: Readonly<Record<string, string | undefined>>;
  /** undefined: the view was never open, so nothing is asked of sessions. */
  #watch: Watch | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(vscode: Vscode, env: Readonly<Record<string, string | undefined>>) {
    this.#vscode = vscode;
    this.#changes = new vscode.EventEmitter();
    this.onDidChangeTreeData = this.#changes.event;
    this.#env = env;
  }

  getChildren(node?: Node): Node[] {
    if (node !== undefined) return node.children;
    this.#watch ??= new Watch(this.#env, () => this.#changed());
    return [...this.#watch.sessions.values()].map(nodeOf);
  }

  getTreeItem({ id, label, description, icon, isOpen }: Node): TreeItem {
    const { ThemeIcon, TreeItem, TreeItemCollapsibleState: state } = this.#vscode;
    const item = new TreeItem(
      label,
      isOpen === null ? state.None : isOpen ? state.Expanded : state.Collapsed,
    );
    return Object.assign(item, { id, description, iconPath: new ThemeIcon(icon) });
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#watch?.dispose();
  }

  /** Draws at most ten times a second, however many requests come. */
  #changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#changes.fire(undefined);
    }, 100);
  }
}
