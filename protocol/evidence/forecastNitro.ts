import type { Crypto } from "../crypto/crypto.ts";
import { parseCertificate } from "../der/certificate.ts";
import type { TrustedRoot } from "./chain/roots.ts";
import { EvidenceError } from "./EvidenceError.ts";
import type { Ending, Forecast, Standing } from "./forecast.ts";
import { parseNitroDocument } from "./nitro/parseDocument.ts";
import { verifyNitro } from "./nitro/verifyNitro.ts";

export interface NitroForecastOptions {
  /** Unix seconds. */
  readonly at: number;
  readonly crypto: Crypto;
  /** Default: AWS's only. */
  readonly roots?: readonly TrustedRoot[];
}

/**
 * Judges an enclave's document today, and lists when the certificates above it end. AWS renews all of them but the root by
 * itself: the document's own lives for hours, the CAs' for days or weeks. What ends is this document, not the machine.
 * @throws CharterError of the parsers.
 */
export async function forecastNitro(bytes: Uint8Array, options: NitroForecastOptions): Promise<Forecast> {
  const { certificate, cabundle } = parseNitroDocument(bytes).document;
  const [root, ...cas] = cabundle.map((der) => parseCertificate(der));
  const endings: Ending[] = [
    { what: "document's certificate", at: parseCertificate(certificate).notAfter },
    ...cas.map(({ notAfter }) => ({ what: "CA certificate", at: notAfter })),
    ...(root ? [{ what: "root certificate", at: root.notAfter }] : []),
  ];
  return {
    kind: "nitro",
    platformId: null,
    now: await standing(bytes, options),
    next: null,
    endings: endings.sort((a, b) => a.at - b.at),
  };
}

async function standing(bytes: Uint8Array, options: NitroForecastOptions): Promise<Standing> {
  try {
    await verifyNitro(bytes, options);
    return { status: null, refusedBy: null };
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error;
    return { status: null, refusedBy: error.check };
  }
}
