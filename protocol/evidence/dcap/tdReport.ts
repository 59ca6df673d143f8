import type { ByteReader } from "../ByteReader.ts";

/** TD report body of a quote (Intel TDX DCAP Quoting Library API §A.3.2; TD 1.5: §A.3.3 of version 5). */
export interface TdReport {
  readonly kind: "tdx";
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

export const TD10_BYTES = 584;
export const TD15_BYTES = 648;

/** Reads a TD report of that version. @throws EvidenceError `evidence/quote-format`. */
export function readTdReport(reader: ByteReader, version: TdReport["version"]): TdReport {
  const take = (length: number, what: string): Uint8Array => reader.take(length, what);
  const base = {
    kind: "tdx",
    version,
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
    rtmrs: [take(48, "RTMR0"), take(48, "RTMR1"), take(48, "RTMR2"), take(48, "RTMR3")],
    reportData: take(64, "report data"),
  } as const;
  if (version === "1.0") return { ...base, teeTcbSvn2: null, mrServiceTd: null };
  return { ...base, teeTcbSvn2: take(16, "TEE TCB SVN 2"), mrServiceTd: take(48, "MRSERVICETD") };
}
