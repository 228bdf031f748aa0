// Which names led to which address, as the app's look-ups showed: dns.ts fills it, rules over host names ask
// it when a connection goes to an address. Bounded: the entry that was not seen for longest is dropped first.

const mostAddresses = 4096;
/** Names of one address: a shared front of many hosts has more, the latest count. */
const mostNames = 32;

export class KnownNames {
  /** In order of the last look-up that gave the address. */
  readonly #names = new Map<string, string[]>();

  /** A look-up of one host, by whichever of its `names`, gave `addresses`. */
  add(names: readonly string[], addresses: readonly string[]): void {
    const plain = [...new Set(names.map((name) => name.toLowerCase().replace(/\.$/, "")))].filter(Boolean);
    for (const address of addresses) {
      const before = this.#names.get(address) ?? [];
      const all = [...before.filter((name) => !plain.includes(name)), ...plain].slice(-mostNames);
      this.#names.delete(address);
      this.#names.set(address, all);
    }
    for (const oldest of this.#names.keys()) {
      if (this.#names.size <= mostAddresses) break;
      this.#names.delete(oldest);
    }
  }

  /** The names that led to `address`, the latest last; lower case, without a final dot. */
  of(address: string): readonly string[] {
    return this.#names.get(address) ?? [];
  }
}
