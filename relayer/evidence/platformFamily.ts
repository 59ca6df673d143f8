import { chainOf } from "../../protocol/evidence/dcap/collateral.ts";
import { readPckExtensions } from "../../protocol/evidence/dcap/pckExtensions.ts";
import { parseQuote } from "../../protocol/evidence/dcap/parseQuote.ts";
import { CharterError } from "../../protocol/errors/CharterError.ts";
import { toHex } from "../../protocol/words/hex.ts";

/** Which of Intel's two intermediate CAs issued a PCK certificate. */
export type PckCa = "platform" | "processor";

/** What collateral is published by: a family of platforms, and the CA that issued this platform's certificate. */
export interface PlatformFamily {
  readonly tee: "tdx" | "sgx";
  /** 12 lower-case hex digits. */
  readonly fmspc: string;
  readonly ca: PckCa;
}

/** Common names of Intel's two issuers, as they stand in a DER name (SGX PCK Certificate specification §1.3.1). */
const ISSUERS: readonly (readonly [PckCa, string])[] = [
  ["platform", toHex(Buffer.from("Intel SGX PCK Platform CA")).slice(2)],
  ["processor", toHex(Buffer.from("Intel SGX PCK Processor CA")).slice(2)],
];

/**
 * Reads the family that a quote claims, to know which collateral to ask for. Nothing is trusted here: the verifier
 * judges certificate and collateral together.
 * @throws CharterError `evidence/quote-format`, `evidence/pck-issuer`, `der/…`.
 */
export function platformFamily(quote: Uint8Array): PlatformFamily {
  const { pckChain, report } = parseQuote(quote);
  const leaf = chainOf(pckChain)[0];
  const ca = ISSUERS.find(([, name]) => leaf?.issuer.includes(name))?.[0];
  if (leaf === undefined || ca === undefined) {
    throw new CharterError(
      "evidence/pck-issuer",
      "the PCK certificate must be issued by Intel's platform or processor CA",
      {
        issuer: leaf?.issuer,
      },
    );
  }
  return { tee: report.kind, fmspc: toHex(readPckExtensions(leaf).fmspc).slice(2), ca };
}

/** One text per family. */
export const familyKey = ({ tee, fmspc, ca }: PlatformFamily): string =>
  `${tee}:${fmspc.toLowerCase()}:${ca}`;
