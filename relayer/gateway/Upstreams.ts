import { BlockList, isIP } from "node:net";

import { CharterError } from "../../protocol/errors/CharterError.ts";

/**
 * Networks that the gateway may connect to. Instances name their own addresses, and an app's owner could name the
 * gateway's neighbours: so what is not listed is never connected to, and an empty list allows nothing.
 */
export class Upstreams {
  readonly #allowed = new BlockList();

  /** @param networks `10.0.0.0/8`, `2001:db8::/32` or single addresses. @throws CharterError `config/invalid`. */
  constructor(networks: readonly string[]) {
    for (const network of networks) {
      const [address = "", bits] = network.split("/");
      const family = isIP(address);
      const longest = family === 4 ? 32 : 128;
      const prefix = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : NaN;
      if (family === 0 || !(prefix <= longest)) {
        throw new CharterError("config/invalid", "expected networks like 10.0.0.0/8 or 2001:db8::/32", {
          actual: network,
        });
      }
      this.#allowed.addSubnet(address, prefix, family === 4 ? "ipv4" : "ipv6");
    }
  }

  /** Names are never resolved: an address that was checked is the one that is met. */
  isAllowed(host: string): boolean {
    const family = isIP(host);
    return family !== 0 && this.#allowed.check(host, family === 4 ? "ipv4" : "ipv6");
  }
}
