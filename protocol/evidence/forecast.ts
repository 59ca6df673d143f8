import type { Crypto } from "../crypto/crypto.ts";
import { nameOf, TcbStatus, type TcbStatusName } from "../words/enums.ts";
import type { PlatformId } from "../words/hex.ts";
import type { TrustedRoot } from "./chain/roots.ts";
import { chainOf, type Collateral } from "./dcap/collateral.ts";
import { parseQuote } from "./dcap/parseQuote.ts";
import { verifyQuote } from "./dcap/verifyQuote.ts";
import { EvidenceError } from "./EvidenceError.ts";

export interface ForecastOptions {
  readonly collateral: Collateral;
  /** What the vendor will publish next, where it says so early (Intel PCS `update=early`). */
  readonly next?: Collateral;
  /** Unix seconds. */
  readonly at: number;
  readonly crypto: Crypto;
  readonly roots?: readonly TrustedRoot[];
}

/**
 * How evidence fares under one set of collateral: a status, or the check that refuses it; neither where it holds and its
 * vendor publishes no status.
 */
export interface Standing {
  readonly status: TcbStatusName | null;
  readonly refusedBy: string | null;
}

/** Something that is valid until then, and what it is. */
export interface Ending {
  /** Unix seconds: the first in which it is not valid any more. */
  readonly at: number;
  readonly what: string;
}

/** What is to come for the platform that made a quote. */
export interface Forecast {
  readonly kind: "tdx" | "sgx" | "snp" | "nitro" | "gpu";
  /** Null where the evidence is refused today, or names no platform. */
  readonly platformId: PlatformId | null;
  readonly now: Standing;
  /** Null where no next set was given. */
  readonly next: Standing | null;
  /** Soonest first. Documents and lists are published anew before they end; certificates are not. */
  readonly endings: readonly Ending[];
}

/**
 * Judges a platform by its quote, today and under the next set of collateral, and lists what ends when. The quote itself
 * does not age: certificates, lists and documents do. @throws EvidenceError `evidence/quote-format`, DerError.
 */
export async function forecast(quote: Uint8Array, options: ForecastOptions): Promise<Forecast> {
  const { collateral, next, at, crypto, roots } = options;
  const { report, pckChain } = parseQuote(quote);
  const judge = async (
    by: Collateral,
    when: number,
  ): Promise<Standing & { platformId: PlatformId | null }> => {
    try {
      const verified = await verifyQuote(quote, {
        collateral: by,
        at: when,
        crypto,
        ...(roots ? { roots } : {}),
      });
      const status = nameOf(TcbStatus, verified.status) as TcbStatusName;
      return { status, refusedBy: null, platformId: verified.platformId };
    } catch (error) {
      if (!(error instanceof EvidenceError)) throw error;
      return { status: null, refusedBy: error.check, platformId: null };
    }
  };
  const { platformId, ...now } = await judge(collateral, at);
  const later = next && (await judge(next, Math.max(at, issuedFrom(next))));
  return {
    kind: report.kind,
    platformId,
    now,
    next: later ? { status: later.status, refusedBy: later.refusedBy } : null,
    endings: endingsOf(pckChain, collateral),
  };
}

/** First second in which the whole set is valid. */
const issuedFrom = ({ tcbInfo, qeIdentity, pckCrl, rootCaCrl }: Collateral): number =>
  Math.max(tcbInfo.content.issueDate, qeIdentity.content.issueDate, pckCrl.thisUpdate, rootCaCrl.thisUpdate);

function endingsOf(pckChain: string, { tcbInfo, qeIdentity, pckCrl, rootCaCrl }: Collateral): Ending[] {
  const [pck, ca, root] = chainOf(pckChain);
  const ends: readonly (readonly [what: string, at: number | undefined])[] = [
    ["TCB info", tcbInfo.content.nextUpdate],
    ["QE identity", qeIdentity.content.nextUpdate],
    ["PCK revocation list", pckCrl.nextUpdate],
    ["root revocation list", rootCaCrl.nextUpdate],
    ["PCK certificate", pck?.notAfter],
    ["PCK CA certificate", ca?.notAfter],
    ["root certificate", root?.notAfter],
    ["TCB signing certificate", tcbInfo.chain[0]?.notAfter],
    ["QE identity signing certificate", qeIdentity.chain[0]?.notAfter],
  ];
  return ends.flatMap(([what, at]) => (at === undefined ? [] : [{ what, at }])).sort((a, b) => a.at - b.at);
}
