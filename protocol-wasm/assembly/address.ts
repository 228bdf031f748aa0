// Rules over destinations: protocol, host name or network, port range. The host (../rules.ts) parses their
// text and passes the parts; a destination matches when one rule does. Invariant: no memory while matching;
// names are compared without letter case, addresses bit by bit.

const NAME_LIMIT: u32 = 1024;
const ADDRESS_BYTES: usize = 16;

const enum HostKind {
  Any = 0,
  Name = 1,
  /** What ends with the name, which begins with a dot. */
  Suffix = 2,
  Network = 3,
}

/** One rule; its name or address follows it. protocol 0 is any. */
@unmanaged
class Rule {
  next: usize;
  protocol: u32;
  kind: u32;
  family: u32;
  prefix: u32;
  low: u32;
  high: u32;
  length: u32;
}

@unmanaged
class Rules {
  first: usize;
}

export function rules_open(): usize {
  const rules = changetype<Rules>(heap.alloc(offsetof<Rules>() + ADDRESS_BYTES + NAME_LIMIT));
  rules.first = 0;
  return changetype<usize>(rules);
}

/** Where 16 address bytes and, behind them, a name of at most 1024 bytes in lower case are to be written. */
export function rules_text(rules: Rules): usize {
  return changetype<usize>(rules) + offsetof<Rules>();
}

/**
 * Adds a rule; of a Network the address is in the text and `prefix` bits of it count, otherwise the name of
 * `length` bytes.
 */
export function rules_add(
  rules: Rules,
  protocol: u32,
  kind: u32,
  family: u32,
  prefix: u32,
  low: u32,
  high: u32,
  length: u32,
): void {
  const rule = changetype<Rule>(heap.alloc(offsetof<Rule>() + max(ADDRESS_BYTES, length)));
  rule.next = rules.first;
  rule.protocol = protocol;
  rule.kind = kind;
  rule.family = family;
  rule.prefix = prefix;
  rule.low = low;
  rule.high = high;
  rule.length = length;
  const from = rules_text(rules) + (kind == HostKind.Network ? 0 : ADDRESS_BYTES);
  memory.copy(changetype<usize>(rule) + offsetof<Rule>(), from, kind == HostKind.Network ? ADDRESS_BYTES : length);
  rules.first = changetype<usize>(rule);
}

/** 1 when a rule matches; family 0 is no address, length 0 no name. */
export function rules_match(rules: Rules, protocol: u32, family: u32, port: u32, length: u32): u32 {
  let at = rules.first;
  while (at != 0) {
    const rule = changetype<Rule>(at);
    const fits = (rule.protocol == 0 || rule.protocol == protocol) && port >= rule.low && port <= rule.high;
    if (fits && hostMatches(rule, rules_text(rules), family, length)) return 1;
    at = rule.next;
  }
  return 0;
}

function hostMatches(rule: Rule, text: usize, family: u32, length: u32): bool {
  const own = changetype<usize>(rule) + offsetof<Rule>();
  const name = text + ADDRESS_BYTES;
  switch (rule.kind) {
    case HostKind.Any:
      return true;
    case HostKind.Name:
      return length == rule.length && memory.compare(own, name, length) == 0;
    case HostKind.Suffix:
      return length > rule.length && memory.compare(own, name + length - rule.length, rule.length) == 0;
  }
  if (rule.family != family) return false;
  const whole = rule.prefix >> 3;
  if (memory.compare(own, text, whole) != 0) return false;
  const rest = rule.prefix & 7;
  return rest == 0 || ((load<u8>(own + whole) ^ load<u8>(text + whole)) >> <u8>(8 - rest)) == 0;
}
