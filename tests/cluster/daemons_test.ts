// Processes are told apart by more than their pid, and start with no more than their own.

import assert, { strictEqual } from "node:assert";
import { launch, parseStartTime } from "./daemons.ts";

Deno.test("a start time is read past a command name with parentheses", () => {
  const fields = Array.from({ length: 49 }, (_, index) => String(index + 4));
  strictEqual(parseStartTime(`7 (a) b (c)) S ${fields.join(" ")}`), "22");
  strictEqual(parseStartTime(`7 (gone) Z ${fields.join(" ")}`), null);
});

Deno.test("a daemon keeps no descriptor of the program that starts it", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const given =
      `exec 3>${folder}/lock; exec sh -c "$1" name ${folder} ${folder}/pid ${folder}/log ls -l /proc/self/fd`;
    const { success } = await new Deno.Command("sh", { args: ["-c", given, "sh", launch] }).output();
    assert.ok(success);
    const open = await Deno.readTextFile(`${folder}/log`);
    assert.match(open, /\/log\n/);
    assert.ok(!open.includes("/lock"), open);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
