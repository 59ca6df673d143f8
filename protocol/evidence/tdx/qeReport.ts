import { ByteReader } from "../ByteReader.ts";

/** The quoting enclave's own report (SGX report body, 384 bytes; Intel SDM Vol. 3D §40.14). */
export interface QeReport {
  readonly raw: Uint8Array;
  readonly miscSelect: Uint8Array;
  readonly attributes: Uint8Array;
  readonly mrSigner: Uint8Array;
  readonly isvProdId: number;
  readonly isvSvn: number;
  readonly reportData: Uint8Array;
}

/** Parses a QE report. @throws EvidenceError `evidence/quote-format`. */
export function parseQeReport(raw: Uint8Array): QeReport {
  const reader = new ByteReader(raw);
  reader.take(16, "CPU SVN");
  const miscSelect = reader.take(4, "MISCSELECT");
  reader.take(28, "reserved");
  const attributes = reader.take(16, "attributes");
  reader.take(32, "MRENCLAVE");
  reader.take(32, "reserved");
  const mrSigner = reader.take(32, "MRSIGNER");
  reader.take(96, "reserved");
  const isvProdId = reader.u16("ISVPRODID");
  const isvSvn = reader.u16("ISVSVN");
  reader.take(60, "reserved");
  const reportData = reader.take(64, "report data");
  reader.end("the QE report");
  return { raw, miscSelect, attributes, mrSigner, isvProdId, isvSvn, reportData };
}
