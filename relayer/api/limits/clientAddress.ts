import { BlockList, isIP } from "node:net";

/** Whether an address is that of a reverse proxy whose `X-Forwarded-For` is believed. */
export type IsProxy = (address: string) => boolean;

/** IPv4 as a dual-stack listener shows it. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, "");

/**
 * Reads a list of addresses and networks ("10.0.0.7, 10.1.0.0/16, ::1"). Null when one of them is none.
 */
export function readProxies(text: string): IsProxy | null {
  const list = new BlockList();
  for (const item of text.split(",").map((part) => part.trim())) {
    if (item === "") continue;
    const [address = "", bits, ...more] = item.split("/");
    const family = isIP(address);
    const prefix = bits === undefined ? (family === 6 ? 128 : 32) : Number(bits);
    const isPrefix = /^\d{1,3}$/.test(bits ?? "0") && prefix <= (family === 6 ? 128 : 32);
    if (family === 0 || more.length > 0 || !isPrefix) return null;
    list.addSubnet(address, prefix, family === 6 ? "ipv6" : "ipv4");
  }
  return (address) => {
    const shown = plain(address);
    const family = isIP(shown);
    return family !== 0 && list.check(shown, family === 6 ? "ipv6" : "ipv4");
  };
}

/**
 * The client's address: the socket's own, or, behind proxies that are ours, the last one in `X-Forwarded-For` that is not
 * ours. What stands further left was written by whoever sent the request.
 */
export function clientAddress(
  remote: string | undefined,
  forwardedFor: string | readonly string[] | undefined,
  isProxy: IsProxy,
): string {
  const named = (typeof forwardedFor === "string" ? [forwardedFor] : (forwardedFor ?? []))
    .flatMap((line) => line.split(","))
    .map((part) => part.trim());
  let address = plain(remote ?? "unknown");
  while (isProxy(address)) {
    const next = named.pop();
    if (next === undefined || isIP(next) === 0) break;
    address = plain(next);
  }
  return address;
}

/**
 * Whom requests of this address are counted against: of IPv6 the network of 64 bits, since whoever has one address of it
 * has them all.
 */
export function limitName(address: string): string {
  const shown = plain(address);
  if (isIP(shown) !== 6) return shown;
  const [head = "", tail] = shown.split("%")[0]?.split("::") ?? [];
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const after = tail === "" ? 0 : tail.split(":").length + (tail.includes(".") ? 1 : 0);
    while (groups.length + after < 8) groups.push("0");
  }
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}
