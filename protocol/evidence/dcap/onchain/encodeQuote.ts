import { splitPem } from "../../../der/pem.ts";
import { concatBytes } from "../../../words/bytes.ts";
import { toHex, type Hex } from "../../../words/hex.ts";
import { parseQuote } from "../parseQuote.ts";
import { factsOf } from "./facts.ts";
import { pckFields } from "./pckTemplate.ts";

/** What the quote's first byte says to DcapVerifier. */
const FIRST = 0x01;
const KNOWN = 0x02;
const FIRST_BY_FIELDS = 0x03;

/** `whole`: with the PCK certificate in DER; `shortest`: with its fields alone, where it has the usual form. */
export type FirstForm = "whole" | "shortest";

/**
 * A quote in the packed form that `DcapVerifier.verifyQuote` takes (contracts/interfaces/IDcapVerifier.sol): without
 * padding, lengths and issuer certificates.
 * @param quote a TDX quote of version 4 or 5, or an SGX quote of version 3. @throws CharterError where it is malformed.
 */
export function encodeFirstQuote(quote: Uint8Array, form: FirstForm = "shortest"): Hex {
  const parsed = parseQuote(quote);
  const { signed, signature, attestationKey, qeReport, qeReportSignature, qeAuthData } = parsed;
  const certificate = splitPem(parsed.pckChain)[0] as Uint8Array;
  const fields = form === "whole" ? null : pckFields(certificate);
  return toHex(
    concatBytes(
      Uint8Array.of(fields ? FIRST_BY_FIELDS : FIRST),
      signed,
      signature,
      attestationKey,
      qeReport.raw,
      qeReportSignature,
      Uint8Array.of(qeAuthData.length >> 8, qeAuthData.length & 0xff),
      qeAuthData,
      fields ?? certificate,
    ),
  );
}

/**
 * The shorter form for a platform that has a record: the number that `PlatformRecorded` gave it, the facts it emitted
 * (default: those of this quote, which are the same or will be refused), and what of the quote is new.
 */
export function encodeKnownQuote(quote: Uint8Array, record: number, facts?: Uint8Array): Hex {
  const parsed = parseQuote(quote);
  const number = Uint8Array.of(record >>> 24, (record >>> 16) & 0xff, (record >>> 8) & 0xff, record & 0xff);
  return toHex(
    concatBytes(Uint8Array.of(KNOWN), number, facts ?? factsOf(parsed), parsed.signed, parsed.signature),
  );
}
