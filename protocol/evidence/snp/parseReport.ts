import { isZero } from "../../words/bytes.ts";
import { ByteReader } from "../ByteReader.ts";
import { EvidenceError } from "../EvidenceError.ts";

/** Guest policy: what the guest's owner demanded at launch (SEV-SNP ABI 56860, "Guest Policy"). */
export interface SnpPolicy {
  readonly abiMajor: number;
  readonly abiMinor: number;
  readonly smtAllowed: boolean;
  readonly migrationAgentAllowed: boolean;
  readonly debugAllowed: boolean;
  readonly singleSocketRequired: boolean;
  readonly cxlAllowed: boolean;
  readonly aes256XtsRequired: boolean;
  readonly raplDisableRequired: boolean;
  readonly ciphertextHidingRequired: boolean;
  readonly pageSwapDisabled: boolean;
}

/** PLATFORM_INFO: how the machine is set up now. */
export interface SnpPlatformInfo {
  readonly smtEnabled: boolean;
  readonly tsmeEnabled: boolean;
  readonly eccEnabled: boolean;
  readonly raplDisabled: boolean;
  readonly ciphertextHidingEnabled: boolean;
  readonly aliasCheckComplete: boolean;
  readonly tioEnabled: boolean;
}

export type SnpSigner = "VCEK" | "VLEK";

/** CPUID leaf 1 of the processor, with the extended parts added. */
export interface SnpCpuId {
  readonly family: number;
  readonly model: number;
  readonly stepping: number;
}

/** ATTESTATION_REPORT, as the secure processor signs it. Byte fields are views of the input. */
export interface SnpReport {
  readonly version: 2 | 3 | 5;
  readonly guestSvn: number;
  readonly policy: SnpPolicy;
  readonly familyId: Uint8Array;
  readonly imageId: Uint8Array;
  /** 0 to 3 of the guest; 0xffffffff where the host asked for the report. */
  readonly vmpl: number;
  readonly platformInfo: SnpPlatformInfo;
  /** The launch's id block was signed by an author key. */
  readonly authorKeyEnabled: boolean;
  /** Then the firmware does not sign. */
  readonly chipKeyMasked: boolean;
  readonly signer: SnpSigner;
  readonly reportData: Uint8Array;
  readonly measurement: Uint8Array;
  readonly hostData: Uint8Array;
  readonly idKeyDigest: Uint8Array;
  readonly authorKeyDigest: Uint8Array;
  readonly reportId: Uint8Array;
  readonly reportIdMa: Uint8Array;
  /** From version 3 on. */
  readonly cpuId: SnpCpuId | null;
  /** 64 bytes; all zero where the host masks it. */
  readonly chipId: Uint8Array;
  /** TCB_VERSION as it stands there: its layout depends on the product (`readTcb`). */
  readonly tcbs: Readonly<Record<"current" | "reported" | "committed" | "launch", Uint8Array>>;
  /** `major.minor.build` of the firmware. */
  readonly currentFirmware: string;
  readonly committedFirmware: string;
  /** From version 5 on: which mitigations were verified, 8 bytes each. */
  readonly mitigations: { readonly launch: Uint8Array; readonly current: Uint8Array } | null;
  /** Exactly the signed bytes. */
  readonly signed: Uint8Array;
  /** r‖s on P-384, big-endian. */
  readonly signature: Uint8Array;
}

export const SNP_REPORT_BYTES = 1_184;
const SIGNED_BYTES = 0x2a0;
const ECDSA_P384_SHA384 = 1;
const SIGNERS: Readonly<Record<number, SnpSigner>> = { 0: "VCEK", 1: "VLEK" };

/**
 * Parses an attestation report of version 2, 3 or 5 (SEV-SNP ABI 56860, table ATTESTATION_REPORT). Reserved bits and
 * bytes must be what the table says: an unknown one may mean a permission that nobody here would check.
 * @throws EvidenceError `evidence/snp-report-format`.
 */
export function parseSnpReport(bytes: Uint8Array): SnpReport {
  expected(bytes.length === SNP_REPORT_BYTES, `${SNP_REPORT_BYTES} bytes`, bytes.length);
  const reader = new ByteReader(bytes);
  const version = reader.u32("version");
  if (version !== 2 && version !== 3 && version !== 5) {
    throw refused("a report of version 2, 3 or 5", version);
  }
  const guestSvn = reader.u32("guest SVN");
  const policy = readPolicy(reader.take(8, "guest policy"));
  const familyId = reader.take(16, "family id");
  const imageId = reader.take(16, "image id");
  const vmpl = reader.u32("VMPL");
  const algorithm = reader.u32("signature algorithm");
  expected(algorithm === ECDSA_P384_SHA384, "signature algorithm 1 (ECDSA P-384 with SHA-384)", algorithm);
  const current = reader.take(8, "current TCB");
  const platformInfo = readPlatformInfo(reader.take(8, "platform info"));
  const keyInfo = readKeyInfo(reader.u32("key info"));
  zero(reader, 4);
  const reportData = reader.take(64, "report data");
  const measurement = reader.take(48, "measurement");
  const hostData = reader.take(32, "host data");
  const idKeyDigest = reader.take(48, "id key digest");
  const authorKeyDigest = reader.take(48, "author key digest");
  const reportId = reader.take(32, "report id");
  const reportIdMa = reader.take(32, "report id of the migration agent");
  const reported = reader.take(8, "reported TCB");
  const cpuId = readCpuId(reader.take(3, "CPUID"), version);
  zero(reader, 21);
  const chipId = reader.take(64, "chip id");
  const committed = reader.take(8, "committed TCB");
  const currentFirmware = readFirmware(reader);
  const committedFirmware = readFirmware(reader);
  const launch = reader.take(8, "launch TCB");
  const mitigations = readMitigations(reader, version);
  zero(reader, 152);
  return {
    version,
    guestSvn,
    policy,
    familyId,
    imageId,
    vmpl,
    platformInfo,
    ...keyInfo,
    reportData,
    measurement,
    hostData,
    idKeyDigest,
    authorKeyDigest,
    reportId,
    reportIdMa,
    cpuId,
    chipId,
    tcbs: { current, reported, committed, launch },
    currentFirmware,
    committedFirmware,
    mitigations,
    signed: bytes.subarray(0, SIGNED_BYTES),
    signature: readSignature(reader),
  };
}

