import type { Crypto } from "../crypto/crypto.ts";
import { parseCertificate } from "../der/certificate.ts";
import { nameOf, TcbStatus, type TcbStatusName } from "../words/enums.ts";
import type { PlatformId } from "../words/hex.ts";
import type { TrustedRoot } from "./chain/roots.ts";
import { EvidenceError } from "./EvidenceError.ts";
import type { Ending, Forecast, Standing } from "./forecast.ts";
import type { SnpCertificates } from "./snp/amdChain.ts";
import { parseCrls } from "./snp/amdCrl.ts";
import type { TcbFloors } from "./snp/snpTcb.ts";
import { verifySnp } from "./snp/verifySnp.ts";

export interface SnpForecastOptions {
  /** Unix seconds. */
  readonly at: number;
  readonly crypto: Crypto;
  /** Default: AMD's only. */
  readonly roots?: readonly TrustedRoot[];
  /** DER, of the ARK above the report. Without them revocation is not looked at. */
  readonly crls?: readonly Uint8Array[];
  /** Floors of today, and those to come: AMD announces no signed set, whoever judges does. */
  readonly floors?: TcbFloors;
  readonly nextFloors?: TcbFloors;
}

/**
 * Judges a machine of AMD's by its report, today and under the floors to come, and lists what ends when. A VCEK is of one
 * firmware version: new firmware brings another one, so an end is seldom its date. @throws DerError.
 */
export async function forecastSnp(
  report: Uint8Array,
  certificates: SnpCertificates,
  { at, crypto, roots, crls, floors, nextFloors }: SnpForecastOptions,
): Promise<Forecast> {
  const judge = async (
    minimumTcb: TcbFloors | undefined,
  ): Promise<Standing & { platformId: PlatformId | null }> => {
    try {
      const given = { ...(crls ? { crls } : {}), ...(minimumTcb ? { minimumTcb } : {}) };
      const verified = await verifySnp(
        { report, certificates },
        { at, crypto, ...(roots ? { roots } : {}), ...given },
      );
      const status = nameOf(TcbStatus, verified.status) as TcbStatusName;
      return { status, refusedBy: null, platformId: verified.platformId };
    } catch (error) {
      if (!(error instanceof EvidenceError)) throw error;
      return { status: null, refusedBy: error.check, platformId: null };
    }
  };
  const { platformId, ...now } = await judge(floors);
  const later = nextFloors && (await judge(nextFloors));
  const { leaf, ask, ark } = certificates;
  const endings: Ending[] = [
    { what: "VCEK or VLEK certificate", at: parseCertificate(leaf).notAfter },
    { what: "ASK certificate", at: parseCertificate(ask).notAfter },
    { what: "ARK certificate", at: parseCertificate(ark).notAfter },
    ...(crls ? parseCrls(crls) : []).map(({ nextUpdate }) => ({
      what: "AMD's revocation list",
      at: nextUpdate,
    })),
  ];
  return {
    kind: "snp",
    platformId,
    now,
    next: later ? { status: later.status, refusedBy: later.refusedBy } : null,
    endings: endings.sort((a, b) => a.at - b.at),
  };
}
