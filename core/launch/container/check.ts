// What a container of a session cannot have, refused before anything is started, and the ports that it
// publishes. Called by cmd/container.ts and its like. The container has this machine's network: session and
// app meet at addresses of its loopback (core/net/linux/gate.ts), and what is stolen is dialled where the app
// listens.

import { resolve } from "node:path";
import { log } from "../../base/log.ts";
import { stat } from "../look.ts";
import { type Flag, isOn, lastOf, readRunLine, refuse, type RunLine } from "./command_line.ts";

/** A port that the app asks for, and the one of this machine that it is to have. */
export type Published = [asked: number, local: number];

/** Variables by which the layer finds its session. */
const ours = ["MIRRORD_LAYER_SOCKET", "MIRRORD_SESSION_PID", "MIRRORD_SKIP"];

const networkHelp =
  "Leave it out: the container gets this machine's network. Other containers are reached by the ports that they " +
  "publish.";

/** Where the command line is to run. */
export interface Place {
  /** Its output is no terminal's, whatever that of mirrord is. */
  isBackground?: boolean;
  /** Where the engine's command runs; unless given here. */
  directory?: string | undefined;
  /** Hears of flags without effect; logs them unless given. */
  warn?: (text: string) => void;
}

/** A command line that can run, and the ports that it publishes. Throws MirrordError (2). */
export function checkedLine(
  words: readonly string[],
  place: Place = {},
): { line: RunLine; published: Published[] } {
  const line = readRunLine(words);
  checkRunLine(line, place);
  return { line, published: publishedPorts(line, place) };
}

/** Throws MirrordError (2) for a flag that would break the session, or have no effect that can be told. */
export function checkRunLine(line: RunLine, place: Place = {}): void {
  const { isBackground = false, directory = ".", warn = log.warning } = place;
  if (isBackground && isOn(line, "--tty")) {
    throw refuse("use", "--tty", "the container's output is no terminal here", "Leave it out.");
  }
  if (isOn(line, "--detach")) {
    throw refuse(
      "use",
      "--detach",
      "a session lasts as long as its terminal's command",
      "Leave it out, and let the shell run mirrord in the background, or mirrord ci container.",
    );
  }
  for (const name of ["--network", "--pod", "--link", "--ip", "--ip6", "--mac-address", "--network-alias"]) {
    const value = lastOf(line, name);
    if (value === undefined || (name === "--network" && value === "host")) continue;
    throw refuse("use", `${name} ${value}`, "the session is reached by this machine's network", networkHelp);
  }
  const cidFile = lastOf(line, "--cidfile");
  if (cidFile !== undefined && stat(resolve(directory, cidFile)) !== null) {
    throw refuse(
      "use",
      `--cidfile ${cidFile}`,
      "the file is there already, and may be another container's",
      "Remove it, or name another one.",
    );
  }
  const restart = lastOf(line, "--restart");
  if (restart !== undefined && restart !== "no") {
    throw refuse(
      "use",
      `--restart ${restart}`,
      "the session ends with the container",
      "Leave it out, and start mirrord again.",
    );
  }
  const runtime = lastOf(line, "--runtime");
  if (runtime !== undefined && /runsc|gvisor|kata|krun|wasm/.test(runtime)) {
    throw refuse(
      "use",
      `--runtime ${runtime}`,
      "its containers have a kernel of their own, from which the session is not reached",
      "Use runc or crun.",
    );
  }
  for (const { name, value } of line.flags) {
    const variable = name === "--env" ? value?.replace(/=[^]*/, "") : undefined;
    if (variable !== undefined && ours.includes(variable)) {
      throw refuse("use", `--env ${variable}`, "mirrord sets this variable itself", "Leave it out.");
    }
    if (["--add-host", "--dns", "--dns-search", "--dns-option"].includes(name)) {
      warn(`${name} ${value} has no effect on names that are looked up in the target`);
    }
  }
}

/**
 * The TCP ports that `-p` maps. The container has this machine's network, so the app itself is to listen on
 * the other port (feature.network.incoming.listen_ports).
 */
export function publishedPorts(line: RunLine, { warn = log.warning }: Place = {}): Published[] {
  return line.flags.filter(({ name }) => name === "--publish").flatMap((flag) => readPublished(flag, warn));
}

function readPublished({ value }: Flag, warn: (text: string) => void): Published[] {
  const text = value ?? "";
  const unreadable = () =>
    refuse("use", `--publish ${text}`, "it is not [ADDRESS:][PORT:]PORT[/tcp|/udp]", "Correct it.");
  const [, head = "", protocol = "tcp"] = /^(.*?)(?:\/(tcp|udp|sctp))?$/.exec(text) ?? [];
  const [, address = "", host = "", own = ""] =
    /^(?:(?:(\[[^\]]*\]|[^:[\]]*):)?(\d+(?:-\d+)?)?:)?(\d+(?:-\d+)?)$/.exec(head) ?? [];
  const asked = rangeOf(own);
  const local = rangeOf(host || own);
  if (asked.length === 0 || asked.length !== local.length) throw unreadable();
  if (address !== "" && !/^(0\.0\.0\.0|\[::\])$/.test(address)) {
    warn(
      `--publish ${text}: the container has this machine's network, so the program itself decides at which ` +
        "address it listens",
    );
  }
  const pairs = asked.map((port, index): Published => [port, local[index] ?? port]);
  const moved = pairs.filter(([port, place]) => port !== place);
  if (protocol === "tcp") return moved;
  if (moved.length > 0) {
    warn(`--publish ${text} has no effect: only TCP ports are moved, and the app listens on ${asked}`);
  }
  return [];
}

/** "80" or "80-82"; nothing for what is no port. */
function rangeOf(text: string): number[] {
  const [first = NaN, last = first] = text.split("-").map(Number);
  if (!(first >= 1 && last <= 65_535 && first <= last)) return [];
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
