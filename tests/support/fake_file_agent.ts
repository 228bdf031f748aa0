// The agent's side of the floor "files" for tests of the session: one large file, /data/large or /data/rw, a
// small one and a directory, as numbers in memory. What it is asked is noted, a word and its numbers for each
// request.

import { agentMessages, decode, type Link, type Received } from "../../protocol-wasm/mod.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
/** Where the file itself is. */
const ownPosition = (1n << 64n) - 1n;

/** A megabyte in which every place tells where it is. */
export const large = bytes(
  Array.from({ length: 125_000 }, (_, index) => `${index}`.padStart(7, "0") + "\n").join(""),
);

/** struct statx of a regular file, or of a directory. */
function status(size: number, mode = 0o100644): Uint8Array {
  const into = new Uint8Array(256);
  const view = new DataView(into.buffer);
  view.setUint16(28, mode, true);
  view.setBigUint64(32, 77n, true);
  view.setBigUint64(40, BigInt(size), true);
  return into;
}

/** struct linux_dirent64 of a file (getdents(2)). */
export function entry(name: string): Uint8Array {
  const into = new Uint8Array(Math.max(24, (19 + name.length + 8) & ~7));
  const view = new DataView(into.buffer);
  view.setBigUint64(0, 78n, true);
  view.setBigUint64(8, 1n, true);
  view.setUint16(16, into.length, true);
  view.setUint8(18, 8);
  into.set(bytes(name), 19);
  return into;
}

/** Answers as an agent with one large file, /data/large and /data/rw, and a small one. */
export async function serveFile(
  agent: Link<typeof agentMessages>,
  seen: string[],
  closed: (file: number) => void,
): Promise<void> {
  for await (const frame of agent.received()) void answer(agent, frame, seen, closed);
}

async function answer(
  agent: Link<typeof agentMessages>,
  frame: Received<typeof agentMessages>,
  seen: string[],
  closed: (file: number) => void,
): Promise<void> {
  switch (frame.name) {
    case "open": {
      const { path, whole, ahead } = decode(agentMessages.open, frame.body);
      seen.push(`open ${text(path)} ${whole} ${ahead}`);
      if (text(path).endsWith("/missing")) return await agent.fail(frame, 2, "openat: ENOENT");
      if (text(path).endsWith("/small") && whole > 0) {
        return await agent.reply(frame, "openReply", {
          file: 0,
          end: true,
          status: status(5),
          content: bytes("small"),
        });
      }
      const isDirectory = text(path).endsWith("/dir");
      const found = isDirectory ? status(0, 0o040755) : status(large.length);
      const content = isDirectory ? entry("file") : large.slice(0, ahead);
      return await agent.reply(frame, "openReply", { file: 9, end: isDirectory, status: found, content });
    }
    case "read": {
      const { offset, count } = decode(agentMessages.read, frame.body);
      seen.push(`read ${offset} ${count}`);
      return await agent.reply(frame, "readReply", {
        content: large.slice(Number(offset), Number(offset) + count),
      });
    }
    case "stream": {
      const { offset } = decode(agentMessages.stream, frame.body);
      seen.push(`stream ${offset}`);
      const channel = agent.openChannel(frame.id);
      await agent.reply(frame, "streamReply", {});
      try {
        await channel.write(large.slice(Number(offset)));
        return await channel.closeWrite();
      } catch {
        return void seen.push("stream reset");
      }
    }
    case "write": {
      const { offset, content } = decode(agentMessages.write, frame.body);
      seen.push(`write ${offset === ownPosition ? "end" : offset} ${content.length}`);
      const at = offset === ownPosition ? 1_000_000n : offset;
      return await agent.reply(frame, "writeReply", {
        count: content.length,
        offset: at + BigInt(content.length),
      });
    }
    case "seek": {
      const { offset, whence } = decode(agentMessages.seek, frame.body);
      seen.push(`seek ${BigInt.asIntN(64, offset)} ${whence}`);
      return await agent.reply(frame, "seekReply", {
        offset: BigInt(large.length) + BigInt.asIntN(64, offset),
      });
    }
    case "close": {
      const { file } = decode(agentMessages.close, frame.body);
      seen.push(`close ${file}`);
      await agent.reply(frame, "closeReply", {});
      return closed(file);
    }
    case "stat": {
      const { dir, path } = decode(agentMessages.stat, frame.body);
      seen.push(`stat ${dir === 0 ? "" : `${dir}:`}${text(path)}`);
      if (/(?:^|\/)(?:new|missing)(?:\/|$)/.test(text(path))) {
        return await agent.fail(frame, 2, "statx: ENOENT");
      }
      return await agent.reply(frame, "statReply", { status: status(5) });
    }
    case "enter": {
      const { dir, path } = decode(agentMessages.enter, frame.body);
      seen.push(`enter ${dir}:${text(path)}`);
      if (text(path).endsWith("/missing")) return await agent.fail(frame, 2, "chdir: ENOENT");
      return await agent.reply(frame, "enterReply", { physical: bytes("/physical") });
    }
    case "change": {
      const { what, dir, path, first } = decode(agentMessages.change, frame.body);
      seen.push(`change ${what} ${dir}:${text(path)} ${first}`);
      return await agent.reply(frame, "changeReply", {});
    }
    case "move": {
      const { what, from, to } = decode(agentMessages.move, frame.body);
      seen.push(`move ${what} ${text(from)} ${text(to)}`);
      return await agent.reply(frame, "moveReply", {});
    }
  }
}
