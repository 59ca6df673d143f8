import type { PublicClient } from "viem";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import { asChainError, readHeader } from "./rpc.ts";

/**
 * Is this the chain that the deployment names? The genesis hash is compared too: a chain id is only the node's word.
 * @throws CharterError `chain/wrong-chain`, `chain/unreachable`.
 */
export async function verifyChain(
  client: PublicClient,
  expected: { chainId: number; genesisHash: string },
): Promise<void> {
  const chainId = await asChainError("chain id", client.getChainId());
  const genesisHash = (await readHeader(client, 0n)).hash;
  if (chainId !== expected.chainId || genesisHash !== expected.genesisHash) {
    throw new CharterError("chain/wrong-chain", "the node follows another chain than the deployment's", {
      expected: { chainId: expected.chainId, genesisHash: expected.genesisHash },
      actual: { chainId, genesisHash },
    });
  }
}
