import type { KeyObject } from "node:crypto";

import type { SnpProduct } from "../../../../protocol/evidence/snp/amdRoots.ts";
import type { SnpTcb } from "../../../../protocol/evidence/snp/snpTcb.ts";
import { labelled, signRaw } from "../keys.ts";
import { currentTcb, type SnpPlatform } from "./snpPlatform.ts";

/** What the simulated guest was launched with. */
export const SNP_MEASUREMENT = labelled("charter simulated SNP guest", 48);

export interface SnpReportOptions {
  /** 64 bytes. */
  readonly reportData: Uint8Array;
  /** 32 bytes that the host gave at launch; default zero. */
  readonly hostData?: Uint8Array;
  /** Default 3. */
  readonly version?: number;
  /** Policies that let others in. */
  readonly debug?: boolean;
  readonly migrationAgent?: boolean;
  /** Default true, as on most hosts. */
  readonly smt?: boolean;
  readonly smtEnabled?: boolean;
  readonly vmpl?: number;
  readonly maskedChipId?: boolean;
  readonly maskedChipKey?: boolean;
  /** SIGNING_KEY; default what the platform has. */
  readonly signingKey?: number;
  /** Signs by a key that no certificate is for. */
  readonly key?: KeyObject;
  /** Versions that differ from the platform's current ones. */
  readonly tcbs?: Partial<Readonly<Record<"current" | "reported" | "committed" | "launch", SnpTcb>>>;
  /** Family, model, stepping; default the product's. */
  readonly cpuId?: readonly [family: number, model: number, stepping: number];
  /** Bytes written over the report before it is signed, by offset. */
  readonly patches?: Readonly<Record<number, readonly number[]>>;
  /** The same after signing. */
  readonly forgeries?: Readonly<Record<number, readonly number[]>>;
}

const CPU_IDS: Readonly<Record<SnpProduct, readonly [number, number, number]>> = {
  Milan: [0x19, 0x01, 1],
  Genoa: [0x19, 0x11, 1],
  Turin: [0x1a, 0x02, 1],
};
const SIGNED_BYTES = 0x2a0;
const FIRMWARE = [0x1d, 0x37, 0x01]; // build, minor, major

/** ATTESTATION_REPORT as a machine of the simulated vendor signs it (SEV-SNP ABI 56860). */
export function makeSnpReport(platform: SnpPlatform, options: SnpReportOptions): Uint8Array {
  const { product, signer, leafKey } = platform;
  const { reportData, version = 3, vmpl = 0, smt = true, smtEnabled = smt, tcbs = {} } = options;
  const out = Buffer.alloc(1184);
  out.writeUInt32LE(version, 0x00);
  const policy =
    (smt ? 1 << 16 : 0) | (1 << 17) | (options.migrationAgent ? 1 << 18 : 0) | (options.debug ? 1 << 19 : 0);
  out.writeUInt32LE(policy, 0x08);
  out.writeUInt32LE(vmpl, 0x30);
  out.writeUInt32LE(1, 0x34); // ECDSA P-384 with SHA-384
  out[0x40] = 0x24 | (smtEnabled ? 1 : 0); // ECC memory, alias check done
  const signingKey = options.signingKey ?? (signer === "VCEK" ? 0 : 1);
  out.writeUInt32LE((signingKey << 2) | (options.maskedChipKey ? 2 : 0), 0x48);
  out.set(reportData, 0x50);
  out.set(SNP_MEASUREMENT, 0x90);
  out.set(options.hostData ?? [], 0xc0);
  out.set(labelled("charter simulated SNP report id", 32), 0x140);
  out.fill(0xff, 0x160, 0x180); // no migration agent
  if (version > 2) out.set(options.cpuId ?? CPU_IDS[product], 0x188);
  if (!options.maskedChipId) out.set(platform.chipId, 0x1a0);
  const current = currentTcb(product);
  out.set(tcbBytes(tcbs.current ?? current, product), 0x38);
  out.set(tcbBytes(tcbs.reported ?? current, product), 0x180);
  out.set(tcbBytes(tcbs.committed ?? current, product), 0x1e0);
  out.set(FIRMWARE, 0x1e8);
  out.set(FIRMWARE, 0x1ec);
  out.set(tcbBytes(tcbs.launch ?? current, product), 0x1f0);
  if (version > 4) out.set([0x0f, 0, 0, 0, 0, 0, 0, 0, 0x1f], 0x1f8);
  write(out, options.patches);
  const signature = signRaw(options.key ?? leafKey, out.subarray(0, SIGNED_BYTES));
  const size = signature.length / 2;
  out.set(signature.subarray(0, size).toReversed(), SIGNED_BYTES);
  out.set(signature.subarray(size).toReversed(), SIGNED_BYTES + 72);
  write(out, options.forgeries);
  return Uint8Array.from(out);
}

function write(out: Buffer, changes: SnpReportOptions["patches"] = {}): void {
  for (const [offset, bytes] of Object.entries(changes)) out.set(bytes, Number(offset));
}

const tcbBytes = ({ fmc, bootloader, tee, snp, microcode }: SnpTcb, product: SnpProduct): number[] =>
  product === "Turin"
    ? [fmc, bootloader, tee, snp, 0, 0, 0, microcode]
    : [bootloader, tee, 0, 0, 0, 0, snp, microcode];
