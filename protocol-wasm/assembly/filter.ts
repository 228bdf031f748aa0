// A filter over HTTP/1 request heads: leaves (header, path, method) joined by all, any and not.
// The host (../filter.ts) parses the filter's JSON and passes its parts in order: open, leaf, close. One
// instance holds one filter. Invariant: after the last part no call allocates memory, and a head that is not
// HTTP/1 never matches.

import { equalsFolded } from "./ascii";
import { Head, HEADER_LIMIT, readHead, resetHead, Side } from "./http_head";
import { matchesRegex, TEXT_LIMIT } from "./regex/match";
import { Regex } from "./regex/code";
import { compileRegex, Refusal } from "./regex/program";

const NODE_LIMIT: u32 = 256;

const enum NodeType {
  Header = 0,
  Path = 1,
  Method = 2,
  All = 3,
  Any = 4,
  Not = 5,
}

/** One part of the filter. A leaf holds its pattern or method; a join ends before part number `end`. */
@unmanaged
class Part {
  type: u32;
  end: u32;
  value: usize;
  length: u32;
}

@unmanaged
class Filter {
  text: usize;
  line: usize;
  lines: usize;
  places: usize;
  head: usize;
  parts: usize;
  count: u32;
  error: usize;
  errorAt: u32;
}

/** A filter without parts. */
export function filter_open(): usize {
  const filter = changetype<Filter>(heap.alloc(offsetof<Filter>()));
  filter.text = heap.alloc(TEXT_LIMIT);
  filter.line = heap.alloc(TEXT_LIMIT + 1);
  filter.lines = heap.alloc(HEADER_LIMIT << 4);
  filter.places = heap.alloc(TEXT_LIMIT + 1);
  filter.head = heap.alloc(offsetof<Head>());
  filter.parts = heap.alloc(NODE_LIMIT * offsetof<Part>());
  filter.count = 0;
  filter.error = 0;
  filter.errorAt = 0;
  return changetype<usize>(filter);
}

/** Where patterns and heads are to be written: at most TEXT_LIMIT bytes. */
export function filter_text(filter: Filter): usize {
  return filter.text;
}

/** Why the last part was refused: a static string, and the byte of its text. */
export function filter_error(filter: Filter): usize {
  return filter.error;
}

export function filter_error_at(filter: Filter): u32 {
  return filter.errorAt;
}

@inline
function partAt(filter: Filter, number: u32): Part {
  return changetype<Part>(filter.parts + <usize>number * offsetof<Part>());
}

function refused(filter: Filter, error: string, at: u32): u32 {
  filter.error = changetype<usize>(error);
  filter.errorAt = at;
  return 0;
}

/**
 * Begins a join (All, Any, Not); returns its number for `filter_close`, or -1 when there are too many parts.
 */
export function filter_join(filter: Filter, type: u32): i32 {
  if (filter.count == NODE_LIMIT) return -1;
  partAt(filter, filter.count).type = type;
  return filter.count++;
}

/** Ends the join: its members are all parts since it began. */
export function filter_close(filter: Filter, join: u32): void {
  partAt(filter, join).end = filter.count;
}

/** Adds a leaf whose pattern or method is the first `length` bytes of the text; 0 when it is refused. */
export function filter_leaf(filter: Filter, type: u32, length: u32): u32 {
  if (filter.count == NODE_LIMIT) return refused(filter, "the filter has too many parts", 0);
  const part = partAt(filter, filter.count);
  part.type = type;
  part.end = filter.count + 1;
  part.length = length;
  if (type == NodeType.Method) {
    part.value = heap.alloc(length);
    memory.copy(part.value, filter.text, length);
  } else {
    const refusal = new Refusal();
    part.value = compileRegex(filter.text, length, true, refusal);
    if (part.value == 0) return refused(filter, refusal.error, refusal.at);
  }
  filter.count++;
  return 1;
}

/**
 * 1 when the complete request head in the text matches, 0 when not; -1 when it is no complete HTTP/1 request
 * head.
 */
export function filter_matches(filter: Filter, length: u32): i32 {
  const head = changetype<Head>(filter.head);
  resetHead(head, filter.text, Side.Request, filter.lines);
  if (length > TEXT_LIMIT || readHead(head, length) != 1 || head.at != length) return -1;
  return filter.count == 0 || evaluate(filter, head, 0) ? 1 : 0;
}

