// Walks of whole trees by libc: nftw, ftw and fts under the layer, on a fake target's tree that this machine
// has not, show the same entries in the same order as libc's own on that very tree without a layer. Paths of
// both are of one length, so that what counts bytes is the same too.

import assert from "node:assert/strict";
import { deadline } from "../support/deadline.ts";
import { FakeFiles } from "../support/fake_files.ts";
import { FakeSession } from "../support/fake_session.ts";
import { builtLayer, compileApp } from "../support/layer_app.ts";

const physical = 1;
const mount = 2;
const changing = 4;
const depthFirst = 8;
const actions = 16;
const [stop, skipSubtree, skipSiblings] = [1, 2, 3];

const comfollow = 1;
const logical = 2;
const noChdir = 4;
const noStat = 8;
const ftsPhysical = 16;
const seeDot = 32;
const sameDevice = 64;

interface Outcome {
  code: number;
  lines: string[];
}

async function walk(args: string[], session?: FakeSession): Promise<Outcome> {
  const child = new Deno.Command(await compileApp("walks"), {
    args,
    env: session?.env(builtLayer) ?? {},
    cwd: "/",
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const { code, stdout, stderr } = await deadline(child.output(), `walks ${args.join(" ")} ends`);
  assert.equal(new TextDecoder().decode(stderr), "");
  return { code, lines: new TextDecoder().decode(stdout).split("\n") };
}

/** A fake target's tree with everything that walks tell apart; the app sees it where nothing is. */
function openTree(): FakeFiles {
  const files = new FakeFiles();
  files.fill();
  files.sorted = false;
  files.at = files.root.replace(/^\/[^/]+/, (first) => "/" + "p".repeat(first.length - 1));
  files.rules = `A${files.at}\nL/\n`;
  Deno.mkdirSync(`${files.root}/d/deep/deeper`, { recursive: true });
  Deno.writeTextFileSync(`${files.root}/d/deep/deeper/end`, "end");
  Deno.writeTextFileSync(`${files.root}/d/deep/small`, "another");
  Deno.symlinkSync("..", `${files.root}/d/up`);
  Deno.symlinkSync("d/deep", `${files.root}/to_folder`);
  Deno.symlinkSync("nowhere", `${files.root}/dangling`);
  Deno.symlinkSync("../small", `${files.root}/empty/link`);
  new Deno.Command("mkfifo", { args: [`${files.root}/pipe`] }).outputSync();
  return files;
}

/** Both walks; paths of the tree are written `ROOT`. */
async function both(args: (root: string) => string[]): Promise<[native: Outcome, under: Outcome]> {
  await using files = openTree();
  // A link that cannot be followed at all ends every walk that comes to it.
  if (args("").includes("/d/itself")) Deno.symlinkSync("itself", `${files.root}/d/itself`);
  await using session = new FakeSession({ files });
  const told = ({ code, lines }: Outcome, root: string): Outcome => ({
    code,
    lines: lines.map((line) => line.replaceAll(root, "ROOT").replaceAll(root.slice(1), "ROOT")),
  });
  const native = told(await walk(args(files.root)), files.root);
  const under = told(await walk(args(files.at), session), files.at);
  assert.ok(files.asked.length > 0, "nothing was asked");
  await deadline(files.closed(), "every file is closed");
  return [native, under];
}

/** Walks whose every line must be the same, by what follows "walks". */
const same: Record<string, (root: string) => string[]> = {
  "nftw follows links, and sees no folder twice": (root) => ["nftw", "0", "-=0", root],
  "nftw that does not follow links": (root) => ["nftw", `${physical}`, "-=0", root],
  "nftw from below": (root) => ["nftw", `${depthFirst}`, "-=0", root],
  "nftw from below without links": (root) => ["nftw", `${depthFirst | physical}`, "-=0", root],
  "nftw on one device": (root) => ["nftw", `${physical | mount}`, "-=0", root],
  "nftw with slashes at the end": (root) => ["nftw", "0", "-=0", `${root}//`],
  "nftw of a folder below": (root) => ["nftw", `${physical}`, "-=0", `${root}/d/../d/deep`],
  "nftw of a file": (root) => ["nftw", "0", "-=0", `${root}/small`],
  "nftw of a link": (root) => ["nftw", `${physical}`, "-=0", `${root}/link`],
  "nftw of a link to a folder": (root) => ["nftw", "0", "-=0", `${root}/to_folder`],
  "nftw of a dangling link": (root) => ["nftw", "0", "-=0", `${root}/dangling`],
  "nftw of a link to itself": (root) => ["nftw", "0", "-=0", `${root}/d/itself`],
  "nftw of nothing": (root) => ["nftw", "0", "-=0", `${root}/nothing`],
  "nftw ends with what the visitor returns": (root) => ["nftw", `${physical}`, "deeper=7", root],
  "nftw ends with a negative return": (root) => ["nftw", `${physical}`, "big=-1", root],
  "nftw skips a folder": (root) => ["nftw", `${physical | actions}`, `deep=${skipSubtree}`, root],
  "nftw skips a folder from below": (
    root,
  ) => ["nftw", `${physical | actions | depthFirst}`, `deep=${skipSubtree}`, root],
  "nftw skips what is beside": (root) => ["nftw", `${physical | actions}`, `e=${skipSiblings}`, root],
  "nftw skips what is beside a file": (root) => ["nftw", `${physical | actions}`, `3=${skipSiblings}`, root],
  "nftw skips what is beside a link": (root) => ["nftw", `${actions}`, `link=${skipSiblings}`, root],
  "nftw is stopped": (root) => ["nftw", `${physical | actions}`, `deep=${stop}`, root],
  "nftw whose start is skipped": (
    root,
  ) => ["nftw", `${physical | actions}`, `deep=${skipSubtree}`, `${root}/d/deep`],
  "nftw enters the target's folders": (root) => ["nftw", `${physical | changing}`, "-=0", `${root}/d`],
  "nftw enters the target's folders from below": (
    root,
  ) => ["nftw", `${physical | changing | depthFirst}`, "-=0", `${root}/d`],
  "ftw": (root) => ["ftw", root],
  "ftw of a file": (root) => ["ftw", `${root}/small`],
  "fts physical": (root) => ["fts", `${ftsPhysical | noChdir}`, "-=-", root],
  "fts logical, with its cycles": (root) => ["fts", `${logical}`, "-=-", root],
  "fts sorted": (root) => ["fts", `${ftsPhysical | noChdir}`, "-=sort", root],
  "fts of several starts": (
    root,
  ) => ["fts", `${ftsPhysical | noChdir}`, "-=-", `${root}/d`, `${root}/none`, `${root}/small`],
  "fts of several starts, sorted": (
    root,
  ) => ["fts", `${ftsPhysical | noChdir}`, "-=sort", `${root}/small`, `${root}/d`, `${root}/a.json`],
  "fts of a start with a slash": (root) => ["fts", `${ftsPhysical | noChdir}`, "-=-", `${root}/d/`],
  "fts of a link": (root) => ["fts", `${ftsPhysical | noChdir}`, "-=-", `${root}/to_folder`],
  "fts of a link that is followed": (
    root,
  ) => ["fts", `${ftsPhysical | noChdir | comfollow}`, "-=-", `${root}/to_folder`, `${root}/dangling`],
  "fts with the dots": (root) => ["fts", `${ftsPhysical | noChdir | seeDot}`, "-=sort", `${root}/d`],
  "fts without statuses": (root) => ["fts", `${ftsPhysical | noChdir | noStat}`, "-=-", root],
  "fts on one device": (root) => ["fts", `${ftsPhysical | noChdir | sameDevice}`, "-=-", root],
  "fts skips": (root) => ["fts", `${ftsPhysical | noChdir}`, "d=skip", root],
  "fts again": (root) => ["fts", `${ftsPhysical | noChdir}`, "big=again", root],
  "fts follows a link": (root) => ["fts", `${ftsPhysical | noChdir}`, "to_folder=follow", root],
  "fts follows a dangling link": (root) => ["fts", `${ftsPhysical | noChdir}`, "dangling=follow", root],
  "fts shows the children before they come": (
    root,
  ) => ["fts", `${ftsPhysical | noChdir}`, "deep=children", root],
  "fts shows the names of children": (root) => ["fts", `${ftsPhysical | noChdir}`, "deep=names", root],
  "fts shows an empty folder's children": (
    root,
  ) => ["fts", `${ftsPhysical | noChdir}`, "many=children", `${root}/many`],
  "fts refuses an empty start": (root) => ["fts", `${ftsPhysical}`, "-=-", root, ""],
};

for (const [title, args] of Object.entries(same)) {
  Deno.test(`${title} is as libc's own`, async () => {
    const [native, under] = await both(args);
    assert.deepEqual(under, native);
  });
}

Deno.test("fts refuses an option that does not exist", async () => {
  await using files = openTree();
  await using session = new FakeSession({ files });
  assert.deepEqual((await walk(["fts", "0x1000", "-=-", files.at], session)).lines, ["EINVAL", ""]);
});

Deno.test("fts without FTS_NOCHDIR shows the same and stays where it is", async () => {
  const [native, under] = await both((root) => ["fts", `${ftsPhysical}`, "-=-", root]);
  assert.deepEqual(under, native);
});

Deno.test("what fts_set says of entries before they come counts", async () => {
  // libc without chdir looks at the entry before one that is to be followed, whose path it still has; with
  // chdir it does not.
  const [native, under] = await both((root) => [
    "fts",
    `${ftsPhysical}`,
    `${root.replace(/.*\//, "")}=children`,
    root,
  ]);
  assert.deepEqual(under, native);
  assert.ok(under.lines.includes("ROOT/link -"));
});

Deno.test("a folder that may not be read is reported as such", async () => {
  await using files = openTree();
  files.refused.set("d/deep", "EACCES");
  await using session = new FakeSession({ files });
  const nftw = await walk(["nftw", `${physical}`, "-=0", `${files.at}/d`], session);
  assert.ok(nftw.lines.some((line) => /^2 1 \d+ .*\/d\/deep /.test(line)), nftw.lines.join("\n"));
  assert.equal(nftw.lines.at(-2), "0 ");
  const fts = await walk(["fts", `${ftsPhysical}`, "-=-", `${files.at}/d`], session);
  const at = fts.lines.findIndex((line) => /^entry 4 1 deep /.test(line));
  assert.equal(fts.lines[at + 1], `${files.at}/d/deep EACCES`);
});

Deno.test("a folder that fails otherwise ends nftw, and is an error of fts", async () => {
  await using files = openTree();
  files.refused.set("d/deep", "EIO");
  await using session = new FakeSession({ files });
  const { lines } = await walk(["nftw", `${physical}`, "-=0", `${files.at}/d`], session);
  assert.equal(lines.at(-2), "-1 EIO");
});

/**
 * A folder of this machine in which the target's tree lies at "target", and one that looks the same with all
 * of it here.
 */
async function withMixed(
  body: (mixed: string, whole: string, session: FakeSession, files: FakeFiles) => Promise<void>,
): Promise<void> {
  await using files = openTree();
  using stack = new DisposableStack();
  const parent = stack.adopt(
    Deno.makeTempDirSync({ prefix: "mirrord-walk-test." }),
    (path) => Deno.removeSync(path, { recursive: true }),
  );
  const [mixed, whole] = [`${parent}/mixed`, `${parent}/whole`];
  for (const folder of [mixed, whole]) {
    Deno.mkdirSync(`${folder}/here/below`, { recursive: true });
    Deno.writeTextFileSync(`${folder}/here/below/file`, "here");
    Deno.mkdirSync(`${folder}/target`);
  }
  Deno.writeTextFileSync(`${mixed}/target/decoy`, "this machine's");
  const { success } = await new Deno.Command("cp", { args: ["-a", `${files.root}/.`, `${whole}/target`] })
    .output();
  assert.ok(success);
  files.at = `${mixed}/target`;
  files.rules = `A${files.at}\nL/\n`;
  await using session = new FakeSession({ files });
  await body(mixed, whole, session, files);
}

for (
  const [title, args] of Object.entries({
    "nftw": (root: string) => ["nftw", `${physical}`, "-=0", root],
    "nftw that follows links": (root: string) => ["nftw", "0", "-=0", root],
    "fts": (root: string) => ["fts", `${ftsPhysical}`, "-=sort", root],
  })
) {
  Deno.test(`${title} goes from this machine's folders into the target's`, () =>
    withMixed(async (mixed, whole, session) => {
      const native = await walk(args(whole));
      const under = await walk(args(mixed), session);
      // Sizes of folders are the file system's.
      const told = ({ lines }: Outcome, root: string) =>
        lines.map((line) =>
          line.replaceAll(root, "ROOT").replace(/\b(mixed|whole)\b/, "ROOT").replace(
            /^(entry [16] .*|[15] .*) \d+ ?$/,
            "$1",
          )
        )
          .sort();
      assert.deepEqual(told(under, mixed), told(native, whole));
      assert.ok(!under.lines.some((line) => line.includes("decoy")));
    }));
}

Deno.test("nftw enters this machine's folders, and the target's when it comes there", () =>
  withMixed(async (mixed, whole, session) => {
    const args = (root: string) => ["nftw", `${physical | changing | depthFirst}`, "-=0", `${root}/here`];
    const native = await walk(args(whole));
    const under = await walk(args(mixed), session);
    assert.deepEqual(
      under.lines.map((line) => line.replaceAll(mixed, "ROOT")),
      native.lines.map((line) => line.replaceAll(whole, "ROOT")),
    );
    const through = (root: string) => ["nftw", `${physical | changing}`, "-=0", root];
    const places = async (root: string, at?: FakeSession) =>
      (await walk(through(root), at)).lines.map((line) => line.replaceAll(root, "ROOT")).sort();
    assert.deepEqual(await places(mixed, session), await places(whole));
  }));

Deno.test("a walk that nothing of the target's lies in is libc's, and asks nothing", () =>
  withMixed(async (_mixed, whole, session, files) => {
    const args = ["nftw", `${physical | changing}`, "-=0", whole];
    const native = await walk(args);
    assert.deepEqual((await walk(args, session)).lines, native.lines);
    assert.deepEqual(files.asked, []);
  }));
