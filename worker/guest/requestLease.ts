import { randomBytes } from "node:crypto";
import type { PrivateKeyAccount } from "viem/accounts";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import { leaseDomain, leaseRequestTypes } from "../../protocol/session/domains.ts";
import { recoverLeaseSigner, type SignedLease } from "../../protocol/session/lease.ts";
import { toHex, type Address, type Bytes32, type ComposeHash } from "../../protocol/words/hex.ts";
import type { Clock } from "../clock.ts";
import type { RelayerClient } from "../session/RelayerClient.ts";
import type { RelayerSession } from "../session/RelayerSession.ts";

export interface LeaseTerms {
  readonly chainId: number;
  readonly ledger: Address;
  readonly app: Address;
  readonly release: number;
  readonly composeHash: ComposeHash;
  readonly account: PrivateKeyAccount;
  /** From the measured manifest: nobody else's lease counts. */
  readonly leaseSigners: readonly Address[];
  readonly maxLeaseSeconds: number;
  readonly clock: Clock;
}

/** A lease as the guest counts it. */
export interface HeldLease {
  readonly maxSeconds: number;
  /** On the guest's clock, milliseconds: counted from when the nonce was sent. */
  readonly sentAt: number;
  readonly expiresAt: number;
  readonly signer: Address;
  readonly blockNumber: bigint;
  /** As the relayer gave it, for those who ask this instance what it may run. */
  readonly signed: SignedLease;
}

/**
 * Asks one relayer for a lease over a fresh nonce, in the session that is held with it or by a request of its own, which
 * the instance key signs, and checks that the answer is for exactly this and by a signer that
 * the manifest names.
 * @throws CharterError `lease/denied`, `lease/mismatch`, `lease/signature-invalid`, `lease/signer-not-named`,
 * `lease/too-long`, `relayer/…`.
 */
export async function requestLease(
  relayer: RelayerClient,
  terms: LeaseTerms,
  signal?: AbortSignal,
  session?: RelayerSession,
): Promise<HeldLease> {
  const { chainId, ledger, app, release, composeHash, account, clock } = terms;
  const key = account.address.toLowerCase() as Address;
  const nonce = toHex(randomBytes(32)) as Bytes32;
  const ask = session === undefined ? await signedRequest() : () => session.lease(nonce, signal);
  const sentAt = clock.now();
  const signed = await ask();
  requireEqual(signed, { app, key, release, composeHash, nonce });
  const signer = await signerOf(chainId, ledger, signed);
  if (!terms.leaseSigners.includes(signer)) {
    throw new CharterError("lease/signer-not-named", "the manifest does not name this lease's signer", {
      expected: terms.leaseSigners,
      actual: signer,
      relayer: relayer.url,
    });
  }
  const { maxSeconds } = signed.lease;
  if (maxSeconds < 1 || maxSeconds > terms.maxLeaseSeconds) {
    throw new CharterError("lease/too-long", "the manifest does not allow a lease of this length", {
      maxLeaseSeconds: terms.maxLeaseSeconds,
      actual: maxSeconds,
      relayer: relayer.url,
    });
  }
  return {
    maxSeconds,
    sentAt,
    expiresAt: sentAt + maxSeconds * 1_000,
    signer,
    blockNumber: signed.blockNumber,
    signed,
  };

  async function signedRequest(): Promise<() => Promise<SignedLease>> {
    const signature = await account.signTypedData({
      domain: leaseDomain(chainId, ledger),
      types: leaseRequestTypes,
      primaryType: "LeaseRequest",
      message: { app, nonce },
    });
    return () => relayer.lease({ app, key, nonce, signature }, signal);
  }
}

function requireEqual(
  { lease }: SignedLease,
  expected: Pick<SignedLease["lease"], "app" | "key" | "release" | "composeHash" | "nonce">,
): void {
  for (const name of ["app", "key", "release", "composeHash", "nonce"] as const) {
    if (lease[name] === expected[name]) continue;
    throw new CharterError("lease/mismatch", `the lease is for another ${name}`, {
      name,
      expected: expected[name],
      actual: lease[name],
    });
  }
}

async function signerOf(chainId: number, ledger: Address, signed: SignedLease): Promise<Address> {
  try {
    return await recoverLeaseSigner(chainId, ledger, signed);
  } catch (cause) {
    throw new CharterError("lease/signature-invalid", "the lease's signature is none", {}, { cause });
  }
}
