import { sha256 } from "@noble/hashes/sha2.js";

import { keccak256 } from "../../../crypto/keccak.ts";
import { parseCertificate } from "../../../der/certificate.ts";
import { commonName } from "../../../der/name.ts";
import { splitPem } from "../../../der/pem.ts";
import { concatBytes } from "../../../words/bytes.ts";
import { TeeKind } from "../../../words/enums.ts";
import { fromHex } from "../../../words/hex.ts";
import type { Quote } from "../parseQuote.ts";
import { readPckExtensions } from "../pckExtensions.ts";

/** Bytes of a platform's facts. */
export const FACTS_BYTES = 309;

/** PckCa of contracts/interfaces/IDcapCollateral.sol. */
const CA: Readonly<Record<string, number>> = {
  "Intel SGX PCK Platform CA": 1,
  "Intel SGX PCK Processor CA": 2,
};

/**
 * What the chain keeps a commitment to when it first sees this platform, and wants again with every later quote of it:
 * 309 bytes in the layout of contracts/attestation/dcap/DcapFacts.sol. Another TDX module, attestation key or PCK
 * certificate gives other facts. @throws CharterError where the PCK certificate cannot be read.
 */
export function factsOf(quote: Quote): Uint8Array {
  const pck = parseCertificate(splitPem(quote.pckChain)[0] as Uint8Array);
  const { ppid, sgxSvns, pceSvn, pceId, fmspc } = readPckExtensions(pck);
  const { report, qeReport, attestationKey } = quote;
  const isTd = report.kind === "tdx";
  return concatBytes(
    Uint8Array.of(isTd ? TeeKind.Tdx : TeeKind.Sgx, CA[commonName(fromHex(pck.issuer)) ?? ""] ?? 0),
    number(pck.notAfter, 5),
    padded(fromHex(pck.serial), 20),
    fmspc,
    pceId,
    number(pceSvn, 2),
    Uint8Array.from(sgxSvns),
    qeReport.miscSelect,
    qeReport.attributes,
    qeReport.mrSigner,
    number(qeReport.isvProdId, 2),
    number(qeReport.isvSvn, 2),
    sha256(ppid),
    fromHex(keccak256(pck.tbs)),
    ...(isTd ? [report.teeTcbSvn, report.mrSignerSeam, report.seamAttributes] : [new Uint8Array(72)]),
    attestationKey,
  );
}

/** Big-endian. */
const number = (value: number, bytes: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** (bytes - 1 - i)) % 256);

const padded = (value: Uint8Array, bytes: number): Uint8Array =>
  concatBytes(new Uint8Array(bytes - value.length), value);
