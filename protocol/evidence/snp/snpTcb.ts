import { TcbStatus } from "../../words/enums.ts";
import type { SnpProduct } from "./amdRoots.ts";

/** Security version numbers of a platform's firmware: TCB_VERSION, taken apart. */
export interface SnpTcb {
  /** Turin has it; 0 for others. */
  readonly fmc: number;
  readonly bootloader: number;
  readonly tee: number;
  readonly snp: number;
  readonly microcode: number;
}

/** The four versions that a report states. */
export interface SnpTcbs {
  /** Firmware that runs now. */
  readonly current: SnpTcb;
  /** What the signing key is derived from, so what the certificate says: hosts may choose it, up to `committed`. */
  readonly reported: SnpTcb;
  /** The host gave up the right to go back below it. */
  readonly committed: SnpTcb;
  /** `current` when the guest was started. */
  readonly launch: SnpTcb;
}

const PARTS = ["fmc", "bootloader", "tee", "snp", "microcode"] as const;

/**
 * Takes 8 bytes of TCB_VERSION apart (SEV-SNP ABI 56860, "TCB_VERSION"): bootloader, TEE, four reserved, SNP, microcode;
 * from family 1Ah on FMC, bootloader, TEE, SNP, three reserved, microcode. Null where a reserved byte is not zero.
 */
export function readTcb(bytes: Uint8Array, product: SnpProduct): SnpTcb | null {
  const [b0, b1, b2, b3, b4, b5, b6, b7] = bytes as unknown as Octet;
  if (product === "Turin") {
    if ((b4 | b5 | b6) !== 0) return null;
    return { fmc: b0, bootloader: b1, tee: b2, snp: b3, microcode: b7 };
  }
  if ((b2 | b3 | b4 | b5) !== 0) return null;
  return { fmc: 0, bootloader: b0, tee: b1, snp: b6, microcode: b7 };
}

type Octet = readonly [number, number, number, number, number, number, number, number];

export const isSameTcb = (a: SnpTcb, b: SnpTcb): boolean => PARTS.every((part) => a[part] === b[part]);

/**
 * Lowest accepted versions per product: the caller's own collateral, as AMD signs none. None are built in: bulletins move
 * faster than a verifier's releases. A microcode version counts within one stepping only (AMD-SB-3019 is quoted with 0x54
 * for Genoa and 0x4f for Genoa-X), so leave it 0 where several are allowed.
 */
export type TcbFloors = Readonly<Partial<Record<SnpProduct, SnpTcb>>>;

export interface JudgedSnpTcb {
  readonly status: typeof TcbStatus.UpToDate | typeof TcbStatus.OutOfDate;
  /** Whether floors were given and the reported version reaches the product's. A product that floors leave out misses. */
  readonly floor: "met" | "missed" | "unchecked";
}

/**
 * AMD publishes no signed TCB levels, only bulletins (AMD-SB-…). The rule is dstack's (`AmdSnpTcbInfo::tcb_status` in
 * dstack-attest/src/amd_sev_snp.rs), with a floor: UpToDate means that current, committed and launch versions all equal
 * the reported one, and that no part of it is below the floor of its product. All else is OutOfDate: a host that
 * reports less than it committed to hides what an older key could sign; one that runs more than it committed to can go
 * back; a guest that was launched under older firmware may carry what that firmware let in.
 */
export function judgeSnpTcb(tcbs: SnpTcbs, product: SnpProduct, floors?: TcbFloors): JudgedSnpTcb {
  const { reported, current, committed, launch } = tcbs;
  const isSettled = [current, committed, launch].every((tcb) => isSameTcb(tcb, reported));
  const floor = floors ? meets(reported, floors[product]) : "unchecked";
  const isCurrent = isSettled && floor !== "missed";
  return { status: isCurrent ? TcbStatus.UpToDate : TcbStatus.OutOfDate, floor };
}

const meets = (tcb: SnpTcb, least: SnpTcb | undefined): "met" | "missed" =>
  least !== undefined && PARTS.every((part) => tcb[part] >= least[part]) ? "met" : "missed";
