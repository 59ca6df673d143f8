import { EvidenceError } from "../EvidenceError.ts";
import { ByteReader } from "../ByteReader.ts";
import { parseQeReport, type QeReport } from "./qeReport.ts";

/** TD report body of a quote (Intel TDX DCAP Quoting Library API §A.3.2; TD 1.5: §A.3.3 of version 5). */
export interface TdReport {
  readonly version: "1.0" | "1.5";
  readonly teeTcbSvn: Uint8Array;
  readonly mrSeam: Uint8Array;
  readonly mrSignerSeam: Uint8Array;
  readonly seamAttributes: Uint8Array;
  readonly tdAttributes: Uint8Array;
  readonly xfam: Uint8Array;
  readonly mrTd: Uint8Array;
  readonly mrConfigId: Uint8Array;
  readonly mrOwner: Uint8Array;
  readonly mrOwnerConfig: Uint8Array;
  readonly rtmrs: readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  readonly reportData: Uint8Array;
  /** TD 1.5 only. */
  readonly teeTcbSvn2: Uint8Array | null;
  readonly mrServiceTd: Uint8Array | null;
}

export interface TdxQuote {
  readonly version: 4 | 5;
  readonly attestationKeyType: number;
  readonly teeType: number;
  readonly qeVendorId: Uint8Array;
  readonly report: TdReport;
  /** Header and body: what the attestation key signed. */
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
  readonly attestationKey: Uint8Array;
  readonly qeReport: QeReport;
  readonly qeReportSignature: Uint8Array;
  readonly qeAuthData: Uint8Array;
  /** PEM text of the PCK chain (certification data type 5). */
  readonly pckChain: string;
  /** The quote without padding. */
  readonly bytes: Uint8Array;
}

/** Longest quote that is looked at. */
export const MAX_QUOTE_BYTES = 65_536;
const TD10_BYTES = 584;
const TD15_BYTES = 648;

/**
 * Parses a TDX quote of version 4 (TD 1.0) or 5 (TD 1.0 and TD 1.5). Zero padding behind it is trimmed; every inner
 * length must come out exactly. @throws EvidenceError `evidence/quote-format`.
 */
export function parseTdxQuote(input: Uint8Array): TdxQuote {
  if (input.length > MAX_QUOTE_BYTES) {
    throw new EvidenceError("quote-format", `expected a quote of at most ${MAX_QUOTE_BYTES} bytes`, {
      actual: input.length,
    });
  }
  const reader = new ByteReader(input);
  const version = reader.u16("version");
  if (version !== 4 && version !== 5) {
    throw new EvidenceError("quote-format", "expected quote version 4 or 5", { actual: version });
  }
  const attestationKeyType = reader.u16("attestation key type");
  const teeType = reader.u32("TEE type");
  reader.take(4, "reserved"); // QE SVN and PCE SVN in version 3, reserved here
  const qeVendorId = reader.take(16, "QE vendor id");
  reader.take(20, "user data");
  const report = parseReport(reader, version === 4 ? TD10_BYTES : bodyBytes(reader));
  const signed = input.subarray(0, reader.offset);

  const signatureData = new ByteReader(reader.take(reader.u32("signature length"), "signature data"));
  const bytes = input.subarray(0, reader.offset);
  reader.endWithPadding();
  const signature = signatureData.take(64, "quote signature");
  const attestationKey = signatureData.take(64, "attestation key");
  const certification = readCertification(signatureData, 6, "QE certification");
  signatureData.end("the certification data");

  const qe = new ByteReader(certification);
  const qeReport = parseQeReport(qe.take(384, "QE report"));
  const qeReportSignature = qe.take(64, "QE report signature");
  const qeAuthData = qe.take(qe.u16("QE authentication length"), "QE authentication data");
  const chain = readCertification(qe, 5, "PCK chain");
  qe.end("the QE certification data");
  return {
    version,
    attestationKeyType,
    teeType,
    qeVendorId,
    report,
    signed,
    signature,
    attestationKey,
    qeReport,
    qeReportSignature,
    qeAuthData,
    pckChain: new TextDecoder("latin1").decode(chain),
    bytes,
  };
}

/** Version 5 names its body: type 2 is TD 1.0, type 3 is TD 1.5. */
function bodyBytes(reader: ByteReader): number {
  const type = reader.u16("body type");
  const size = reader.u32("body size");
  const expected = type === 2 ? TD10_BYTES : type === 3 ? TD15_BYTES : 0;
  if (expected === 0 || size !== expected) {
    throw new EvidenceError(
      "quote-format",
      "expected a TD 1.0 (type 2) or TD 1.5 (type 3) body of its size",
      {
        type,
        size,
      },
    );
  }
  return size;
}

function parseReport(reader: ByteReader, bytes: number): TdReport {
  const take = (length: number, what: string): Uint8Array => reader.take(length, what);
  const base = {
    teeTcbSvn: take(16, "TEE TCB SVN"),
    mrSeam: take(48, "MRSEAM"),
    mrSignerSeam: take(48, "MRSIGNERSEAM"),
    seamAttributes: take(8, "SEAM attributes"),
    tdAttributes: take(8, "TD attributes"),
    xfam: take(8, "XFAM"),
    mrTd: take(48, "MRTD"),
    mrConfigId: take(48, "MRCONFIGID"),
    mrOwner: take(48, "MROWNER"),
    mrOwnerConfig: take(48, "MROWNERCONFIG"),
    rtmrs: [take(48, "RTMR0"), take(48, "RTMR1"), take(48, "RTMR2"), take(48, "RTMR3")] as const,
    reportData: take(64, "report data"),
  };
  return bytes === TD10_BYTES
    ? { version: "1.0", ...base, teeTcbSvn2: null, mrServiceTd: null }
    : {
        version: "1.5",
        ...base,
        teeTcbSvn2: take(16, "TEE TCB SVN 2"),
        mrServiceTd: take(48, "MRSERVICETD"),
      };
}

function readCertification(reader: ByteReader, expectedType: number, what: string): Uint8Array {
  const type = reader.u16(`${what} type`);
  if (type !== expectedType) {
    throw new EvidenceError("quote-format", `expected ${what} of type ${expectedType}`, { actual: type });
  }
  return reader.take(reader.u32(`${what} size`), what);
}
