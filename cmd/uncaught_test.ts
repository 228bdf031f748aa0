// Errors that are not awaited, each in a process of its own, since each ends its process.

import assert from "node:assert/strict";

const module = new URL("./uncaught.ts", import.meta.url).href;

for (
  const [what, code] of [
    ["a callback of the runtime", `setTimeout(() => { throw new Error("planted"); }, 0)`],
    ["a promise that nobody awaits", `void Promise.reject(new Error("planted"))`],
  ] as const
) {
  Deno.test(`an error in ${what} is caught`, async () => {
    const script = `
      import { uncaught } from "${module}";
      const error = uncaught().catch((error) => error.message);
      ${code};
      console.log(await error);
    `;
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: ["eval", script] }).output();
    const decoder = new TextDecoder();
    assert.equal(decoder.decode(stdout).trim(), "planted", decoder.decode(stderr));
  });
}
