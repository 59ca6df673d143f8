import { evidenceDigest } from "../../protocol/evidence/facts/evidenceDigest.ts";
import { reportData } from "../../protocol/evidence/reportData.ts";
import type { ChainInfo, EvidenceMessage } from "../../protocol/session/messages.ts";
import { fromHex, type Address, type Bytes32 } from "../../protocol/words/hex.ts";
import type { EvidenceSource } from "../tee/EvidenceSource.ts";

export interface Gathered {
  readonly evidence: EvidenceMessage;
  /** `evidenceDigest`: what the bound key signs. */
  readonly evidenceDigest: Bytes32;
}

/**
 * Evidence that binds a key to its use on this chain, at the relayer's finalized block. Where the guest has GPUs they are
 * asked first, with the first half of the report data; the digest of what they say becomes its second half (DESIGN section 5).
 */
export async function gatherEvidence(
  source: EvidenceSource,
  chain: ChainInfo,
  use: { readonly purpose: "instance" | "node"; readonly subject: Address; readonly key: Address },
): Promise<Gathered> {
  const { number, hash } = chain.finalized;
  const binding = {
    ...use,
    chainId: chain.chainId,
    consumer: use.purpose === "instance" ? chain.ledger : chain.nodeRegistry,
    blockNumber: BigInt(number),
    blockHash: hash,
  };
  const gpus = await source.gpus?.(reportData(binding).slice(0, 66) as Bytes32);
  const data = reportData({ ...binding, ...(gpus === undefined ? {} : { gpuDigest: gpus.digest }) });
  const quoted = await source.quote(fromHex(data));
  return {
    evidence: {
      kind: source.kind,
      ...quoted,
      ...(gpus === undefined ? {} : { gpu: gpus.serialized }),
      blockNumber: number,
      blockHash: hash,
    },
    evidenceDigest: evidenceDigest({ kind: source.kind, quote: quoted.quote }),
  };
}
