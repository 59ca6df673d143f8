import type { Deployment } from "../../protocol/deployment/deployment.ts";
import type { Address } from "../../protocol/words/hex.ts";
import type { PinnedChain } from "../session/pinnedChain.ts";

/** What of an address book a node compares every relayer with. */
export const pinnedOf = ({
  chainId,
  genesisHash,
  attestationLedger: ledger,
  nodeRegistry,
}: Deployment): PinnedChain & { readonly nodeRegistry: Address } => ({
  chainId,
  genesisHash,
  ledger,
  nodeRegistry,
});
