// The protocol of a connection that is looked at, by the line it begins with: an HTTP/1 request, or surely
// something else. Called by agent/incoming/{flow,mirror}.ts, core/session/requests.ts and core/traffic. Every
// byte of the line was seen or counts as missing; nothing is kept once the protocol is known.

/** A request line at the beginning of a segment: RFC 9112, 3. */
const requestLine = /^[A-Z][A-Z-]{0,31} [!-~]{1,8000} HTTP\/1\.[01]\r\n/;
const longestLine = 8192;
/** Empty lines before a request line are none (RFC 9112, 2.2). */
const emptyLines = /^(?:\r\n)+/;
/** No request line has it. */
const otherByte = /[^\r -~]/;
const decoder = new TextDecoder("latin1");

/**
 * Does a segment with this payload begin a request? Then a connection met in the middle is followed from
 * here.
 */
export function beginsRequest(payload: Uint8Array): boolean {
  const [first = 0] = payload;
  if (first < 0x41 || first > 0x5a) return false; // A to Z: nearly all that is none ends here
  return requestLine.test(decoder.decode(payload.subarray(0, longestLine)));
}

/** Does a segment with this payload begin an answer of HTTP/1? */
export function beginsAnswer(payload: Uint8Array): boolean {
  return decoder.decode(payload.subarray(0, 7)) === "HTTP/1.";
}

/** The first line of a connection that is followed from its beginning. */
export class FirstLine {
  #text = "";
  #known: boolean;
  #isOther: boolean;

  /** `isOther`: it is known already that it is no request's. */
  constructor(isOther = false) {
    this.#known = this.#isOther = isOther;
  }

  /** The connection speaks no HTTP/1; false as long as it still may. */
  get isOther(): boolean {
    return this.#isOther;
  }

  /** These bytes come next. */
  take(bytes: Uint8Array): void {
    if (this.#known) return;
    const text = (this.#text + decoder.decode(bytes.subarray(0, longestLine))).replace(emptyLines, "");
    const end = text.indexOf("\n");
    if (end >= 0 || text.length > longestLine || otherByte.test(text)) {
      this.#known = true;
      this.#isOther = !requestLine.test(text);
    }
    this.#text = this.#known ? "" : text;
  }
}
