// Work that the app hands to a process outside the session: a client of tmux, pm2 or Docker only asks for a
// program to be run, and the process that runs it was there before. Made by session.ts; the layer reports the
// app's peers on Unix sockets, outgoing_rules.ts its peers on this machine's loopback. Each such process is
// named once. Databases and desktops run nothing for the app.

import { decode, layerMessages } from "../../protocol-wasm/mod.ts";
import type { Emit } from "./events.ts";
import type { AppProcess, Floor, Question } from "./floor.ts";
import { platform } from "../net/this_platform.ts";

const { listenerAt } = await platform.network();
const { allProcesses, commandLine, environmentOf, nameOf } = await platform.processes();

interface Daemon {
  name: string;
  /** Its name and its command line, one after the other. */
  runs?: RegExp;
  /** The path of its socket. Another process may listen for it: systemd does for Docker. */
  path?: RegExp;
  /** What to do about it. */
  help: string;
}

const daemons: Daemon[] = [
  { name: "tmux", runs: /^tmux: server|^tmux /, help: 'Take a server of its own for it ("tmux -L NAME").' },
  { name: "screen", runs: /^screen /i, help: "Start a new screen under mirrord." },
  { name: "Zellij", runs: /^zellij /, help: "Start a new session of it under mirrord." },
  { name: "dtach", runs: /^(dtach|abduco) /, help: "Start a new session of it under mirrord." },
  {
    name: "pm2",
    runs: /^PM2 v|PM2 v[\d.]+: God Daemon/,
    help: 'End its daemon first ("pm2 kill"), or use pm2-runtime.',
  },
  {
    name: "Docker",
    runs: /^dockerd /,
    path: /docker[^/]*\.sock$/,
    help: "Run the program itself under mirrord, not in a container.",
  },
  {
    name: "Podman, containerd or BuildKit",
    runs: /^(podman|containerd|buildkitd|crio) /,
    path: /(podman|containerd|buildkitd|crio)[^/]*\.sock/,
    help: "Run the program itself under mirrord, not in a container.",
  },
  { name: "LXD or Incus", path: /(lxd|incus)\/unix\.socket/, help: "Run the program itself under mirrord." },
  {
    name: "systemd",
    path: /\/systemd\/private$/,
    help: "Run the program itself under mirrord, without systemd.",
  },
  { name: "Emacs", runs: /^emacs/, path: /\/emacs[^/]*\/server/, help: "Start a new Emacs under mirrord." },
  { name: "Neovim", runs: /^nvim /, help: "Start a new Neovim under mirrord." },
  {
    name: "supervisord",
    runs: /\bsupervisord\b/,
    path: /supervisor[^/]*\.sock$/,
    help: "Start supervisord under mirrord.",
  },
  { name: "Overmind", runs: /^overmind /, path: /overmind\.sock$/, help: "Start Overmind under mirrord." },
  { name: "process-compose", runs: /^process-compos/, help: "Start process-compose under mirrord." },
  {
    name: "Spring",
    runs: /\bspring (server|app) +\| /,
    help: 'End it first ("spring stop"), or set DISABLE_SPRING=1.',
  },
  {
    name: "Gradle",
    runs: /\borg\.gradle\.launcher\.daemon\./,
    help: 'Use "--no-daemon", or end it first ("gradle --stop").',
  },
  { name: "mvnd", runs: /\borg\.mvndaemon\.mvnd\./, help: 'End it first ("mvnd --stop").' },
  {
    name: "Bazel",
    runs: /^bazel\(|\bA-server\.jar\b/,
    help: 'Use "bazel --batch", or end it first ("bazel shutdown").',
  },
  { name: "Buck", runs: /\bbuck2?d\b/, help: 'End it first ("buck kill").' },
  {
    name: "sbt",
    runs: /\bxsbt\.boot\.Boot\b|\bsbt-launch[^ ]*\.jar\b/,
    help: 'End it first ("sbt shutdown").',
  },
  {
    name: "Mill",
    runs: /\bmill\.(daemon|runner|main\.server)\b/,
    help: 'Use "mill --no-server", or end it first ("mill shutdown").',
  },
  { name: "Bloop", runs: /\bbloop\.Bloop/, help: 'End it first ("bloop exit").' },
  { name: "Nailgun", runs: /\bnailgun\.NGServer\b/, help: "End it first." },
];

/**
 * Clients that ask a daemon by way of a third process, by the names of their files; `stays`: arguments with
 * which they do not.
 */
const clients: Record<string, { name: string; stays?: RegExp; help: string }> = {
  "systemd-run": {
    name: "systemd",
    stays: /^--scope$/,
    help: 'Use "systemd-run --scope", or run the program itself.',
  },
  machinectl: { name: "systemd", help: "Run the program itself under mirrord." },
  flatpak: { name: "Flatpak", help: "Run the program itself under mirrord." },
  "gnome-terminal": { name: "the terminal", help: "Run mirrord in the terminal instead." },
};

export class Handed implements Floor {
  readonly kinds = ["handed"] as const;
  readonly #told = new Set<string>();
  readonly #remote: boolean;
  readonly #entry: string;
  readonly #isOurs: (pid: number) => boolean;
  readonly #here: (pid: number) => number;
  readonly #emit: Emit;

  /**
   * remote: there is a target. socketPath: every process of this session has it in its environment; isOurs:
   * it spoke with it. here: the number on this machine of a process that the app names; 0: not known.
   */
  constructor(
    { remote, socketPath, isOurs, here, emit }: {
      remote: boolean;
      socketPath: string;
      isOurs: (pid: number) => boolean;
      here: (pid: number) => number;
      emit: Emit;
    },
  ) {
    this.#remote = remote;
    this.#entry = `MIRRORD_LAYER_SOCKET=${socketPath}`;
    this.#isOurs = isOurs;
    this.#here = here;
    this.#emit = emit;
  }

  answer({ frame, process }: Question): Promise<void> {
    if (!this.#remote) return Promise.resolve();
    const message = decode(layerMessages.handed, frame.body);
    const path = new TextDecoder().decode(message.path);
    const client = clientOf(process);
    if (client !== undefined) {
      this.#tell(client, null);
      return Promise.resolve();
    }
    const peer = this.#here(message.process);
    if (peer > 0 && !this.#isInside(peer)) {
      const runs = describe(peer);
      const daemon = daemons.find((one) => one.path?.test(path) || one.runs?.test(runs));
      if (daemon !== undefined) this.#tell(daemon, peer);
    }
    return Promise.resolve();
  }

  /** The app connects to a port of this machine's loopback that no socket of its own has. */
  port(port: number): void {
    if (this.#told.has(String(port))) return;
    this.#told.add(String(port));
    for (const pid of allProcesses()) {
      const runs = describe(pid);
      const daemon = daemons.find((one) => one.runs?.test(runs));
      if (daemon === undefined || listenerAt(port, [pid]) === null || this.#isInside(pid)) continue;
      return this.#tell(daemon, pid);
    }
  }

  #tell({ name, help }: { name: string; help: string }, pid: number | null): void {
    if (this.#told.has(name)) return;
    this.#told.add(name);
    this.#emit({ type: "handedOver", to: name, pid, help });
  }

  /**
   * A process that wrote over its environment is known by its link to the session. One that may not be
   * inspected is another user's.
   */
  #isInside(pid: number): boolean {
    return this.#isOurs(pid) || environmentOf(pid).split("\0").includes(this.#entry);
  }
}

function clientOf({ pid, executable }: AppProcess): typeof clients[string] | undefined {
  const client = clients[executable.slice(executable.lastIndexOf("/") + 1)];
  const stays = client?.stays;
  return stays !== undefined && commandLine(pid).some((word) => stays.test(word)) ? undefined : client;
}

/** Its name and its command line. */
function describe(pid: number): string {
  return `${nameOf(pid)} ${commandLine(pid).join(" ")}`;
}
