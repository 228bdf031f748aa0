// Loads a module and a text out of what is mounted in a pod, and prints what it saw as JSON lines. Arguments: the folders.

const fs = require("node:fs");
const { join } = require("node:path");
const process = require("node:process");

const say = (...words) => process.stdout.write(JSON.stringify(words) + "\n");

for (const folder of process.argv.slice(2)) {
  try {
    say(folder, fs.readdirSync(folder).sort(), fs.existsSync(folder));
    say(folder, require(join(folder, "settings.js")).answer, require(join(folder, "plain.json")));
    say(folder, fs.readFileSync(join(folder, "settings.js"), "utf8"));
  } catch (error) {
    say(folder, error.code);
  }
}
