import { quoteDigest } from "../../protocol/evidence/dcap/quoteDigest.ts";
import { reportData } from "../../protocol/evidence/reportData.ts";
import type { ChainInfo, EvidenceMessage } from "../../protocol/session/messages.ts";
import { fromHex, type Address, type Bytes32 } from "../../protocol/words/hex.ts";
import type { EvidenceSource } from "../tee/EvidenceSource.ts";

export interface Gathered {
  readonly evidence: EvidenceMessage;
  /** `quoteDigest`: what the bound key signs. */
  readonly evidenceDigest: Bytes32;
}

/** Evidence that binds a key to its use on this chain, at the relayer's finalized block. */
export async function gatherEvidence(
  source: EvidenceSource,
  chain: ChainInfo,
  use: { readonly purpose: "instance" | "node"; readonly subject: Address; readonly key: Address },
): Promise<Gathered> {
  const { number, hash } = chain.finalized;
  const data = reportData({
    ...use,
    chainId: chain.chainId,
    consumer: use.purpose === "instance" ? chain.ledger : chain.nodeRegistry,
    blockNumber: BigInt(number),
    blockHash: hash,
  });
  const quoted = await source.quote(fromHex(data));
  return {
    evidence: { kind: source.kind, ...quoted, blockNumber: number, blockHash: hash },
    evidenceDigest: quoteDigest(fromHex(quoted.quote)),
  };
}
