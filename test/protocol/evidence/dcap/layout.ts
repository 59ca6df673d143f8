import type { KeyObject } from "node:crypto";

import { signRaw } from "../../../../worker/tee/simulator/keys.ts";

/** Kinds of quotes that the simulator makes. */
export const QUOTE_KINDS = ["tdx4", "sgx3", "sgx4"] as const;
export type QuoteKind = (typeof QUOTE_KINDS)[number];

/** Where the parts of a quote stand (Intel TDX DCAP Quoting Library API §A.3; version 3: QuoteLibReference §A.4). */
export interface Layout {
  readonly body: number;
  readonly signatureLength: number;
  readonly signature: number;
  readonly attestationKey: number;
  /** Version 4 wraps the QE's report in certification data; version 3 has it here. */
  readonly certification: number;
  readonly qeReport: number;
  readonly qeReportSignature: number;
  readonly authLength: number;
  readonly auth: number;
  readonly chainHeader: number;
  readonly chain: number;
}

/** The layout of a quote whose QE authentication data has 32 bytes, as all that we know have. */
export function layoutOf(kind: QuoteKind): Layout {
  const body = 48;
  const signatureLength = body + (kind === "tdx4" ? 584 : 384);
  const certification = signatureLength + 4 + 128;
  const qeReport = certification + (kind === "sgx3" ? 0 : 6);
  return {
    body,
    signatureLength,
    signature: signatureLength + 4,
    attestationKey: signatureLength + 4 + 64,
    certification,
    qeReport,
    qeReportSignature: qeReport + 384,
    authLength: qeReport + 448,
    auth: qeReport + 450,
    chainHeader: qeReport + 482,
    chain: qeReport + 488,
  };
}

/** A copy with one bit flipped. */
export function flipped(bytes: Uint8Array, offset: number, bit = 0): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[offset] = (copy[offset] as number) ^ (1 << bit);
  return copy;
}

/** A copy with bytes of header or body replaced, signed anew by the attestation key: a guest that really is so. */
export function resignedBody(
  kind: QuoteKind,
  quote: Uint8Array,
  offset: number,
  bytes: readonly number[],
  key: KeyObject,
): Uint8Array {
  const { signatureLength, signature } = layoutOf(kind);
  const copy = Uint8Array.from(quote);
  copy.set(bytes, offset);
  copy.set(signRaw(key, copy.subarray(0, signatureLength)), signature);
  return copy;
}

/** The same for the quoting enclave's report, signed anew by the PCK. */
export function resignedQe(
  kind: QuoteKind,
  quote: Uint8Array,
  offset: number,
  bytes: readonly number[],
  key: KeyObject,
): Uint8Array {
  const { qeReport, qeReportSignature } = layoutOf(kind);
  const copy = Uint8Array.from(quote);
  copy.set(bytes, qeReport + offset);
  copy.set(signRaw(key, copy.subarray(qeReport, qeReportSignature)), qeReportSignature);
  return copy;
}
