import { isZero } from "../../words/bytes.ts";
import { toHex } from "../../words/hex.ts";
import type { Checklist } from "../EvidenceError.ts";
import type { EnclaveReport } from "./enclaveReport.ts";
import type { TdReport } from "./tdReport.ts";

/**
 * TD attributes that may be set (Intel TDX Module ABI, TD_ATTRIBUTES): LASS 27, SEPT_VE_DISABLE 28, PKS 30, KL 31,
 * PERFMON 63. Not DEBUG (bit 0) or anything else of the untrusted byte, not MIGRATABLE (29): another platform could
 * hold the same TD.
 */
const TD_ATTRIBUTES = (1n << 27n) | (1n << 28n) | (1n << 30n) | (1n << 31n) | (1n << 63n);

/**
 * Enclave attributes (Intel SDM Vol. 3D §35.7.1): INIT 0 and MODE64BIT 2 are set in every enclave that we know; KSS 7
 * and AEX-Notify 10 and CET 6 may be; PROVISIONKEY 4 may be, as it opens nothing of this enclave to others. DEBUG 1
 * and EINITTOKEN_KEY 5 (a launch enclave) may not.
 */
const ENCLAVE_REQUIRED = (1n << 0n) | (1n << 2n);
const ENCLAVE_ALLOWED = ENCLAVE_REQUIRED | (1n << 4n) | (1n << 6n) | (1n << 7n) | (1n << 10n);
const DEBUG_TD = 1n << 0n;
const DEBUG_ENCLAVE = 1n << 1n;
/** x87 and SSE state are always on (Intel TDX Module ABI, XFAM; SDM Vol. 3D, XFRM). */
const X87_AND_SSE = 3n;

/** Nobody but the code itself may look into what is attested. */
export function requireClosedReport(list: Checklist, report: TdReport | EnclaveReport): void {
  if (report.kind === "tdx") requireClosedTd(list, report);
  else requireClosedEnclave(list, report);
}

function requireClosedTd(list: Checklist, report: TdReport): void {
  const attributes = little(report.tdAttributes);
  const detail = { tdAttributes: toHex(report.tdAttributes) };
  list.require((attributes & DEBUG_TD) === 0n, "td-debug", "a TD that cannot be debugged", detail);
  list.require(
    (attributes & ~TD_ATTRIBUTES) === 0n,
    "td-attributes",
    "only attributes that keep the TD closed",
    detail,
  );
  list.require((little(report.xfam) & X87_AND_SSE) === X87_AND_SSE, "td-xfam", "x87 and SSE in XFAM", {
    xfam: toHex(report.xfam),
  });
  list.require(hasNoServiceTd(report), "td-service-td", "no service TD");
}

function requireClosedEnclave(list: Checklist, report: EnclaveReport): void {
  const flags = little(report.attributes.subarray(0, 8));
  const detail = { attributes: toHex(report.attributes) };
  list.require((flags & DEBUG_ENCLAVE) === 0n, "enclave-debug", "an enclave that cannot be debugged", detail);
  list.require(
    (flags & ENCLAVE_REQUIRED) === ENCLAVE_REQUIRED && (flags & ~ENCLAVE_ALLOWED) === 0n,
    "enclave-attributes",
    "an initialized 64-bit enclave with no attribute that opens it",
    detail,
  );
  list.require(
    (little(report.attributes.subarray(8)) & X87_AND_SSE) === X87_AND_SSE,
    "enclave-xfrm",
    "x87 and SSE in XFRM",
    detail,
  );
}

/** TD 1.5: no service TD may be bound, or it could migrate or inspect this one. */
export const hasNoServiceTd = (report: TdReport): boolean =>
  report.mrServiceTd === null || isZero(report.mrServiceTd);

const little = (bytes: Uint8Array): bigint =>
  bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
