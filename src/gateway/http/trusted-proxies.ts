// Whose word about a client's address counts: address ranges of proxies in front of the gateway.
import { BlockList, isIP } from "node:net";

/** An address that no range holds, and that Node does not take for one, is not trusted. */
export class TrustedProxies {
  readonly #ranges: BlockList;
  readonly #everyone: boolean;

  /** Ranges as `address/bits` or a single address; others were refused where the settings are read. */
  constructor(ranges: readonly string[]) {
    this.#ranges = new BlockList();
    for (const range of ranges) {
      const slash = range.indexOf("/");
      const address = slash < 0 ? range : range.slice(0, slash);
      const version = isIP(address);
      if (version === 0) continue;
      const bits = slash < 0 ? (version === 4 ? 32 : 128) : Number(range.slice(slash + 1));
      this.#ranges.addSubnet(address, bits, version === 4 ? "ipv4" : "ipv6");
    }
    this.#everyone = ranges.includes("0.0.0.0/0") && ranges.includes("::/0");
  }

  /** `address` without brackets and zone; an IPv4 address in IPv6 form counts as IPv4. */
  trusts(address: string): boolean {
    if (this.#everyone) return true;
    const version = isIP(address);
    return version !== 0 && this.#ranges.check(address, version === 4 ? "ipv4" : "ipv6");
  }
}
