import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { ChainInfo } from "../../protocol/session/messages.ts";
import type { Address, Bytes32 } from "../../protocol/words/hex.ts";
import type { RelayerClient } from "./RelayerClient.ts";

/** The chain that a worker was configured for: a relayer's word for it is never enough. */
export interface PinnedChain {
  readonly chainId: number;
  readonly genesisHash: Bytes32;
  readonly ledger: Address;
  readonly nodeRegistry?: Address;
}

/**
 * Where a relayer stands, once it names the configured chain and contracts.
 * @throws CharterError `chain/mismatch`.
 */
export async function chainOf(
  relayer: RelayerClient,
  pinned: PinnedChain,
  signal?: AbortSignal,
): Promise<ChainInfo> {
  const info = await relayer.chain(signal);
  for (const name of ["chainId", "genesisHash", "ledger", "nodeRegistry"] as const) {
    const expected = pinned[name];
    if (expected === undefined || expected === info[name]) continue;
    throw new CharterError("chain/mismatch", `the relayer follows another chain or contracts (${name})`, {
      name,
      expected,
      actual: info[name],
      relayer: relayer.url,
    });
  }
  return info;
}
