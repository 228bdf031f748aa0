// IP addresses as text and as the 16 bytes of the wire. Called by codec.ts. An IPv4-mapped IPv6 address is
// folded to IPv4, so one address has one text; IPv6 text is canonical (RFC 5952).

/** Address family of the wire: 0 none, 4 or 6. */
export type Family = 0 | 4 | 6;

/**
 * Parses `text` ("" is no address) to a family and 16 bytes: IPv4 in the first four, the rest 0.
 * Null when it is neither IPv4 nor IPv6; a zone ("%eth0") has no place on the wire and is refused too.
 */
export function parseIp(text: string): { family: Family; bytes: Uint8Array } | null {
  const bytes = new Uint8Array(16);
  if (text === "") return { family: 0, bytes };
  const four = parseFour(text);
  if (four !== null) {
    bytes.set(four);
    return { family: 4, bytes };
  }
  const six = parseSix(text);
  if (six === null) return null;
  if (!isMapped(six)) return { family: 6, bytes: six };
  bytes.set(six.subarray(12));
  return { family: 4, bytes };
}

/** The text of 16 wire bytes; null when the family is unknown. */
export function formatIp(family: number, bytes: Uint8Array): string | null {
  if (family === 0) return "";
  if (family === 4) return bytes.subarray(0, 4).join(".");
  if (family !== 6) return null;
  return isMapped(bytes) ? bytes.subarray(12, 16).join(".") : formatSix(bytes);
}

function parseFour(text: string): Uint8Array | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) {
    return null;
  }
  return Uint8Array.from(parts, Number);
}

function parseSix(text: string): Uint8Array | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0] ?? "", halves.length === 1);
  const tail = parseGroups(halves[1] ?? "", true);
  if (head === null || tail === null) return null;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 2) return null;
  return Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...tail]);
}

/** Colon-separated groups to bytes; an IPv4 address may stand in the last place. */
function parseGroups(text: string, fourAllowed: boolean): number[] | null {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [index, group] of groups.entries()) {
    const four = fourAllowed && index === groups.length - 1 ? parseFour(group) : null;
    if (four !== null) bytes.push(...four);
    else if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      bytes.push(parseInt(group, 16) >> 8, parseInt(group, 16) & 255);
    } else return null;
  }
  return bytes;
}

/** ::ffff:0:0/96 (RFC 4291, 2.5.5.2). */
function isMapped(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
}

/** RFC 5952: lower case, no leading zeros, the first longest run of two or more zero groups as "::". */
function formatSix(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0));
  let [best, length] = [0, 1];
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && groups[end] === 0) end++;
    if (end - start > length) [best, length] = [start, end - start];
  }
  const text = (part: number[]) => part.map((group) => group.toString(16)).join(":");
  if (length === 1) return text(groups);
  return `${text(groups.slice(0, best))}::${text(groups.slice(best + length))}`;
}
