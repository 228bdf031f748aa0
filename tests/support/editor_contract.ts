// What upstream's editor extensions do with mirrord's output, as their contract says it (docs/editors.md): a
// stub of both. VS Code's logs a line that it cannot read and JetBrains' fails; this one fails. Used by the
// unit tests of the lines and by editor.ts.

import assert from "node:assert/strict";

/** What an editor starts a program by. */
export interface Launch {
  environment: Record<string, string>;
  patched_path: string | null;
  env_to_unset: string[];
  uses_operator: boolean;
}

/** What an editor starts a container by. */
export interface ContainerLaunch {
  runtime: string;
  extra_args: string[];
  uses_operator: boolean;
}

/** A message with buttons. */
export interface IdeMessage {
  id: string;
  level: "Info" | "Warning";
  text: string;
  actions: { kind: "Link"; label: string; link: string }[];
}

/** A line of standard output. */
type Line =
  | { type: "NewTask"; name: string; parent: string | null }
  | { type: "FinishedTask"; name: string; success: boolean; message: string | null }
  | { type: "Warning"; message: string }
  | { type: "Info"; message: string }
  | { type: "IdeMessage"; message: IdeMessage };

const fields: Record<Line["type"], string[]> = {
  NewTask: ["name", "parent"],
  FinishedTask: ["name", "success", "message"],
  Warning: ["message"],
  Info: ["message"],
  IdeMessage: ["message"],
};
const finalTask = "mirrord preparing to launch";

/** Reads the lines of one session, in order. */
export class EditorReader {
  launch: Launch | null = null;
  container: ContainerLaunch | null = null;
  readonly warnings: string[] = [];
  readonly infos: string[] = [];
  readonly messages: IdeMessage[] = [];
  /** Tasks that have begun and not ended. */
  readonly open = new Set<string>();
  readonly failed: string[] = [];

  read(text: string): void {
    const line = JSON.parse(text) as Line;
    assert.ok(Object.hasOwn(fields, line.type), `an editor knows no "${line.type}"`);
    assert.deepEqual(Object.keys(line).sort(), ["type", ...fields[line.type]].sort());
    switch (line.type) {
      case "NewTask":
        if (line.parent !== null) assert.ok(this.open.has(line.parent), `"${line.parent}" is not open`);
        this.open.add(line.name);
        break;
      case "FinishedTask":
        assert.ok(this.open.delete(line.name), `"${line.name}" has not begun`);
        if (!line.success) this.failed.push(line.name);
        else if (line.name === finalTask) this.#end(line.message);
        break;
      case "IdeMessage":
        assert.match(line.message.level, /^(Info|Warning)$/);
        for (const { kind, label, link } of line.message.actions) {
          assert.equal(kind, "Link");
          assert.ok(label !== "");
          assert.match(link, /^https:\/\//);
        }
        this.messages.push(line.message);
        break;
      default:
        (line.type === "Warning" ? this.warnings : this.infos).push(line.message);
    }
  }

  /** The final line's message is JSON once more. */
  #end(message: string | null): void {
    const launch = JSON.parse(message ?? "") as Launch | ContainerLaunch;
    if ("environment" in launch) this.launch = launchOf(launch);
    else this.container = containerOf(launch);
  }
}

function containerOf(launch: ContainerLaunch): ContainerLaunch {
  assert.match(launch.runtime, /^(docker|podman|nerdctl)$/);
  for (const word of launch.extra_args) assert.equal(typeof word, "string");
  assert.equal(typeof launch.uses_operator, "boolean");
  return launch;
}

function launchOf(launch: Launch): Launch {
  for (const value of Object.values(launch.environment)) assert.equal(typeof value, "string");
  assert.ok(Array.isArray(launch.env_to_unset));
  assert.equal(typeof launch.uses_operator, "boolean");
  assert.ok(launch.patched_path === null || launch.patched_path.startsWith("/"));
  return launch;
}

/** The failure that an editor shows: out of one line of standard error. */
export function errorOf(stderr: string): { message: string; help: string; causes: string[] } {
  const [, json] = /^Error: (.*)$/m.exec(stderr) ?? [];
  assert.ok(json !== undefined, `an editor finds no error in:\n${stderr}`);
  const { message, help, causes } = JSON.parse(json);
  assert.deepEqual([typeof message, typeof help, Array.isArray(causes)], ["string", "string", true]);
  return { message, help, causes };
}

/** The environment in which an editor starts a program that would have had `own`. */
export function launchEnvironment(own: Record<string, string>, launch: Launch): Record<string, string> {
  const merged = { ...own, ...launch.environment };
  for (const name of launch.env_to_unset) delete merged[name];
  return merged;
}