/** Steps of all matches of this filter so far, for the tests of linearity. */
export function filter_steps(filter: Filter): u32 {
  let steps: u32 = 0;
  for (let i: u32 = 0; i < filter.count; i++) {
    const part = partAt(filter, i);
    if (part.type <= <u32>NodeType.Path) steps += changetype<Regex>(part.value).steps;
  }
  return steps;
}

/** Depth is bounded by the host. */
function evaluate(filter: Filter, head: Head, number: u32): bool {
  const part = partAt(filter, number);
  switch (part.type) {
    case NodeType.Header:
      return headerMatches(filter, head, changetype<Regex>(part.value));
    case NodeType.Path:
      return pathMatches(filter, head, changetype<Regex>(part.value));
    case NodeType.Method:
      return methodMatches(head, part);
  }
  const all = part.type == NodeType.All;
  for (let at = number + 1; at < part.end; at = partAt(filter, at).end) {
    const matches = evaluate(filter, head, at);
    if (part.type == NodeType.Not) return !matches;
    if (matches != all) return matches;
  }
  return all;
}

function methodMatches(head: Head, part: Part): bool {
  const length = head.methodEnd - head.methodStart;
  if (length != part.length) return false;
  for (let i: u32 = 0; i < length; i++) {
    if (lower(load<u8>(head.base + head.methodStart + i)) != lower(load<u8>(part.value + i))) return false;
  }
  return true;
}

@inline
function lower(c: u32): u32 {
  return c - 65 < 26 ? c | 32 : c;
}

/** Each header line by itself, as `Name: value` with one space whatever the sender wrote. */
function headerMatches(filter: Filter, head: Head, regex: Regex): bool {
  const base = head.base;
  for (let i: u32 = 0; i < head.headers; i++) {
    const entry = filter.lines + (<usize>i << 4);
    const nameStart = load<u32>(entry);
    const nameEnd = load<u32>(entry, 4);
    const valueStart = load<u32>(entry, 8);
    const valueEnd = load<u32>(entry, 12);
    let line = base + nameStart;
    let length = valueEnd - nameStart;
    if (valueStart != nameEnd + 2 || load<u8>(base + nameEnd + 1) != 32) {
      const name = nameEnd - nameStart + 1;
      line = filter.line;
      memory.copy(line, base + nameStart, name);
      store<u8>(line + name, 32);
      memory.copy(line + name + 1, base + valueStart, valueEnd - valueStart);
      length = name + 1 + valueEnd - valueStart;
    }
    if (matchesRegex(regex, line, length, filter.places)) return true;
  }
  return false;
}

/**
 * The path of the request target, and the path with its query; of an absolute target, what follows the
 * authority.
 */
function pathMatches(filter: Filter, head: Head, regex: Regex): bool {
  let start = head.targetStart;
  let end = start;
  while (end < head.targetEnd && load<u8>(head.base + end) != 35) end++;
  start = pathStart(head, start, end);
  let query = start;
  while (query < end && load<u8>(head.base + query) != 63) query++;
  if (matchesPath(filter, head.base + start, query - start, regex)) return true;
  return query < end && matchesPath(filter, head.base + start, end - start, regex);
}

/** An absolute target may have no path, which then is "/" (RFC 9110, 4.2.3). */
function matchesPath(filter: Filter, at: usize, length: u32, regex: Regex): bool {
  if (length != 0 && load<u8>(at) != 63) return matchesRegex(regex, at, length, filter.places);
  store<u8>(filter.line, 47);
  memory.copy(filter.line + 1, at, length);
  return matchesRegex(regex, filter.line, length + 1, filter.places);
}

/**
 * Behind `scheme://authority`, when the target has that; otherwise the place of "/", and CONNECT has no path.
 */
function pathStart(head: Head, start: u32, end: u32): u32 {
  const base = head.base;
  const c: u32 = load<u8>(base + start);
  if (c == 47 || c == 42) return start;
  let at = start;
  while (at < end && load<u8>(base + at) != 58 && load<u8>(base + at) != 47) at++;
  if (at + 2 < end && load<u8>(base + at) == 58 && load<u8>(base + at + 1) == 47 && load<u8>(base + at + 2) == 47) {
    at += 3;
    while (at < end && load<u8>(base + at) != 47 && load<u8>(base + at) != 63) at++;
    return at;
  }
  return equalsFolded(base + head.methodStart, head.methodEnd - head.methodStart, "connect") ? end : start;
}
