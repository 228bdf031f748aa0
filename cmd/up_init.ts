// `mirrord up init`: writes the beginning of a mirrord-up.yaml, with a comment for each key. It asks nothing,
// needs no cluster and overwrites nothing.

import { exitCodes, MirrordError } from "../core/base/errors.ts";
import type { UpInitCommand } from "./commands.ts";
import { printLine } from "./ui.ts";

const text = `# Sessions that "mirrord up" starts together, one for each service. docs/up.md has every key.

# For every service:
# common:
#   context: staging                     # context of the kubeconfig; otherwise the current one
#   accept_invalid_certificates: true    # do not check the API server's certificate

services:
  # The name stands before each line that the service prints.
  api:
    # Without "path" the target is the deployment or pod of the service's name; "target: none" is none.
    target:
      path: deployment/api
      # namespace: shop

    # split (default): requests that match http_filter come to the local program, all others stay with the
    # target. mirror: the local program gets copies of them.
    # default_mode: split

    # Without a filter: requests with the header "baggage: mirrord-session=KEY"; KEY is your user name, or
    # that of "mirrord up --key KEY".
    # http_filter:
    #   header_filter: "^x-user: ana$"

    # Variables of the target, as feature.env in mirrord.json.
    # env:
    #   exclude: ["SENTRY_*"]
    #   override:
    #     LOG_LEVEL: debug

    # ignore_ports: [9090]
    # skip: true                         # starts only by "mirrord up api"

    run:
      # In a container: "type: container" and command: ["docker", "run", "--rm", "IMAGE"]
      # directory: ./api                 # from this file's folder; otherwise where mirrord is started
      command: ["npm", "start"]
`;

/** Writes the file and prints its name. */
export function upInit({ output }: UpInitCommand): number {
  try {
    Deno.writeTextFileSync(output, text, { createNew: true });
  } catch (cause) {
    const state = cause instanceof Deno.errors.AlreadyExists
      ? "it is there already"
      : cause instanceof Deno.errors.NotFound
      ? "there is no such folder"
      : null;
    if (state === null) throw cause;
    throw new MirrordError(`Cannot write "${output}": ${state}`, {
      help: "Choose another: mirrord up init --output FILE",
      exitCode: exitCodes.config,
    });
  }
  printLine(
    `Wrote ${output}. Edit it, then: mirrord up${output === "mirrord-up.yaml" ? "" : ` -f ${output}`}`,
  );
  return 0;
}
