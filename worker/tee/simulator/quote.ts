import { createHash, type KeyObject } from "node:crypto";

import { publicPoint, signRaw } from "./keys.ts";
import type { SimulatedPlatform } from "./platform.ts";
import { QE, TDX_MODULE } from "./tcb.ts";

/** What a TD report says (Intel TDX DCAP Quoting Library API §A.3.2), lengths as there. */
export interface TdReport {
  readonly mrTd: Uint8Array;
  readonly mrConfigId: Uint8Array;
  readonly rtmrs: readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  readonly reportData: Uint8Array;
  /** TDATTRIBUTES.DEBUG: whoever runs the host can read the TD's memory. */
  readonly debug: boolean;
}

/** SEPT_VE_DISABLE: the attribute that every Linux TD has. */
const TD_ATTRIBUTES = Buffer.from("0000001000000000", "hex");
const DEBUG = 0x01;
const XFAM = Buffer.from("e702060000000000", "hex");
const INTEL_QE_VENDOR = Buffer.from("939a7233f79c4ca9940a0db3957f0607", "hex");

const u16 = (value: number): Buffer => Buffer.from([value & 0xff, value >> 8]);
const u32 = (value: number): Buffer => {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(value);
  return out;
};
const zeros = (size: number): Buffer => Buffer.alloc(size);

/** A TDX quote, version 4, signed by the platform (`signingKey` replaces its attestation key: a forgery). */
export function makeQuote(
  platform: SimulatedPlatform,
  report: TdReport,
  signingKey: KeyObject = platform.attestationKey,
): Buffer {
  const header = Buffer.concat([
    u16(4), // version
    u16(2), // attestation key: ECDSA P-256
    u32(0x81), // TEE type: TDX
    zeros(4),
    INTEL_QE_VENDOR,
    zeros(20), // user data
  ]);
  const signedBytes = Buffer.concat([header, body(platform, report)]);
  const authData = Buffer.from(Array.from({ length: 32 }, (_, i) => i));
  const point = publicPoint(platform.attestationKey);
  const qeReport = quotingEnclaveReport(
    platform,
    createHash("sha256").update(point).update(authData).digest(),
  );
  const pckChain = Buffer.from(`${platform.pckChain}\0`, "latin1");
  const certification = Buffer.concat([
    qeReport,
    signRaw(platform.pckKey, qeReport),
    u16(authData.length),
    authData,
    u16(5), // PCK certificate chain
    u32(pckChain.length),
    pckChain,
  ]);
  const signature = Buffer.concat([
    signRaw(signingKey, signedBytes),
    point,
    u16(6), // QE report certification data
    u32(certification.length),
    certification,
  ]);
  return Buffer.concat([signedBytes, u32(signature.length), signature]);
}

function body({ tcb }: SimulatedPlatform, { mrTd, mrConfigId, rtmrs, reportData, debug }: TdReport): Buffer {
  const attributes = Buffer.from(TD_ATTRIBUTES);
  if (debug) attributes[0] = DEBUG;
  const out = Buffer.concat([
    tcb.teeTcbSvn,
    TDX_MODULE.mrSeam,
    zeros(48), // MRSIGNERSEAM
    zeros(8), // SEAMATTRIBUTES
    attributes,
    XFAM,
    mrTd,
    mrConfigId,
    zeros(48), // MROWNER
    zeros(48), // MROWNERCONFIG
    ...rtmrs,
    reportData,
  ]);
  if (out.length !== 584) throw new RangeError(`a TD report body has 584 bytes, not ${out.length}`);
  return out;
}

/** SGX report of the quoting enclave that vouches for the attestation key (Intel SGX SDM, REPORTBODY, 384 bytes). */
function quotingEnclaveReport({ tcb }: SimulatedPlatform, binding: Uint8Array): Buffer {
  return Buffer.concat([
    tcb.sgxSvns, // CPUSVN
    zeros(4), // MISCSELECT
    zeros(28),
    Buffer.from("1500000000000000e700000000000000", "hex"), // INIT, MODE64BIT, PROVISIONKEY; XFRM
    QE.mrEnclave,
    zeros(32),
    QE.mrSigner,
    zeros(96),
    u16(QE.isvProdId),
    u16(QE.isvSvn),
    zeros(60),
    binding,
    zeros(32),
  ]);
}
