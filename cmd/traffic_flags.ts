// The flags of `mirrord dump` and `mirrord replay`. Called by flags.ts.

import { type Command, Option } from "commander";
import { byteCount, collect, collectPort, seconds } from "./flag_values.ts";

/** Declares what `dump` has beside the flags for target and cluster. */
export function dumpFlags(command: Command): Command {
  return command
    .description("show and record what goes to the target's ports and what comes back")
    .optionsGroup("What to show:")
    .option("-p, --port <port>", "a port of the target (default all); can be repeated", collectPort)
    .addOption(new Option("--ports <port>").argParser(collectPort).hideHelp())
    .option(
      "--http-filter <filter>",
      "only matching requests: 'header: PATTERN', path: or method:; several must all match",
      collect,
    )
    .option("--preview <bytes>", "show so much of each body (default 1024)", byteCount)
    .addOption(new Option("-o, --output <format>", "print JSON lines, for programs").choices(["json"]))
    .optionsGroup("What to record:")
    .option("--har <file>", "write the requests with their answers to a HAR file")
    .option("--body-limit <bytes>", "keep so much of each body there (default 1048576)", byteCount)
    .option("--pcap <file>", "write the packets to a pcap-ng file")
    .optionsGroup("Agent:")
    .option("-i, --agent-image <image>", "image of the agent, or target: send it to the target's");
}

/** Declares `replay`. */
export function replayFlags(command: Command): Command {
  return command
    .description("play recorded traffic to a local program and compare its answers")
    .argument("<file>", "a HAR, pcap or pcap-ng file, of mirrord dump or another program")
    .requiredOption("--to <host:port>", "where the program listens")
    .option("--timing", "at the recorded times, instead of one after the other")
    .option("--host <host>", "only what went to this host, as the recording names it")
    .option("--header <name>", "compare this header too; can be repeated", collect)
    .option(
      "--ignore <what>",
      "status, headers, body, a header or a place in JSON (.items[].id); can be repeated",
      collect,
    )
    .option("--timeout <seconds>", "give up an answer after this time without a byte (default 30)", seconds)
    .addOption(new Option("-o, --output <format>", "print JSON lines, for programs").choices(["json"]));
}
