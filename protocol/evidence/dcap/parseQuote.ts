import { ByteReader } from "../ByteReader.ts";
import { EvidenceError } from "../EvidenceError.ts";
import { ENCLAVE_REPORT_BYTES, parseEnclaveReport, type EnclaveReport } from "./enclaveReport.ts";
import { readTdReport, TD10_BYTES, TD15_BYTES, type TdReport } from "./tdReport.ts";

/** A DCAP quote: what Intel's quoting enclaves sign for TDs and for enclaves. */
export interface Quote {
  readonly version: 3 | 4 | 5;
  readonly attestationKeyType: number;
  readonly qeVendorId: Uint8Array;
  readonly report: TdReport | EnclaveReport;
  /** Header and body: what the attestation key signed. */
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
  readonly attestationKey: Uint8Array;
  readonly qeReport: EnclaveReport;
  readonly qeReportSignature: Uint8Array;
  readonly qeAuthData: Uint8Array;
  /** PEM text of the PCK chain (certification data type 5). */
  readonly pckChain: string;
  /** The quote without padding. */
  readonly bytes: Uint8Array;
}

/** Longest quote that is looked at. */
export const MAX_QUOTE_BYTES = 65_536;
const TEE_SGX = 0x00;
const TEE_TDX = 0x81;
const PCK_CHAIN = 5;
const QE_REPORT = 6;
const LATIN1 = new TextDecoder("latin1");

/**
 * Parses a quote: SGX of version 3 (Intel SGX ECDSA QuoteLibReference §A.4), TDX or SGX of version 4, TD 1.0, TD 1.5 or
 * SGX of version 5 (Intel TDX DCAP Quoting Library API §A.3). Zero padding behind it is trimmed; every inner length
 * must come out exactly. @throws EvidenceError `evidence/quote-format`.
 */
export function parseQuote(input: Uint8Array): Quote {
  if (input.length > MAX_QUOTE_BYTES) {
    throw new EvidenceError("quote-format", `expected a quote of at most ${MAX_QUOTE_BYTES} bytes`, {
      actual: input.length,
    });
  }
  const reader = new ByteReader(input);
  const version = reader.u16("version");
  if (version !== 3 && version !== 4 && version !== 5) {
    throw new EvidenceError("quote-format", "expected quote version 3, 4 or 5", { actual: version });
  }
  const attestationKeyType = reader.u16("attestation key type");
  const teeType = reader.u32("TEE type");
  reader.take(4, "reserved"); // QE SVN and PCE SVN in version 3
  const qeVendorId = reader.take(16, "QE vendor id");
  reader.take(20, "user data");
  const report = version === 5 ? readNamedBody(reader, teeType) : readBody(reader, version, teeType);
  const signed = input.subarray(0, reader.offset);

  const signatureData = new ByteReader(reader.take(reader.u32("signature length"), "signature data"));
  const bytes = input.subarray(0, reader.offset);
  reader.endWithPadding();
  const signature = signatureData.take(64, "quote signature");
  const attestationKey = signatureData.take(64, "attestation key");
  // Version 3 has the quoting enclave's report right here, later ones inside certification data of its own type.
  const qe =
    version === 3
      ? signatureData
      : new ByteReader(readCertification(signatureData, QE_REPORT, "QE certification"));
  const qeReport = parseEnclaveReport(qe.take(ENCLAVE_REPORT_BYTES, "QE report"));
  const qeReportSignature = qe.take(64, "QE report signature");
  const qeAuthData = qe.take(qe.u16("QE authentication length"), "QE authentication data");
  const chain = readCertification(qe, PCK_CHAIN, "PCK chain");
  qe.end("the QE certification data");
  signatureData.end("the certification data");
  return {
    version,
    attestationKeyType,
    qeVendorId,
    report,
    signed,
    signature,
    attestationKey,
    qeReport,
    qeReportSignature,
    qeAuthData,
    pckChain: LATIN1.decode(chain),
    bytes,
  };
}

/** Versions 3 and 4: the TEE type in the header says what the body is. Version 3 knows enclaves only. */
function readBody(reader: ByteReader, version: 3 | 4, teeType: number): TdReport | EnclaveReport {
  if (teeType === TEE_SGX) return parseEnclaveReport(reader.take(ENCLAVE_REPORT_BYTES, "enclave report"));
  if (teeType === TEE_TDX && version === 4) return readTdReport(reader, "1.0");
  throw unknownBody("a TEE type that this version has", { version, teeType });
}

/** Version 5 names its body: type 1 is an enclave, 2 is TD 1.0, 3 is TD 1.5; it must agree with the TEE type. */
function readNamedBody(reader: ByteReader, teeType: number): TdReport | EnclaveReport {
  const type = reader.u16("body type");
  const size = reader.u32("body size");
  if (type === 1 && size === ENCLAVE_REPORT_BYTES && teeType === TEE_SGX) {
    return parseEnclaveReport(reader.take(size, "enclave report"));
  }
  if (type === 2 && size === TD10_BYTES && teeType === TEE_TDX) return readTdReport(reader, "1.0");
  if (type === 3 && size === TD15_BYTES && teeType === TEE_TDX) return readTdReport(reader, "1.5");
  throw unknownBody("a body of type 1 (SGX), 2 (TD 1.0) or 3 (TD 1.5), of its size and TEE type", {
    type,
    size,
    teeType,
  });
}

const unknownBody = (expected: string, detail: Record<string, unknown>): EvidenceError =>
  new EvidenceError("quote-format", `expected ${expected}`, detail);

function readCertification(reader: ByteReader, expectedType: number, what: string): Uint8Array {
  const type = reader.u16(`${what} type`);
  if (type !== expectedType) {
    throw new EvidenceError("quote-format", `expected ${what} of type ${expectedType}`, { actual: type });
  }
  return reader.take(reader.u32(`${what} size`), what);
}
