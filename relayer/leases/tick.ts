import { leaseDomain, leaseTickTypes } from "../../protocol/session/domains.ts";
import { leaseLeaf, leaseTree } from "../../protocol/session/lease.ts";
import type { Lease, SignedLease } from "../../protocol/session/lease.ts";
import type { BlockRef } from "../../protocol/state/types.ts";
import type { Address, Hex } from "../../protocol/words/hex.ts";
import { keccak256 } from "../keccak.ts";

/** What a tick needs of a key: viem's local account has it, and so can a hardware signer. */
export interface TypedDataSigner {
  readonly address: Hex;
  signTypedData(parameters: {
    domain: ReturnType<typeof leaseDomain>;
    types: typeof leaseTickTypes;
    primaryType: "LeaseTick";
    message: { root: Hex; blockNumber: bigint; blockHash: Hex };
  }): Promise<Hex>;
}

/**
 * Signs every lease of one tick with one EIP-712 signature over their Merkle root; each lease gets its path
 * (DESIGN section 6: a signature costs far more than a hash). `leases` must not be empty.
 * @param block the final block that the decisions cite.
 */
export async function signTick(
  leases: readonly Lease[],
  block: Pick<BlockRef, "number" | "hash">,
  chain: { readonly chainId: number; readonly ledger: Address },
  signer: TypedDataSigner,
): Promise<SignedLease[]> {
  const { root, paths } = leaseTree(
    leases.map((lease) => leaseLeaf(lease, keccak256)),
    keccak256,
  );
  const signature = await signer.signTypedData({
    domain: leaseDomain(chain.chainId, chain.ledger),
    types: leaseTickTypes,
    primaryType: "LeaseTick",
    message: { root, blockNumber: block.number, blockHash: block.hash },
  });
  return leases.map((lease, index) => ({
    lease,
    path: paths[index] ?? [],
    blockNumber: block.number,
    blockHash: block.hash,
    signature,
  }));
}
