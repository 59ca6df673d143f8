import type { TdReport } from "../tdx/parseQuote.ts";
import { isZero } from "../../words/bytes.ts";

/**
 * TD attributes that may be set (Intel TDX Module ABI, TD_ATTRIBUTES): LASS 27, SEPT_VE_DISABLE 28, PKS 30, KL 31,
 * PERFMON 63. Not DEBUG (bit 0) or anything else of the untrusted byte, not MIGRATABLE (29): another platform could
 * hold the same TD.
 */
const ALLOWED_ATTRIBUTES = (1n << 27n) | (1n << 28n) | (1n << 30n) | (1n << 31n) | (1n << 63n);

const little = (bytes: Uint8Array): bigint =>
  bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);

export const isDebuggable = (report: TdReport): boolean => (little(report.tdAttributes) & 1n) !== 0n;

export const hasAllowedAttributes = (report: TdReport): boolean =>
  (little(report.tdAttributes) & ~ALLOWED_ATTRIBUTES) === 0n;

/** XFAM: x87 and SSE state are always on (Intel TDX Module ABI, XFAM). */
export const hasSaneXfam = (report: TdReport): boolean => (little(report.xfam) & 3n) === 3n;

/** TD 1.5: no service TD may be bound, or it could migrate or inspect this one. */
export const hasNoServiceTd = (report: TdReport): boolean =>
  report.mrServiceTd === null || isZero(report.mrServiceTd);
