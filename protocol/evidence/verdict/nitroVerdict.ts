import { isZero } from "../../words/bytes.ts";
import { toHex } from "../../words/hex.ts";
import { verifyNitro } from "../nitro/verifyNitro.ts";
import type { Fact, Verdict, VerifyAnyOptions } from "./Verdict.ts";

/** An AWS Nitro Enclaves attestation document. */
export interface NitroFile {
  readonly kind: "nitro";
  readonly document: Uint8Array;
}

/** Verdict on an enclave's attestation document. @throws EvidenceError. */
export async function nitroVerdict(
  { document: bytes }: NitroFile,
  { at, crypto, roots, expect }: VerifyAnyOptions,
): Promise<Verdict> {
  const maxAgeSeconds = expect?.maxAgeSeconds;
  const verified = await verifyNitro(bytes, {
    at,
    crypto,
    ...(roots ? { roots } : {}),
    ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }),
  });
  const { moduleId, timestamp, pcrs, nonce, publicKey, userData } = verified.document;
  const measured = [...pcrs].filter(([index, pcr]) => index < 3 || !isZero(pcr));
  const facts: Record<string, Fact> = {
    moduleId,
    timestamp: new Date(timestamp).toISOString(),
    ...Object.fromEntries(measured.map(([index, pcr]) => [`pcr${index}`, toHex(pcr)])),
    nonce: nonce && toHex(nonce),
    publicKey: publicKey && toHex(publicKey),
  };
  return {
    kind: "nitro",
    status: null,
    advisoryIds: [],
    platformId: null,
    facts,
    reportData: userData && toHex(userData),
    validFrom: verified.validFrom,
    validUntil: verified.validUntil,
    root: verified.root,
    simulated: verified.simulated,
    unchecked: [
      "which machine it is, and how current its firmware: AWS says neither",
      "whether AWS revoked a certificate of the chain; the enclave's own lives for three hours",
    ],
    checks: verified.checks,
  };
}
