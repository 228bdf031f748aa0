// The flags of `mirrord up`. Called by flags.ts.

import { type Command, Option } from "commander";
import { exitCodes, MirrordError } from "../core/base/errors.ts";
import { upModes } from "../core/config/config.ts";
import type { ParsedCommand, UpCommand } from "./commands.ts";

const file = "mirrord-up.yaml";

/** Declares `up`, and `up init`, which it is with that first word. */
export function upFlags(command: Command, parsed: (command: ParsedCommand) => void): Command {
  return command
    .description(`start a session for each service of ${file}, in one terminal; up init writes that file`)
    .usage("[options] [service...] | init [-o file]")
    .argument("[services...]", "init, or the services to start; otherwise all")
    .option("-f, --config-file <file>", `another file than ${file}`)
    .addOption(
      new Option("-m, --mode <mode>", "for every service, whatever the file says").choices(upModes),
    )
    .option("-k, --key <key>", "the session's key; otherwise your user name")
    .option("--context <name>", "context of the kubeconfig, for every service")
    .option("-o, --output <file>", `where up init writes (default ${file})`)
    .action((services: string[], { output, ...flags }: Omit<UpCommand, "name"> & { output?: string }) => {
      const isInit = services[0] === "init";
      if (isInit ? services.length > 1 : output !== undefined) {
        const what = isInit ? services.slice(1).join(" ") : `--output ${output}`;
        throw new MirrordError(
          `Cannot use "${what}": ${isInit ? "up init takes no names" : "it is for up init"}`,
          {
            help: "See: mirrord up --help",
            exitCode: exitCodes.usage,
          },
        );
      }
      parsed(isInit ? { name: "up init", output: output ?? file } : { name: "up", ...flags, services });
    });
}
