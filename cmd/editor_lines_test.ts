// The lines of `mirrord ext`, read by a stub of what upstream's editor extensions do with them.

import assert from "node:assert/strict";
import { errorOf, type IdeMessage, launchEnvironment } from "../tests/support/editor_contract.ts";
import { EditorReader } from "../tests/support/editor_contract.ts";
import { EditorLines } from "./editor_lines.ts";

const task = "mirrord preparing to launch";
const result = {
  environment: { LD_PRELOAD: "/a/b.so", TEXT: 'two\nlines, "quoted"' },
  patched_path: null,
  env_to_unset: ["HOME"],
  uses_operator: false,
};

/** Lines for an editor, and what it has read of them. `read`: it reads what is written when it has room. */
function editor(
  { hasButtons = true, read = () => Promise.resolve(), wrote = (_line: string) => {} } = {},
) {
  const reader = new EditorReader();
  const lines = new EditorLines(task, {
    write: (line) => reader.read(line),
    writeWhenRead: async (line) => {
      await read();
      reader.read(line);
      wrote(line);
    },
    hasButtons,
  });
  return { lines, reader };
}

Deno.test("steps are parts of the task whose end carries the environment", () => {
  const { lines, reader } = editor();
  assert.deepEqual([...reader.open], [task]);
  lines.steps.begin("Starting the agent", true);
  assert.deepEqual([...reader.open], [task, "Starting the agent"]);
  lines.steps.note("the image is pulled");
  lines.steps.end("Starting the agent", "Agent started");
  assert.equal(reader.launch, null);
  lines.ready(result);
  assert.deepEqual(reader.launch, result);
  assert.deepEqual([...reader.open, ...reader.failed], []);
  assert.deepEqual(reader.infos, ["the image is pulled"]);
  lines.failed(); // the session's end is none of the task's
  assert.deepEqual(reader.failed, []);
});

Deno.test("an editor adds the variables to its own and removes what is to go", () => {
  const own = { HOME: "/root", LD_PRELOAD: "/old.so", OTHER: "stays" };
  assert.deepEqual(launchEnvironment(own, result), { ...result.environment, OTHER: "stays" });
});

Deno.test("a start that fails ends its task, and each step of it", () => {
  const { lines, reader } = editor();
  lines.steps.begin("Looking for the target", false);
  lines.steps.end("Looking for the target", undefined);
  lines.failed();
  assert.deepEqual([reader.failed, reader.launch], [["Looking for the target", task], null]);
});

Deno.test("warnings are warnings; those that the docs say more about have a button where editors know it", () => {
  const { lines, reader } = editor();
  lines.log("info", "as it is");
  lines.log("debug", "more");
  lines.log("warning", "look");
  lines.log("error", "worse");
  lines.log("warning", "two pods", "multipod_warning");
  lines.log("info", "no warning", "multipod_warning");
  lines.log("warning", "an event without a page", "moved");
  assert.deepEqual(reader.infos, ["as it is", "more", "no warning"]);
  assert.deepEqual(reader.warnings, ["look", "worse", "an event without a page"]);
  const [{ actions, ...message } = {} as IdeMessage, ...others] = reader.messages;
  assert.deepEqual(others, []);
  assert.deepEqual(message, { id: "multipod_warning", level: "Warning", text: "two pods" });
  assert.match(actions?.[0]?.link ?? "", /\/docs\/editors\.md#multipod_warning$/);

  const old = editor({ hasButtons: false });
  old.lines.log("warning", "two pods", "multipod_warning");
  assert.deepEqual([old.reader.warnings, old.reader.messages], [["two pods"], []]);
});

Deno.test("every button leads to a heading of the docs", () => {
  const docs = Deno.readTextFileSync(new URL("../docs/editors.md", import.meta.url));
  const { lines, reader } = editor();
  for (const topic of ["multipod_warning", "handedOver", "unhooked"]) lines.log("warning", topic, topic);
  assert.equal(reader.messages.length, 3);
  for (const { actions } of reader.messages) {
    const [, anchor = ""] = (actions[0]?.link ?? "").split("#");
    assert.match(docs, new RegExp(`^###? ${anchor}$`, "im"));
  }
});

Deno.test("an editor that reads no more stops nothing, and hears later how much it missed", async () => {
  const [room, last] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const { lines, reader } = editor({
    read: () => room.promise,
    wrote: (line) => line.includes("dropped") ? last.resolve() : undefined,
  });
  lines.ready(result);
  for (let count = 0; count < 1005; count++) lines.log("info", `line ${count}`);
  assert.deepEqual(reader.infos, []);
  room.resolve();
  await last.promise;
  assert.equal(reader.infos.length, 1000);
  assert.equal(reader.infos.at(-1), "line 999");
  assert.deepEqual(reader.warnings, ["5 messages were dropped, as they were not read"]);
});

Deno.test("an editor finds a failure in standard error, on one line", async () => {
  const code = `
    import { printError } from ${JSON.stringify(new URL("./ui.ts", import.meta.url).href)};
    import { MirrordError } from ${JSON.stringify(new URL("../core/base/errors.ts", import.meta.url).href)};
    const cause = new Error("second\\nline", { cause: new Error("third \\u202e") });
    printError(new MirrordError("Cannot go on", { help: "Do this.", cause }), ARGUMENT);
    printError(new TypeError("oops"), ARGUMENT);
  `;
  const printed = async (argument: string, env: Record<string, string>) => {
    const { stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", code.replaceAll("ARGUMENT", argument)],
      env,
    }).output();
    return new TextDecoder().decode(stderr);
  };
  const asked = await printed("true", {});
  assert.deepEqual(errorOf(asked), {
    message: "Cannot go on",
    help: "Do this.",
    causes: ["second\nline", "third \u202e"],
  });
  const [, bug = "", ...others] = asked.trimEnd().split("\n");
  assert.deepEqual(others, []);
  assert.match(errorOf(bug).causes.join(), /TypeError: oops\n +at /);
  assert.ok(!asked.includes("\u202e"), "a terminal could obey it");
  assert.equal(await printed("false", { MIRRORD_PROGRESS_MODE: "json" }), asked);
  assert.match(await printed("false", { MIRRORD_PROGRESS_MODE: "" }), /^mirrord error: Cannot go on\n/);
});
