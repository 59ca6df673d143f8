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

/** A contract wallet that calls `target` with `data` whenever it is asked (200,000 gas), and accepts every signature. */
export async function placeReenteringWallet(charter: Charter, target: string, data: string): Promise<string> {
  const [size, at] = [((data.length - 2) / 2).toString(16).padStart(2, "0"), "35"];
  const copied = `60${size}60${at}5f39`;
  const called = `5f5f60${size}5f5f73${target.slice(2)}62030d40f150`;
  const answered = "631626ba7e60e01b5f5260205ff3";
  return place(charter, "reentering wallet", `0x${copied}${called}${answered}${data.slice(2)}`);
}
