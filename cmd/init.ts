// `mirrord init`: writes .mirrord/mirrord.json for this folder, by flags or by two questions on the
// terminal, and the schema beside it, by which editors check and complete the file. It overwrites nothing.

import { exitCodes, MirrordError } from "../core/base/errors.ts";
import { environment } from "../core/base/variables.ts";
import { fileNames } from "../core/config/load.ts";
import { schemaText } from "../core/config/schema.ts";
import { KubeClient } from "../core/kube/client.ts";
import { interruptible } from "../core/launch/interrupts.ts";
import { listTargets } from "../core/target/list.ts";
import { parseTargetPath } from "../core/target/path.ts";
import type { InitCommand } from "./commands.ts";
import { askLine, askYesNo, printLine } from "./ui.ts";

const folder = ".mirrord";
const file = `${folder}/mirrord.json`;
const schemaFile = "mirrord.schema.json";
/** So many targets are offered by number; the others by their names. */
const mostOffered = 30;

/** Writes the file and prints its name. */
export async function init(command: InitCommand): Promise<number> {
  using interrupt = interruptible();
  refuseExisting();
  const target = command.target ?? await chooseTarget(command, interrupt.signal);
  if (target !== undefined) parseTargetPath(target);
  const isStolen = command.steal ?? await asksToSteal(command, target, interrupt.signal);
  const namespace = command.targetNamespace ?? command.namespace;
  const place = {
    ...(target === undefined ? {} : { path: target }),
    ...(namespace === undefined ? {} : { namespace }),
  };
  const document = {
    $schema: `./${schemaFile}`,
    ...(Object.keys(place).length === 0 ? {} : { target: place }),
    ...(command.context === undefined ? {} : { kube_context: command.context }),
    feature: { network: { incoming: { mode: isStolen ? "steal" : "mirror" } } },
  };
  Deno.mkdirSync(folder, { recursive: true });
  Deno.writeTextFileSync(`${folder}/${schemaFile}`, schemaText());
  Deno.writeTextFileSync(file, `${JSON.stringify(document, null, 2)}\n`, { createNew: true });
  printLine(`Wrote ${file}. Now: mirrord exec -- PROGRAM`);
  return 0;
}

function refuseExisting(): void {
  for (const name of fileNames) {
    try {
      Deno.lstatSync(`${folder}/${name}`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      throw error;
    }
    throw new MirrordError(`Cannot write "${file}": "${folder}/${name}" is there already`, {
      help: "Edit it (docs/configuration.md), or remove it first.",
      exitCode: exitCodes.config,
    });
  }
}

/** Only who was asked for the target is asked for this, too. */
async function asksToSteal(
  command: InitCommand,
  target: string | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  if (command.target !== undefined || target === undefined) return false;
  return await askYesNo(`Steal the traffic of "${target}", instead of a copy of it?`, signal) === true;
}

/** By number or by path; undefined: none. Throws where nobody can answer. */
async function chooseTarget(command: InitCommand, signal: AbortSignal): Promise<string | undefined> {
  const nobody = new MirrordError("Cannot ask for the target: this is no terminal", {
    help: "Name it: mirrord init --target deployment/NAME (or --target targetless).",
    exitCode: exitCodes.usage,
  });
  if (!Deno.stdin.isTerminal() || !Deno.stderr.isTerminal()) throw nobody;
  const targets = await availableTargets(command);
  targets.slice(0, mostOffered).forEach((path, at) => printLine(`${String(at + 1).padStart(3)}  ${path}`));
  const rest = targets.length - mostOffered;
  if (rest > 0) printLine(`     and ${rest} more: mirrord ls`);
  const question = "Which target? A number, a path such as deployment/NAME, or nothing for none:";
  const answer = await askLine(question, signal);
  if (answer === null) throw nobody;
  if (answer === "") return undefined;
  const chosen = /^\d+$/.test(answer) ? targets[Number(answer) - 1] : answer;
  if (chosen !== undefined) return chosen;
  throw new MirrordError(`Cannot use "${answer}": there is no target of that number`, {
    exitCode: exitCodes.usage,
  });
}

async function availableTargets({ kubeconfig, context, ...command }: InitCommand): Promise<string[]> {
  using kube = await KubeClient.open({
    kubeconfig,
    context,
    namespace: command.targetNamespace ?? command.namespace,
    env: environment,
  });
  const { targets } = await listTargets(kube);
  return targets.filter(({ available }) => available).map(({ path }) => path);
}
