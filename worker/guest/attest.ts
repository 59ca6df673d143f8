import type { PrivateKeyAccount } from "viem/accounts";

import { instanceEntryTypes, ledgerDomain } from "../../protocol/session/domains.ts";
import type { Accepted, EvidenceMessage } from "../../protocol/session/messages.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { gatherEvidence } from "../session/gatherEvidence.ts";
import { chainOf, type PinnedChain } from "../session/pinnedChain.ts";
import type { RelayerClient } from "../session/RelayerClient.ts";
import type { EvidenceSource } from "../tee/EvidenceSource.ts";

export interface AttestOptions {
  readonly pinned: PinnedChain;
  readonly app: Address;
  readonly node: number;
  readonly account: PrivateKeyAccount;
  readonly source: EvidenceSource;
}

/**
 * Gives one relayer fresh evidence that this key is an instance of the app.
 * @throws CharterError `chain/mismatch`, `instance/denied`, `evidence/…`, `relayer/…`.
 */
export async function attest(
  relayer: RelayerClient,
  { pinned, app, node, account, source }: AttestOptions,
  signal?: AbortSignal,
): Promise<Accepted & { readonly evidence: EvidenceMessage }> {
  const chain = await chainOf(relayer, pinned, signal);
  const key = account.address.toLowerCase() as Address;
  const { evidence, evidenceDigest } = await gatherEvidence(source, chain, {
    purpose: "instance",
    subject: app,
    key,
  });
  const keySignature = await account.signTypedData({
    domain: ledgerDomain(pinned.chainId, pinned.ledger),
    types: instanceEntryTypes,
    primaryType: "InstanceEntry",
    message: { app, evidenceDigest },
  });
  const accepted = await relayer.registerInstance({ app, node, key, evidence, keySignature }, signal);
  return { ...accepted, evidence };
}
