// Checks a HAR file by the published JSON schemas of HAR 1.2. har_check.cjs MODULES FILE; prints what is wrong.

const [modules, file] = Deno.args;
const load = (name) => require(`${modules}/${name}`);
const ajv = new (load("ajv"))({ unknownFormats: "ignore" });
ajv.addMetaSchema(load("ajv/lib/refs/json-schema-draft-06.json"));
ajv.addSchema(Object.values(load("har-schema")));
const text = ajv.validate("har.json#", JSON.parse(Deno.readTextFileSync(file))) ? "" : ajv.errorsText();
Deno.stdout.writeSync(new TextEncoder().encode(text));
