import { ByteReader } from "../ByteReader.ts";

/** Report of an enclave (SGX REPORTBODY, 384 bytes; Intel SDM Vol. 3D §38.15): an app's, or the quoting enclave's. */
export interface EnclaveReport {
  readonly kind: "sgx";
  readonly raw: Uint8Array;
  readonly cpuSvn: Uint8Array;
  readonly miscSelect: Uint8Array;
  /** Flags (8 bytes) and XFRM (8 bytes). */
  readonly attributes: Uint8Array;
  readonly mrEnclave: Uint8Array;
  readonly mrSigner: Uint8Array;
  readonly configId: Uint8Array;
  readonly isvProdId: number;
  readonly isvSvn: number;
  readonly configSvn: number;
  readonly isvExtProdId: Uint8Array;
  readonly isvFamilyId: Uint8Array;
  readonly reportData: Uint8Array;
}

export const ENCLAVE_REPORT_BYTES = 384;

/** Parses an enclave's report. @throws EvidenceError `evidence/quote-format`. */
export function parseEnclaveReport(raw: Uint8Array): EnclaveReport {
  const reader = new ByteReader(raw);
  const cpuSvn = reader.take(16, "CPU SVN");
  const miscSelect = reader.take(4, "MISCSELECT");
  reader.take(12, "reserved");
  const isvExtProdId = reader.take(16, "ISVEXTPRODID");
  const attributes = reader.take(16, "attributes");
  const mrEnclave = reader.take(32, "MRENCLAVE");
  reader.take(32, "reserved");
  const mrSigner = reader.take(32, "MRSIGNER");
  reader.take(32, "reserved");
  const configId = reader.take(64, "CONFIGID");
  const isvProdId = reader.u16("ISVPRODID");
  const isvSvn = reader.u16("ISVSVN");
  const configSvn = reader.u16("CONFIGSVN");
  reader.take(42, "reserved");
  const isvFamilyId = reader.take(16, "ISVFAMILYID");
  const reportData = reader.take(64, "report data");
  reader.end("the enclave's report");
  return {
    kind: "sgx",
    raw,
    cpuSvn,
    miscSelect,
    attributes,
    mrEnclave,
    mrSigner,
    configId,
    isvProdId,
    isvSvn,
    configSvn,
    isvExtProdId,
    isvFamilyId,
    reportData,
  };
}