/** Bit `n` of a little-endian bit string. */
const bit = (bytes: Uint8Array, n: number): boolean => (((bytes[n >> 3] as number) >> (n & 7)) & 1) === 1;

const noBitFrom = (bytes: Uint8Array, from: number): boolean => {
  for (let n = from; n < 8 * bytes.length; n++) if (bit(bytes, n)) return false;
  return true;
};

function readPolicy(bytes: Uint8Array): SnpPolicy {
  expected(bit(bytes, 17), "bit 17 of the guest policy to be one", 0);
  expected(noBitFrom(bytes, 26), "bits 26 and up of the guest policy to be zero", 1);
  return {
    abiMinor: bytes[0] as number,
    abiMajor: bytes[1] as number,
    smtAllowed: bit(bytes, 16),
    migrationAgentAllowed: bit(bytes, 18),
    debugAllowed: bit(bytes, 19),
    singleSocketRequired: bit(bytes, 20),
    cxlAllowed: bit(bytes, 21),
    aes256XtsRequired: bit(bytes, 22),
    raplDisableRequired: bit(bytes, 23),
    ciphertextHidingRequired: bit(bytes, 24),
    pageSwapDisabled: bit(bytes, 25),
  };
}

function readPlatformInfo(bytes: Uint8Array): SnpPlatformInfo {
  expected(!bit(bytes, 6) && noBitFrom(bytes, 8), "reserved bits of the platform info to be zero", 1);
  return {
    smtEnabled: bit(bytes, 0),
    tsmeEnabled: bit(bytes, 1),
    eccEnabled: bit(bytes, 2),
    raplDisabled: bit(bytes, 3),
    ciphertextHidingEnabled: bit(bytes, 4),
    aliasCheckComplete: bit(bytes, 5),
    tioEnabled: bit(bytes, 7),
  };
}

/** AUTHOR_KEY_EN, MASK_CHIP_KEY, SIGNING_KEY (bits 4:2), 27 reserved bits. */
function readKeyInfo(value: number): Pick<SnpReport, "authorKeyEnabled" | "chipKeyMasked" | "signer"> {
  expected(value < 32, "bits 5 and up of the key info to be zero", value);
  const signer = SIGNERS[value >> 2];
  if (signer === undefined) throw refused("a report signed by a VCEK (0) or a VLEK (1)", value >> 2);
  return { authorKeyEnabled: (value & 1) !== 0, chipKeyMasked: (value & 2) !== 0, signer };
}

/** CPUID_FAM_ID, CPUID_MOD_ID, CPUID_STEP: reserved before version 3. */
function readCpuId(bytes: Uint8Array, version: number): SnpCpuId | null {
  if (version === 2) {
    expected(isZero(bytes), "no CPUID in a report of version 2", bytes[0]);
    return null;
  }
  const [family, model, stepping] = bytes as unknown as readonly [number, number, number];
  return { family, model, stepping };
}

function readFirmware(reader: ByteReader): string {
  const [build, minor, major] = reader.take(3, "firmware version") as unknown as readonly number[];
  zero(reader, 1);
  return `${major}.${minor}.${build}`;
}

/** LAUNCH_MIT_VECTOR and CURRENT_MIT_VECTOR: reserved before version 5. */
function readMitigations(reader: ByteReader, version: number): SnpReport["mitigations"] {
  if (version !== 5) {
    zero(reader, 16);
    return null;
  }
  const launch = reader.take(8, "launch mitigation vector");
  return { launch, current: reader.take(8, "current mitigation vector") };
}

/** r and s of 72 bytes each, little-endian, of which P-384 uses 48; 368 reserved bytes fill the structure. */
function readSignature(reader: ByteReader): Uint8Array {
  const out = new Uint8Array(96);
  for (const at of [0, 48]) {
    out.set(reader.take(48, "signature").toReversed(), at);
    zero(reader, 24);
  }
  zero(reader, 368);
  reader.end("the signature");
  return out;
}

function zero(reader: ByteReader, length: number): void {
  const { offset } = reader;
  expected(isZero(reader.take(length, "reserved bytes")), `reserved bytes at ${offset} to be zero`, 1);
}

function expected(ok: boolean, what: string, actual: number | undefined): void {
  if (!ok) throw refused(what, actual);
}

const refused = (what: string, actual: number | undefined): EvidenceError =>
  new EvidenceError("snp-report-format", `expected ${what}`, { expected: what, actual });
