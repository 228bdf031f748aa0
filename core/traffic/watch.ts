// Copies of the packets of the target's ports, from the agent. Called by cmd/dump.ts. Invariant: what was not
// copied is a record among the packets (`lostByKernel`, `lostByLink`), never a silent hole.

import {
  type AgentLink,
  agentMessages,
  decode,
  type PacketRecord,
  PacketRecords,
  RemoteError,
} from "../../protocol-wasm/mod.ts";
import { exitCodes, SessionError, TargetError } from "../base/errors.ts";
import type { Target } from "../target/target.ts";

/** As many ports may be watched (agent/bpf/mirror.bpf.c). */
const mostPorts = 256;

/** A stream of copies. `finish`: copy no more, but send what there is; `close` ends it at once. */
export interface Watched {
  ports: readonly number[];
  /** Records as they come, some at a time; rejects with LinkError or NonsenseError. */
  batches: AsyncGenerator<PacketRecord[]>;
  finish(): void;
  close(): void;
}

/**
 * Copies of all packets of `ports`; of those that the pod declares, otherwise of those on which its programs
 * listen, if none is named. Throws TargetError, SessionError.
 */
export async function watchTarget(
  agent: AgentLink,
  target: Target,
  ports: readonly number[],
): Promise<Watched> {
  if (agent.version < agentMessages.packets.since) {
    throw new SessionError("Cannot watch the target: its agent is of an older release", {
      help: "Check that agent.image is of this release.",
      exitCode: exitCodes.unavailable,
    });
  }
  const chosen = await choosePorts(agent, target, ports);
  const id = agent.nextId();
  const asked = agent.request("packets", {
    ports: Uint8Array.from(chosen.flatMap((port) => [port >> 8, port & 255])),
  }, { id });
  const channel = agent.openChannel(id);
  try {
    await asked;
  } catch (error) {
    if (!(error instanceof RemoteError)) throw error;
    throw new SessionError(error.message, { exitCode: exitCodes.unavailable, cause: error });
  }
  const batches = async function* (): AsyncGenerator<PacketRecord[]> {
    const records = new PacketRecords();
    for (let bytes = await channel.read(); bytes !== null; bytes = await channel.read()) {
      yield [...records.take(bytes)];
    }
  };
  return {
    ports: chosen,
    batches: batches(),
    finish: () => void channel.closeWrite().catch(() => {}), // the link's end is seen where it is read
    close: () => channel.reset(),
  };
}

async function choosePorts(agent: AgentLink, target: Target, named: readonly number[]): Promise<number[]> {
  const declared = target.kind === "pod" ? target.declaredPorts : [];
  const isShared = target.kind === "pod" && target.hostNetwork;
  const strange = isShared ? named.filter((port) => !declared.includes(port)) : [];
  if (strange.length > 0) {
    throw new TargetError(
      `Cannot watch port ${strange[0]}: the pod uses its node's network and does not declare it`,
      { exitCode: exitCodes.config },
    );
  }
  const chosen = named.length > 0
    ? [...new Set(named)]
    : declared.length > 0 || isShared
    ? declared
    : await listening(agent);
  if (chosen.length === 0) {
    throw new TargetError("Cannot watch the target: it declares no port and listens on none", {
      help: "Name the ports: --port PORT.",
    });
  }
  if (chosen.length > mostPorts) {
    throw new TargetError(`Cannot watch the target: ${chosen.length} ports are more than ${mostPorts}`, {
      help: "Name the ports: --port PORT.",
    });
  }
  return chosen;
}

async function listening(agent: AgentLink): Promise<number[]> {
  const [frame] = await agent.request("listening", {});
  if (frame === undefined) return [];
  const { ports } = decode(agentMessages.listeningReply, frame.body);
  return Array.from(
    { length: ports.length / 2 },
    (_, i) => (ports[2 * i] ?? 0) << 8 | (ports[2 * i + 1] ?? 0),
  );
}
