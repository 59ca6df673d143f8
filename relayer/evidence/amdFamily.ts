import { parseCertificate } from "../../protocol/der/certificate.ts";
import { EvidenceError } from "../../protocol/evidence/index.ts";
import { productOf } from "../../protocol/evidence/snp/amdChain.ts";
import type { SnpProduct } from "../../protocol/evidence/snp/amdRoots.ts";
import { readLeafExtensions } from "../../protocol/evidence/snp/leafExtensions.ts";
import type { SnpReport, SnpSigner } from "../../protocol/evidence/snp/parseReport.ts";
import { readTcb, type SnpTcb } from "../../protocol/evidence/snp/snpTcb.ts";
import { isZero } from "../../protocol/words/bytes.ts";
import { toHex } from "../../protocol/words/hex.ts";

/** What CAs and their revocation list are published by: a line of processors, and the kind of key they certify. */
export interface AmdIssuerFamily {
  readonly signer: SnpSigner;
  readonly product: SnpProduct;
}

/** What a VCEK is published by: one chip, under one version of its firmware. */
export interface AmdChip {
  readonly product: SnpProduct;
  /** Lower-case hex without 0x: 64 bytes, of Turin 8. */
  readonly hwid: string;
  readonly tcb: SnpTcb;
}

const TURIN_HWID_BYTES = 8;

/**
 * The CAs that a report claims to be under, to know which to ask for. Nothing is trusted here: the verifier judges report
 * and certificates together. Reports of version 2 name no processor: there the leaf must have come along, and says it.
 * @throws EvidenceError `evidence/snp-product`; DerError of the leaf.
 */
export function amdIssuerFamily({ signer, cpuId }: SnpReport, leaf?: Uint8Array): AmdIssuerFamily {
  const named = cpuId && productOf(cpuId);
  if (named) return { signer, product: named };
  if (cpuId === null && leaf) return { signer, product: readLeafExtensions(parseCertificate(leaf)).product };
  throw new EvidenceError(
    "snp-product",
    "expected a report of a known processor, or its certificate where the report names none",
    { cpuId },
  );
}

/**
 * The chip and the firmware that a report's VCEK is for.
 * @throws EvidenceError `evidence/snp-tcb-format`, `evidence/snp-chip-id`: masked, or longer than the product's.
 */
export function amdChip({ chipId, tcbs }: SnpReport, product: SnpProduct): AmdChip {
  const tcb = readTcb(tcbs.reported, product);
  if (tcb === null) {
    throw new EvidenceError(
      "snp-tcb-format",
      "expected zero in the reserved bytes of the reported TCB version",
    );
  }
  const length = product === "Turin" ? TURIN_HWID_BYTES : chipId.length;
  const hwid = chipId.subarray(0, length);
  if (isZero(hwid) || !isZero(chipId.subarray(length))) {
    throw new EvidenceError("snp-chip-id", "expected the chip's id: without it there is no VCEK to ask for", {
      product,
      actual: toHex(chipId),
    });
  }
  return { product, hwid: toHex(hwid).slice(2), tcb };
}

/** One text per family. */
export const issuerKey = ({ signer, product }: AmdIssuerFamily): string =>
  `snp:${signer.toLowerCase()}:${product}`;

/** One text per chip and firmware. */
export const chipKey = ({ product, hwid, tcb }: AmdChip): string =>
  `snp:${product}:${hwid}:${[tcb.fmc, tcb.bootloader, tcb.tee, tcb.snp, tcb.microcode].join(".")}`;
