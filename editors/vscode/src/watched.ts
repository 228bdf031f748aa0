// The sessions of this user as they run, by their control sockets (docs/sessions.md of the project): those of
// this editor and those of terminals. Nothing here knows the editor's API; view.ts shows them.

import { existsSync, lstatSync, mkdirSync, readdirSync, watch } from "node:fs";
import { createConnection, type Socket } from "node:net";

/** What a session says of itself; of the events, what the view shows. */
export interface Facts {
  id: string;
  pid: number;
  kind: string;
  command: string[];
  directory: string;
  target: string;
  namespace: string | null;
  state: string;
  ports: { port: number; mode: string; filtered: boolean }[];
}

/** An event (docs/events.md), or a detail, which comes while somebody watches. */
export interface SessionEvent {
  type: string;
  [field: string]: unknown;
}

type Exchange = SessionEvent & {
  number: number;
  isOver: boolean;
  status: number | null;
  milliseconds: number;
  request: { head: string };
};

/** So many lines are kept of each list. */
const mostKept = 100;

/** One session: its facts, and what happened. */
export class WatchedSession {
  readonly facts: Facts;
  /** Ports of the target, in words. */
  readonly ports = new Map<number, string>();
  /** Connections that are open now, in words, with how many of the same there are. */
  readonly connections = new Map<string, number>();
  /** The last requests by their numbers, in words. */
  readonly requests = new Map<number, string>();
  state: string;

  constructor(facts: Facts) {
    this.facts = facts;
    this.state = facts.state;
    for (const { port, mode, filtered } of facts.ports) this.ports.set(port, portText(mode, filtered));
  }

  /** Follows an event; false: it shows nothing new. */
  take(event: SessionEvent): boolean {
    const { type, port } = event as { type: string; port: number };
    switch (type) {
      case "subscribed":
        this.ports.set(port, portText(event["mode"], event["filtered"]));
        return true;
      case "released":
        return this.ports.delete(port);
      case "connectionOpened":
      case "connectionClosed":
        this.#count(connectionText(event), type === "connectionOpened" ? 1 : -1);
        return true;
      case "exchange":
        this.#keep(event as Exchange);
        return true;
      case "paused":
      case "silent":
        this.state = type;
        return true;
      case "continued":
      case "heardAgain":
        this.state = "running";
        return true;
      default:
        return false;
    }
  }

  #keep(exchange: Exchange): void {
    const isNew = !this.requests.has(exchange.number);
    this.requests.set(exchange.number, requestText(exchange));
    const [oldest = 0] = this.requests.keys();
    if (isNew && this.requests.size > mostKept) this.requests.delete(oldest);
  }

  #count(text: string, change: number): void {
    const count = (this.connections.get(text) ?? 0) + change;
    if (count > 0) this.connections.set(text, count);
    else this.connections.delete(text);
  }
}

function portText(mode: unknown, filtered: unknown): string {
  return `${mode === "steal" ? "stolen" : "mirrored"}${filtered === true ? ", filtered" : ""}`;
}

function connectionText({ direction, port, peer }: SessionEvent): string {
  return direction === "incoming" ? `${peer} → port ${port}` : `→ ${peer}`;
}

/** "GET /cart → 200, 12 ms", and "GET /cart …" until it is answered. Queries may hold secrets. */
function requestText({ request, isOver, status, milliseconds }: Exchange): string {
  const [method = "", target = ""] = request.head.split(/[ \r\n]/, 2);
  const what = `${method} ${target.replace(/[?#].*/, "")}`;
  return isOver ? `${what} → ${status ?? "no answer"}, ${Math.round(milliseconds)} ms` : `${what} …`;
}

/** Where sessions have their sockets: as core/control/folder.ts of the project looks for them. */
export function controlFolders(env: Readonly<Record<string, string | undefined>>): string[] {
  const { XDG_RUNTIME_DIR: runtime, XDG_CACHE_HOME: cache, HOME: home } = env;
  return [
    ...(runtime ? [`${runtime}/mirrord`] : []),
    ...(cache ? [`${cache}/mirrord/sessions`] : []),
    ...(home ? [`${home}/.cache/mirrord/sessions`] : []),
  ];
}

/** Watches every session until it is disposed; `changed` is called when there is something new to show. */
export class Watch {
  readonly sessions = new Map<string, WatchedSession>();
  readonly #changed: () => void;
  readonly #sockets = new Map<string, Socket>();
  readonly #watchers: { close(): void }[] = [];

  constructor(env: Readonly<Record<string, string | undefined>>, changed: () => void) {
    this.#changed = changed;
    for (const folder of controlFolders(env).filter(isOwn)) {
      const look = (): void => this.#look(folder);
      this.#watchers.push(watch(folder, look).on("error", () => {}));
      look();
    }
  }

  dispose(): void {
    for (const watcher of this.#watchers) watcher.close();
    for (const socket of this.#sockets.values()) socket.destroy();
  }

  #look(folder: string): void {
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
      const path = `${folder}/${name}`;
      if (/^[0-9a-f]{8}\.\d+\.sock$/.test(name) && !this.#sockets.has(path)) this.#follow(path);
    }
  }

  #follow(path: string): void {
    const socket = createConnection(path);
    this.#sockets.set(path, socket);
    let rest = "";
    socket.setEncoding("utf8").on("connect", () => socket.write('{"ask":"watch","details":true}\n'));
    socket.on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      if (lines.map((line) => this.#take(path, line)).includes(true)) this.#changed();
    });
    socket.on("error", () => {}); // the end comes after it
    socket.on("close", () => {
      this.#sockets.delete(path);
      if (this.sessions.delete(path)) this.#changed();
    });
  }

  #take(path: string, line: string): boolean {
    const { facts, event, detail } = JSON.parse(line) as {
      facts?: Facts;
      event?: SessionEvent;
      detail?: SessionEvent;
    };
    if (facts !== undefined) this.sessions.set(path, new WatchedSession(facts));
    const told = event ?? detail;
    return facts !== undefined || (told !== undefined && this.sessions.get(path)?.take(told) === true);
  }
}

/** Makes a folder that is missing, so that it can be watched; one that others may enter is left alone. */
function isOwn(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return (lstatSync(folder).mode & 0o077) === 0;
  } catch {
    return false;
  }
}
