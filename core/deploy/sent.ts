// A sent agent's container: the target's own image, which the node has, and in it a shell line that takes the
// agent from standard input, checks it, and becomes it. Called by ephemeral.ts; send.ts is the other end. The
// line uses what busybox and coreutils both have. It prints for which machine it wants the agent once it
// knows that it can take one, and after the first byte of its input: output before an attachment is lost.
// It counts bytes, for a WebSocket cannot end an input alone, and ends with `refusal` when something is
// missing: nothing runs that was not checked. Its folder is the container's own and goes with it.

import type { V1EphemeralContainer } from "../kube/client.ts";
import { linkerName, type Payload } from "./payload.ts";

/** The line's exit code when it cannot start the agent; a shell's own for what cannot be run. */
export const refusal = 126;
/** How many bytes follow, as text of this length, comes before the bytes. */
export const countLength = 12;
/** The libraries as they arrive, taken apart, and the linker once more. */
const spareCopies = 3;
/** What the line adds to the session's own limit: only an input that never begins meets it. */
const spareSeconds = 10;

/** What standard input begins with; `readWanted` takes the answer. */
export const greeting = "m";
/** The node's machine, out of the line that begins the sending; null for any other line. */
export function readWanted(line: string): string | null {
  return /^info: mirrord sends the agent for (\w+)$/.exec(line)?.[1] ?? null;
}

/** Comes before `bytes` gzip'd bytes. */
export function countOf(bytes: number): string {
  return String(bytes).padEnd(countLength);
}

/**
 * The fields of the container's spec in which a sent agent differs; the agent's arguments follow the command.
 */
export function sentContainer(
  name: string,
  { image, seconds, payloads }: { image: string; seconds: number; payloads: readonly Payload[] },
): Pick<V1EphemeralContainer, "image" | "imagePullPolicy" | "command" | "stdin" | "stdinOnce"> {
  return {
    image,
    imagePullPolicy: "IfNotPresent",
    command: ["sh", "-c", shellLine(payloads, { folder: `.${name}`, seconds: seconds + spareSeconds }), "sh"],
    stdin: true,
    // The sender ends it by stopping; so does any other attachment to the container that ends meanwhile
    // (containerd).
    stdinOnce: true,
  };
}

/** A branch of the line's `case`: what is to arrive on a node of that machine, and how it is taken apart. */
function branchOf({ machine, programSize, librariesSize, pieces, sha256 }: Payload): string {
  let at = 1;
  const cuts = pieces.map(({ name, size }) => {
    const cut = `tail -c +${at} libraries | head -c ${size} >${name} &&`;
    at += size;
    return cut;
  });
  const linker = pieces.find(({ name }) => name.startsWith("ld-"))?.name ?? linkerName;
  return `${machine})
  sha256=${sha256}
  need=${Math.ceil((programSize + spareCopies * librariesSize) / 1024)}
  cut() {
tail -c ${librariesSize} mirrord >libraries &&
${cuts.join("\n")}
mv ${linker} ${linkerName} && cp ${linkerName} ${linker} && chmod 755 ${linkerName} ${linker} &&
dd if=/dev/null of=mirrord bs=1 seek=${programSize} 2>/dev/null && rm libraries
  } ;;`;
}

/** The script of `sh -c`; `folder` is the name of the one it makes. */
export function shellLine(
  payloads: readonly Payload[],
  { folder, seconds }: { folder: string; seconds: number },
): string {
  const machines = payloads.map(({ machine }) => machine).join(" or ");
  return `umask 022
fail() { echo "$*" >&2; exit ${refusal}; }
has() { command -v "$1" >/dev/null 2>&1; }
for one in uname mkdir chmod rm mv cp dd head tail gzip env; do
  has $one || { has busybox && eval "$one() { busybox $one \\"\\$@\\"; }"; } || fail "the target's image has no \\"$one\\""
done
case $(uname -m) in
${payloads.map(branchOf).join("\n")}
*) fail "the node's processor is $(uname -m), and this mirrord has an agent for ${machines} to send" ;;
esac
if has sha256sum; then sum() { sha256sum <"$1"; }
elif has busybox; then sum() { busybox sha256sum <"$1"; }
elif has openssl; then sum() { openssl dgst -sha256 -r <"$1"; }
elif has python3; then sum() { python3 -c 'import hashlib,sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())' <"$1"; }
else fail "the target's image has nothing to check the agent with: sha256sum, busybox, openssl or python3"
fi
free() { set -- $(df -Pk "$1" 2>/dev/null | tail -n 1); case $4 in ""|*[!0-9]*) echo $need ;; *) echo "$4" ;; esac; }
full=
for one in /tmp /var/tmp /run ""; do
  place=$one/${folder}
  mkdir "$place" 2>/dev/null || { place=; continue; }
  if : >"$place/mirrord" && chmod 755 "$place/mirrord" && "$place/mirrord" 2>/dev/null; then
    [ "$(free "$place")" -ge $need ] && break
    full="$full $one/"
  fi
  rm -rf "$place"
  place=
done
[ -n "$place$full" ] || fail "the target's image has no folder to write a program into and run it"
[ -n "$place" ] && cd "$place" || fail "the agent needs $need KiB of space, which none of these folders has:$full"
limit=
if [ -x "$(command -v timeout)" ] && [ -x "$(command -v dd)" ] && [ -x "$(command -v head)" ]; then
  timeout ${seconds} true 2>/dev/null && limit="timeout ${seconds}"
elif has busybox; then
  busybox timeout ${seconds} true 2>/dev/null && limit="busybox timeout ${seconds} busybox"
fi
[ "$($limit dd bs=1 count=${greeting.length} 2>/dev/null)" = ${greeting} ] || fail "nothing was sent"
echo "info: mirrord sends the agent for $(uname -m)"
count=$($limit dd bs=1 count=${countLength} 2>/dev/null)
case $count in [1-9]*) ;; *) fail "nothing was sent" ;; esac
$limit head -c $count | gzip -dc >mirrord || fail "the agent did not arrive whole, or $place has too little space for it"
case $(sum mirrord) in $sha256*) ;; *) fail "the agent did not arrive as it was sent" ;; esac
cut || fail "$place has too little space for the agent"
exec env -i "MIRRORD_AGENT_LOG=$MIRRORD_AGENT_LOG" LD_LIBRARY_PATH="$place" HOME=/tmp NO_COLOR=1 ./mirrord "$@" </dev/null
`;
}
