import type { PrivateKeyAccount } from "viem/accounts";

import { nodeEntryTypes, nodeRegistryDomain } from "../../protocol/session/domains.ts";
import type { Accepted } from "../../protocol/session/messages.ts";
import type { Address, ComposeHash } from "../../protocol/words/hex.ts";
import { gatherEvidence } from "../session/gatherEvidence.ts";
import { chainOf, type PinnedChain } from "../session/pinnedChain.ts";
import type { RelayerClient } from "../session/RelayerClient.ts";
import type { EvidenceSource } from "../tee/EvidenceSource.ts";
import { measureBoot } from "../tee/measureBoot.ts";
import { requirePlatform } from "../tee/requirePlatform.ts";

export interface RegisterOptions {
  readonly pinned: PinnedChain & { readonly nodeRegistry: Address };
  readonly operator: PrivateKeyAccount;
  readonly account: PrivateKeyAccount;
  /** Opens a TEE that runs no app: its evidence speaks of the platform. */
  readonly openSource: () => Promise<EvidenceSource>;
}

const NO_APP = {
  app: `0x${"00".repeat(20)}` as Address,
  composeHash: `0x${"00".repeat(32)}` as ComposeHash,
  instanceId: "0x",
} as const;

/**
 * Gives one relayer fresh evidence of this platform, with the consent of operator and key: registers the node, or
 * renews it when its key is registered already.
 * @throws CharterError `chain/mismatch`, `evidence/…`, `relayer/…`, `tee/no-platform`.
 */
export async function registerNode(
  relayer: RelayerClient,
  { pinned, operator, account, openSource }: RegisterOptions,
  signal?: AbortSignal,
): Promise<Accepted> {
  const chain = await chainOf(relayer, pinned, signal);
  const source = await openSource();
  const platformId = requirePlatform(source);
  // What dstack or the launch bound already stands in the evidence: a registration asks which machine it is, not for what.
  if (source.boot === undefined) await measureBoot(source, NO_APP);
  const key = account.address.toLowerCase() as Address;
  const operatorAddress = operator.address.toLowerCase() as Address;
  const { evidence, evidenceDigest } = await gatherEvidence(source, chain, {
    purpose: "node",
    subject: operatorAddress,
    key,
  });
  const entry = {
    domain: nodeRegistryDomain(pinned.chainId, pinned.nodeRegistry),
    types: nodeEntryTypes,
    primaryType: "NodeEntry",
    message: { operator: operatorAddress, platformId, evidenceDigest },
  } as const;
  const [operatorSignature, keySignature] = await Promise.all([
    operator.signTypedData(entry),
    account.signTypedData(entry),
  ]);
  return relayer.registerNode(
    { operator: operatorAddress, key, evidence, operatorSignature, keySignature },
    signal,
  );
}
