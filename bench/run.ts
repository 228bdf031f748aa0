// `./dev bench [NAME...]`: runs bench/NAME.ts, all by default. Each prints one or more ratios against a real peer,
// measured in the same run: absolute times on a shared machine say little.

const here = new URL("./", import.meta.url);
/** What the benches share. */
const parts = ["run.ts", "measure.ts", "hooked_start.ts", "port_forward.ts"];
const all = [...Deno.readDirSync(here)].map((entry) => entry.name)
  .filter((name) => name.endsWith(".ts") && !parts.includes(name)).sort();
const asked = Deno.args.length === 0 ? all : Deno.args.map((name) => name.replace(/(\.ts)?$/, ".ts"));
const unknown = asked.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  Deno.stderr.writeSync(
    new TextEncoder().encode(`Cannot run "${unknown.join(" ")}": there are ${all.join(" ")}\n`),
  );
  Deno.exit(2);
}
let failed = false;
for (const name of asked) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL(name, here).pathname],
    stdin: "null",
  }).spawn();
  failed = !(await child.status).success || failed;
}
Deno.exit(failed ? 1 : 0);
