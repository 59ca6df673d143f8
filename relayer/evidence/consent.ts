import type { PublicClient } from "viem";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import {
  instanceEntryTypes,
  ledgerDomain,
  nodeEntryTypes,
  nodeRegistryDomain,
} from "../../protocol/session/domains.ts";
import { compactSignature } from "../../protocol/words/compactSignature.ts";
import type { Address, Bytes32, Hex, PlatformId } from "../../protocol/words/hex.ts";
import { recoverTypedData } from "../keys/recoverTypedData.ts";

interface Chain {
  readonly chainId: number;
}

/**
 * The bound key's consent to be entered as an instance of `app` by exactly this evidence (IAttestationLedger.attest).
 * @throws CharterError `evidence/key-signature-invalid`.
 */
export async function requireInstanceConsent(
  chain: Chain & { readonly ledger: Address },
  entry: { app: Address; key: Address; evidenceDigest: Bytes32; signature: Hex },
): Promise<void> {
  const { app, key, evidenceDigest, signature } = entry;
  requireLedgersForm(key, signature);
  const typedData = {
    domain: ledgerDomain(chain.chainId, chain.ledger),
    types: instanceEntryTypes,
    primaryType: "InstanceEntry",
    message: { app, evidenceDigest },
  } as const;
  requireSigner(key, recoverTypedData(typedData, signature));
}

interface NodeEntry {
  readonly operator: Address;
  readonly key: Address;
  readonly platformId: PlatformId;
  readonly evidenceDigest: Bytes32;
  readonly keySignature: Hex;
  readonly operatorSignature: Hex;
}

/**
 * Operator's and key's consent to be entered as a node (INodeRegistry.register). An operator may be a contract
 * (ERC-1271), so its consent is asked of the chain when it is no plain signature.
 * @throws CharterError `evidence/key-signature-invalid`, `evidence/operator-signature-invalid`.
 */
export async function requireNodeConsent(
  chain: Chain & { readonly nodeRegistry: Address; readonly client: Pick<PublicClient, "verifyTypedData"> },
  entry: NodeEntry,
): Promise<void> {
  const { operator, key, platformId, evidenceDigest, keySignature, operatorSignature } = entry;
  const typedData = {
    domain: nodeRegistryDomain(chain.chainId, chain.nodeRegistry),
    types: nodeEntryTypes,
    primaryType: "NodeEntry",
    message: { operator, platformId, evidenceDigest },
  } as const;
  requireSigner(key, recoverTypedData(typedData, keySignature));
  if (recoverTypedData(typedData, operatorSignature) === operator) return;
  const asContract = await chain.client
    .verifyTypedData({ address: operator, ...typedData, signature: operatorSignature })
    .catch((cause: unknown) => {
      throw new CharterError("chain/unreachable", "the chain did not answer", {}, { cause });
    });
  if (asContract) return;
  throw new CharterError("evidence/operator-signature-invalid", "the entry must be signed by the operator", {
    operator,
  });
}

/** The ledger takes the compact form only: a signature that has none would spoil its batch. */
function requireLedgersForm(key: Address, signature: Hex): void {
  try {
    compactSignature(signature);
  } catch {
    throw notSigned(key);
  }
}

function requireSigner(key: Address, signer: Address | null): void {
  if (signer !== key) throw notSigned(key);
}

const notSigned = (key: Address): CharterError =>
  new CharterError("evidence/key-signature-invalid", "the entry must be signed by the key that it enters", {
    key,
  });
