import { id } from "ethers";

import type { Charter } from "./charter.ts";

/**
 * Code of a few bytes where a contract of a later step will stand: only what the caller makes of its answer is in
 * question. Never deployed outside tests.
 */
async function place(charter: Charter, name: string, code: string): Promise<string> {
  const address = `0x${id(name).slice(-40)}`;
  await charter.connection.provider.request({ method: "hardhat_setCode", params: [address, code] });
  return address;
}

/** A contract wallet that accepts every signature (ERC-1271's magic value 0x1626ba7e). */
export const placeAcceptingWallet = (charter: Charter): Promise<string> =>
  place(charter, "accepting wallet", "0x631626ba7e60e01b5f5260205ff3");

/** A contract wallet that answers something else. */
export const placeRefusingWallet = (charter: Charter): Promise<string> =>
  place(charter, "refusing wallet", "0x60015f5260205ff3");
