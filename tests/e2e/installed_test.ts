// From nothing to a stolen request, as a new user has it: the files of a release on a server, install.sh by
// one line, and the installed program steals from a pod, without an image of the agent's and without being
// root.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mirrordVersion } from "../../core/base/version.ts";
import { publicKeyOf } from "../../scripts/minisign.ts";
import { releaseFiles } from "../../scripts/release_files.ts";
import { root } from "../../scripts/step.ts";
import { imageName } from "../cluster/images.ts";
import { asUser, Machine } from "../install/run_script.ts";
import { registerCases } from "../support/cases.ts";
import { ask } from "../support/client.ts";
import { ClusterStage, missingCluster, missingNode } from "../support/cluster_stage.ts";
import { FakeRelease } from "../support/fake_release.ts";
import { withSession } from "../support/postcondition.ts";
import { binary } from "../support/program.ts";
import { SessionRun } from "../support/session_run.ts";

/** Nobody's on any machine. */
const newUser = 48_611;
const read = (path: string): string => Deno.readTextFileSync(root + path);

/** The release of the program that was built, as `./dev release` makes it. */
function served(): Promise<FakeRelease> {
  return FakeRelease.serveFiles(mirrordVersion, (downloadBase, signingKey) =>
    releaseFiles({
      facts: {
        commit: "0".repeat(40),
        origin: {
          homepage: "https://mirrord.example",
          downloadBase,
          publicKey: publicKeyOf(signingKey),
          agentImage: "",
        },
      },
      signingKey,
      programs: new Map([[`linux-${Deno.build.arch}`, Deno.readFileSync(binary)]]),
      image: null,
      parts: [],
      texts: {
        changelog: read("CHANGELOG.md"),
        exitCodes: read("docs/exit-codes.md"),
        licence: read("LICENSE"),
        installScript: read("scripts/install/install.sh"),
        formula: null,
      },
    }));
}

/** A file of the user's. */
function give(machine: Machine, path: string, content: string): string {
  const file = `${machine.home}/${path}`;
  Deno.mkdirSync(file.replace(/\/[^/]*$/, ""), { recursive: true });
  Deno.writeTextFileSync(file, content);
  Deno.chownSync(file, machine.user, machine.user);
  return file;
}

function sumOf(path: string): string {
  return createHash("sha256").update(Deno.readFileSync(path)).digest("hex");
}

const cases = [{
  name: "a new user installs by one line and steals at once",
  async run(stage: ClusterStage): Promise<void> {
    using machine = new Machine(newUser);
    await using release = await served();
    const line = `curl -fsSL ${release.base}/latest/install.sh | /bin/sh`;
    const { code, text } = await machine.sh(line, [], { nobody: true });
    const program = `${machine.home}/.local/bin/mirrord`;
    assert.equal(code, 0, text);
    assert.match(text, /^Verified: signature and checksum$/m);
    assert.ok(text.includes(`Installed mirrord ${mirrordVersion} as ${program}`), text);
    assert.equal(sumOf(program), sumOf(binary));

    const kubeconfig = give(machine, ".kube/config", Deno.readTextFileSync(stage.kubeconfig));
    give(machine, "tests/cluster/apps/app.py", read("tests/cluster/apps/app.py"));
    const app = give(machine, "tests/apps/local.py", read("tests/apps/local.py"));
    const options = {
      program,
      user: machine.user,
      prefix: asUser(machine.user),
      cwd: machine.home,
      env: { HOME: machine.home },
      targetFlags: stage.flags("deployment/app", kubeconfig),
      flags: ["--steal"],
      app: ["python3", app],
    };
    await withSession(stage, () => SessionRun.listening(stage, options), async (run) => {
      assert.equal((await ask(stage)).by, "local");
      assert.equal(Deno.statSync(`/proc/${await run.appPid()}`).uid, machine.user);
    });
    const added = (await stage.pod())?.spec.ephemeralContainers ?? [];
    assert.deepEqual(added.map((one: { image: string }) => one.image), [imageName("python")]);
  },
}];

registerCases(cases, () => ClusterStage.create({ sends: true }), missingCluster ?? missingNode);
