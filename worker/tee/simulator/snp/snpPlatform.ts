import { createHash, type KeyObject } from "node:crypto";

import type { SnpCertificates } from "../../../../protocol/evidence/snp/amdChain.ts";
import type { SnpProduct } from "../../../../protocol/evidence/snp/amdRoots.ts";
import type { SnpTcb } from "../../../../protocol/evidence/snp/snpTcb.ts";
import { toHex, type PlatformId } from "../../../../protocol/words/hex.ts";
import { issueCertificate } from "../certificate.ts";
import * as der from "../der.ts";
import { deriveKey, labelled } from "../keys.ts";
import type { AmdPki } from "./amdPki.ts";

/** Security versions of a current machine. */
export const SNP_TCB: SnpTcb = { fmc: 0, bootloader: 4, tee: 0, snp: 24, microcode: 219 };
export const TURIN_TCB: SnpTcb = { fmc: 1, bootloader: 1, tee: 1, snp: 4, microcode: 75 };

export const currentTcb = (product: SnpProduct): SnpTcb => (product === "Turin" ? TURIN_TCB : SNP_TCB);

/** One physical machine of the simulated vendor. */
export interface SnpPlatform {
  readonly product: SnpProduct;
  readonly signer: "VCEK" | "VLEK";
  /** 64 bytes as reports have it. */
  readonly chipId: Uint8Array;
  /** SHA-256 of the chip id. */
  readonly platformId: PlatformId;
  readonly leafKey: KeyObject;
  readonly certificates: SnpCertificates;
}

export interface SnpPlatformOptions {
  /** Which machine: equal names under one PKI are the same. */
  readonly name: string;
  /** Default VCEK: the chip's own key. */
  readonly signer?: "VCEK" | "VLEK";
  /** What the certificate says of the firmware; default the current versions. */
  readonly tcb?: SnpTcb;
  /** Unix seconds; default that of the PKI. */
  readonly notAfter?: number;
  /** Curve of the leaf's key; the vendor has P-384 only. */
  readonly curve?: "P-256" | "P-384";
  /** Default the PKI's. */
  readonly product?: SnpProduct;
  /** Changes extensions by suffix of AMD's identifier; null leaves one out. */
  readonly extensions?: Readonly<Record<string, Uint8Array | null>>;
}

const AMD = "1.3.6.1.4.1.3704.1";
const HWID_BYTES = 8;
const STEPPING = "-B1";
/** Every VCEK that AMD issues has this serial. */
const VCEK_SERIAL = Uint8Array.of(0);

/** The machine of that name: all of it follows from the PKI and the name, signatures aside. */
export function snpPlatform(pki: AmdPki, options: SnpPlatformOptions): SnpPlatform {
  const { name, signer = "VCEK", product = pki.product, curve = "P-384", notAfter = pki.notAfter } = options;
  const label = `${Buffer.from(pki.secret).toString("hex")}/chip/${name}`;
  const chipId = new Uint8Array(64);
  const hwid =
    product === "Turin" ? labelled(label, HWID_BYTES) : createHash("sha512").update(label).digest();
  chipId.set(hwid);
  const leafKey = deriveKey(pki.secret, `${signer}/${name}`, curve);
  const isVcek = signer === "VCEK";
  const fields: Record<string, Uint8Array | null> = {
    ...leafFields(product, isVcek, options.tcb ?? currentTcb(product)),
    ...(isVcek ? { "4": hwid } : { "5": ia5("simulated provider") }),
    ...options.extensions,
  };
  const leaf = issueCertificate({
    issuer: isVcek ? pki.ask : pki.asvk,
    subject: `SEV-${signer}`,
    key: leafKey,
    serial: isVcek ? VCEK_SERIAL : labelled(`${label}/serial`, 8),
    notBefore: pki.notBefore,
    notAfter,
    isBare: true,
    extensions: Object.entries(fields).flatMap(([suffix, value]) =>
      value === null ? [] : [[`${AMD}.${suffix}`, value] as const],
    ),
  });
  const { ask, asvk, ark } = pki.certificates;
  return {
    product,
    signer,
    chipId,
    platformId: toHex(createHash("sha256").update(chipId).digest()) as PlatformId,
    leafKey,
    certificates: { leaf: Uint8Array.from(leaf), ask: isVcek ? ask : asvk, ark },
  };
}

function leafFields(product: SnpProduct, isVcek: boolean, tcb: SnpTcb): Record<string, Uint8Array> {
  const isTurin = product === "Turin";
  return {
    "1": der.integer(isTurin ? 1 : 0),
    "2": ia5(isVcek ? `${product}${STEPPING}` : product),
    "3.1": der.integer(tcb.bootloader),
    "3.2": der.integer(tcb.tee),
    "3.3": der.integer(tcb.snp),
    ...(isTurin ? { "3.9": der.integer(tcb.fmc) } : { "3.4": der.integer(0) }),
    "3.5": der.integer(0),
    "3.6": der.integer(0),
    "3.7": der.integer(0),
    "3.8": der.integer(tcb.microcode),
  };
}

/** IA5String below 128 characters. */
const ia5 = (text: string): Buffer =>
  Buffer.concat([Buffer.from([0x16, text.length]), Buffer.from(text, "latin1")]);
