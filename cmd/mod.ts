// The command table. main.ts hands over the arguments; the result is the program's exit code.

import { parseCommand } from "./args.ts";
import { printError, printLine, showLog } from "./ui.ts";
import { uncaught } from "./uncaught.ts";

/** Commands of upstream that its extensions for editors call: they read an error as one line of JSON. */
const readByEditors = ["ext", "container-ext"];

/** Runs the command that `args` name. Failures are printed here, once. */
export async function runCommand(args: string[]): Promise<number> {
  try {
    return await Promise.race([perform(args), uncaught()]);
  } catch (error) {
    return printError(error, readByEditors.includes(args[0] ?? ""));
  }
}

async function perform(args: string[]): Promise<number> {
  const command = await parseCommand(args);
  switch (command.name) {
    case "shown":
      return 0;
    case "exec": {
      await showLog();
      const { exec } = await import("./exec.ts");
      return await exec(command);
    }
    case "container": {
      await showLog();
      const { container } = await import("./container.ts");
      return await container(command);
    }
    case "up": {
      await showLog();
      const { up } = await import("./up.ts");
      return await up(command);
    }
    case "up init": {
      const { upInit } = await import("./up_init.ts");
      return upInit(command);
    }
    case "ci": {
      await showLog();
      const { ci } = await import("./ci.ts");
      return await ci(command);
    }
    case "ci-session": {
      await showLog();
      const { ciSession } = await import("./ci_session.ts");
      return await ciSession(command);
    }
    case "ext": {
      const { ext } = await import("./ext.ts");
      return await ext(command);
    }
    case "container-ext": {
      const { containerExt } = await import("./container_ext.ts");
      return await containerExt(command);
    }
    case "port-forward": {
      await showLog();
      const { portForward } = await import("./port_forward.ts");
      return await portForward(command);
    }
    case "ls": {
      await showLog();
      const { ls } = await import("./ls.ts");
      return await ls(command);
    }
    case "verify-config": {
      const { verifyConfig } = await import("./verify_config.ts");
      return await verifyConfig(command);
    }
    case "completions": {
      const { completionScript } = await import("./completions.ts");
      printLine(completionScript(command.shell).trimEnd());
      return 0;
    }
    case "explain": {
      await showLog();
      const { explain } = await import("./explain.ts");
      return await explain(command);
    }
    case "init": {
      await showLog();
      const { init } = await import("./init.ts");
      return await init(command);
    }
    case "mcp": {
      await showLog();
      const { mcp } = await import("./mcp.ts");
      return await mcp(command);
    }
    case "ui": {
      await showLog();
      const { page } = await import("./page.ts");
      return await page(command);
    }
    case "session": {
      await showLog();
      const { session } = await import("./session.ts");
      return await session(command);
    }
    case "dump": {
      await showLog();
      const { dump } = await import("./dump.ts");
      return await dump(command);
    }
    case "replay": {
      await showLog();
      const { replay } = await import("./replay.ts");
      return await replay(command);
    }
    case "doctor": {
      await showLog();
      const { doctor } = await import("./doctor.ts");
      return await doctor(command);
    }
    case "complete": {
      const { complete } = await import("./complete.ts");
      return await complete(command);
    }
    case "version": {
      const { version } = await import("./version.ts");
      return version(command);
    }
    case "fix": {
      const { fix } = await import("./fix.ts");
      return await fix(command);
    }
    case "upgrade": {
      await showLog();
      const { upgrade } = await import("./upgrade.ts");
      return await upgrade(command);
    }
    case "agent": {
      const { agent } = await import("./agent.ts");
      return await agent(command);
    }
  }
}
