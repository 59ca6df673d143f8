import { EvidenceError } from "../EvidenceError.ts";
import { verifyNras } from "../gpu/verifyNras.ts";
import type { Bytes32 } from "../../words/hex.ts";
import { GUEST_ONLY } from "./guestOnly.ts";
import type { Verdict, VerifyAnyOptions } from "./Verdict.ts";

/** The token of NVIDIA's service: its exact text. */
export interface NrasToken {
  readonly kind: "nras";
  readonly token: string;
}

/**
 * Verdict on a token of NVIDIA's service. Its keys and the nonce must be given: a token says nothing of when it was
 * asked for. @throws EvidenceError; `evidence/collateral-missing`, `evidence/nonce-missing`.
 */
export async function nrasVerdict({ token }: NrasToken, options: VerifyAnyOptions): Promise<Verdict> {
  const { at, crypto, collateral: { nrasKeys } = {}, expect } = options;
  if (!nrasKeys) throw new EvidenceError("collateral-missing", "expected the key set of NVIDIA's service");
  if (expect?.reportData === undefined) {
    throw new EvidenceError("nonce-missing", "expected the nonce that the token was asked for with");
  }
  const nonce = expect.reportData as Bytes32;
  const verified = await verifyNras(token, { at, crypto, keys: nrasKeys, nonce });
  return {
    kind: "nras",
    status: null,
    advisoryIds: [],
    platformId: null,
    facts: {
      gpus: verified.gpus.length,
      hwModel: verified.gpus.map(({ hwModel }) => hwModel),
      ueid: verified.gpus.map(({ ueid }) => ueid),
      driverVersion: verified.gpus.map(({ driverVersion }) => driverVersion),
      vbiosVersion: verified.gpus.map(({ vbiosVersion }) => vbiosVersion),
    },
    reportData: verified.nonce,
    validFrom: verified.validFrom,
    validUntil: verified.validUntil,
    root: verified.root,
    simulated: verified.simulated,
    unchecked: [GUEST_ONLY, "the report itself: NVIDIA's service looked at it, and we at its signature"],
    checks: verified.checks,
  };
}
