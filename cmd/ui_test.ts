// Text on the terminal: what comes from a pod or a server cannot control it.

import assert from "node:assert/strict";
import { printable } from "./ui.ts";

const module = JSON.stringify(new URL("./ui.ts", import.meta.url).href);
const errors = JSON.stringify(new URL("../core/base/errors.ts", import.meta.url).href);
const logs = JSON.stringify(new URL("../core/base/log.ts", import.meta.url).href);

/** What a program prints on standard error. */
async function printed(code: string, env: Record<string, string> = {}): Promise<string> {
  const { stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", code],
    env: { NO_COLOR: "1", ...env },
  }).output();
  return new TextDecoder().decode(stderr);
}

Deno.test("control characters are written out", () => {
  assert.equal(printable("a\x1b[2Jb\x9b1m\x07\x7f\r!\r\n"), "a\\u001b[2Jb\\u009b1m\\u0007\\u007f\\u000d!\n");
  assert.equal(printable("abc\u202ecba"), "abc\\u202ecba");
  assert.equal(printable("tab\t, line\nend, größer 日本"), "tab\t, line\nend, größer 日本");
});

Deno.test("an error's message, cause and help cannot steer the terminal", async () => {
  const text = await printed(`
    import { printError } from ${module};
    import { MirrordError } from ${errors};
    printError(new MirrordError("bad \\x1b]0;title\\x07", { cause: new Error("\\x1b[2J"), help: "\\x1b[8m" }));
  `);
  assert.equal(
    text,
    "mirrord error: bad \\u001b]0;title\\u0007\n  cause: \\u001b[2J\n  help: \\u001b[8m\n",
  );
});

Deno.test("a log line stays one line", async () => {
  const text = await printed(`
    import { showLog } from ${module};
    import { log } from ${logs};
    await showLog();
    log.warning("from a pod\\x1b[1A\\nmirrord error: forged");
  `);
  assert.equal(text, "mirrord warning: from a pod\\u001b[1A mirrord error: forged\n");
});

Deno.test("a bug ends with 70 and its stack, a failure with its own code", async () => {
  for (
    const [made, code, said] of [['new TypeError("oops")', 70, /bug in mirrord\nTypeError: oops\n +at /], [
      'new MirrordError("no", { exitCode: 69 })',
      69,
      /^mirrord error: no\n$/,
    ]] as const
  ) {
    const run = await new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        "--no-config",
        `import { printError } from ${module}; import { MirrordError } from ${errors}; Deno.exit(printError(${made}));`,
      ],
      env: { NO_COLOR: "1" },
    }).output();
    assert.equal(run.code, code);
    assert.match(new TextDecoder().decode(run.stderr), said);
  }
});

Deno.test("an event has a sentence for people, and for programs a line of its own after it", async () => {
  const code = `
    import { showEvent, showLog } from ${module};
    await showLog();
    showEvent({ type: "released", port: 80 }, { level: "warning", text: "no more" });
    showEvent({ type: "connectionOpened", port: 80 }, null);
  `;
  assert.equal(await printed(code), "mirrord warning: no more\n");
  assert.equal(
    await printed(code, { MIRRORD_PROGRESS_MODE: "json" }),
    '{"type":"Warning","message":"no more"}\n{"type":"released","port":80}\n{"type":"connectionOpened","port":80}\n',
  );
});
