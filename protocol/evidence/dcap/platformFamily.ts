import { CharterError } from "../../errors/CharterError.ts";
import { toHex } from "../../words/hex.ts";
import { chainOf } from "./collateral.ts";
import { parseQuote } from "./parseQuote.ts";
import { readPckExtensions } from "./pckExtensions.ts";

/** Which of Intel's two intermediate CAs issued a PCK certificate. */
export type PckCa = "platform" | "processor";

/** What collateral is published by: a family of platforms, and the CA that issued this platform's certificate. */
export interface PlatformFamily {
  readonly tee: "tdx" | "sgx";
  /** 12 lower-case hex digits. */
  readonly fmspc: string;
  readonly ca: PckCa;
}

const nameHex = (name: string): string => toHex(new TextEncoder().encode(name)).slice(2);

/** Common names of Intel's two issuers, as they stand in a DER name (SGX PCK Certificate specification §1.3.1). */
const ISSUERS: readonly (readonly [PckCa, string])[] = [
  ["platform", nameHex("Intel SGX PCK Platform CA")],
  ["processor", nameHex("Intel SGX PCK Processor CA")],
];

/**
 * Reads the family that a quote claims, to know which collateral to ask for. Nothing is trusted here: the verifier
 * judges certificate and collateral together.
 * @throws CharterError `evidence/quote-format`, `evidence/pck-issuer`, `der/…`.
 */
export function platformFamily(quote: Uint8Array): PlatformFamily {
  const { pckChain, report } = parseQuote(quote);
  return { tee: report.kind, ...familyOfChain(pckChain) };
}

/** What the text of a PCK chain says of it. @throws as `platformFamily`. */
export function familyOfChain(pckChain: string): Omit<PlatformFamily, "tee"> {
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
  return { fmspc: toHex(readPckExtensions(leaf).fmspc).slice(2), ca };
}

/** One text per family. */
export const familyKey = ({ tee, fmspc, ca }: PlatformFamily): string =>
  `${tee}:${fmspc.toLowerCase()}:${ca}`;
