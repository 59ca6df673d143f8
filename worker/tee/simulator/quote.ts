import { createHash, type KeyObject } from "node:crypto";

import { publicPoint, signRaw } from "./keys.ts";
import type { SimulatedPlatform } from "./platform.ts";
import { QE, SGX_QE, TDX_MODULE } from "./tcb.ts";

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
  const header = quoteHeader(4, TEE_TDX);
  return signedQuote(platform, Buffer.concat([header, body(platform, report)]), QE, signingKey);
}

/** An enclave's quote, version 3 (Intel SGX ECDSA QuoteLibReference §A.4) or 4. */
export function makeSgxQuote(
  platform: SimulatedPlatform,
  enclave: EnclaveFacts,
  { version = 3, signingKey = platform.attestationKey }: { version?: 3 | 4; signingKey?: KeyObject } = {},
): Buffer {
  const signedBytes = Buffer.concat([quoteHeader(version, TEE_SGX), enclaveReport(platform, enclave)]);
  return signedQuote(platform, signedBytes, SGX_QE, signingKey, version === 3);
}

const TEE_SGX = 0;
const TEE_TDX = 0x81;

const quoteHeader = (version: number, tee: number): Buffer =>
  Buffer.concat([
    u16(version),
    u16(2), // attestation key: ECDSA P-256
    u32(tee),
    zeros(4), // reserved; QE SVN and PCE SVN in version 3
    INTEL_QE_VENDOR,
    zeros(20), // user data
  ]);

/** Header and body with what vouches for them. Version 3 (`isFlat`) does not wrap the QE's report in its own type. */
function signedQuote(
  platform: SimulatedPlatform,
  signedBytes: Buffer,
  qe: typeof QE | typeof SGX_QE,
  signingKey: KeyObject,
  isFlat = false,
): Buffer {
  const { point, certification } = certifiedKey(platform, qe);
  const wrapped = Buffer.concat([
    u16(6), // QE report certification data
    u32(certification.length),
    certification,
  ]);
  const signature = Buffer.concat([
    signRaw(signingKey, signedBytes),
    point,
    isFlat ? certification : wrapped,
  ]);
  return Buffer.concat([signedBytes, u32(signature.length), signature]);
}

interface CertifiedKey {
  /** The attestation key. */
  readonly point: Buffer;
  /** The QE's report over it, signed by the PCK, and the PCK's chain. */
  readonly certification: Buffer;
}

const certified = new WeakMap<SimulatedPlatform, Map<object, CertifiedKey>>();

/** As on real machines, a quoting enclave has its attestation key certified once, and says so in every quote. */
function certifiedKey(platform: SimulatedPlatform, qe: typeof QE | typeof SGX_QE): CertifiedKey {
  let keys = certified.get(platform);
  if (keys === undefined) certified.set(platform, (keys = new Map<object, CertifiedKey>()));
  let key = keys.get(qe);
  if (key === undefined) keys.set(qe, (key = certifyKey(platform, qe)));
  return key;
}

function certifyKey(platform: SimulatedPlatform, qe: typeof QE | typeof SGX_QE): CertifiedKey {
  const authData = Buffer.from(Array.from({ length: 32 }, (_, i) => i));
  const point = publicPoint(platform.attestationKey);
  const binding = createHash("sha256").update(point).update(authData).digest();
  const qeReport = enclaveReport(platform, {
    ...qe,
    // INIT, MODE64BIT, PROVISIONKEY
    flags: 0x15,
    reportData: Buffer.concat([binding, zeros(32)]),
  });
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
  return { point, certification };
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

/** What an enclave's report says. */
export interface EnclaveFacts {
  readonly mrEnclave: Uint8Array;
  readonly mrSigner: Uint8Array;
  readonly isvProdId: number;
  readonly isvSvn: number;
  /** Low byte of the attributes' flags. */
  readonly flags: number;
  readonly reportData: Uint8Array;
}

/** SGX REPORTBODY, 384 bytes (Intel SDM Vol. 3D §38.15). */
function enclaveReport({ tcb }: SimulatedPlatform, enclave: EnclaveFacts): Buffer {
  const attributes = Buffer.from("0000000000000000e700000000000000", "hex");
  attributes[0] = enclave.flags;
  const out = Buffer.concat([
    tcb.sgxSvns, // CPUSVN
    zeros(4), // MISCSELECT
    zeros(28),
    attributes,
    enclave.mrEnclave,
    zeros(32),
    enclave.mrSigner,
    zeros(96),
    u16(enclave.isvProdId),
    u16(enclave.isvSvn),
    zeros(60),
    enclave.reportData,
  ]);
  if (out.length !== 384) throw new RangeError(`an enclave's report has 384 bytes, not ${out.length}`);
  return out;
}
