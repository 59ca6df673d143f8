import type { Random } from "../../../../support/random.ts";
import type { IssuedCollateral } from "../../../../../worker/tee/simulator/collateral.ts";
import { SimulatedSgx, type SimulatedSgxOptions } from "../../../../../worker/tee/simulator/SimulatedSgx.ts";
import { AT, issued, platform, quoteOf } from "../../simulated.ts";
import { QUOTE_KINDS, type QuoteKind } from "../layout.ts";

/** One question to both verifiers. */
export interface Case {
  readonly kind: QuoteKind;
  readonly quote: Uint8Array;
  readonly collateral: IssuedCollateral;
  readonly at: number;
}

/** A way for evidence to be wrong (or just unusual), made at random within its name. */
export interface Defect {
  readonly name: string;
  /** The kinds of quotes that can have it; default all. */
  readonly kinds?: readonly QuoteKind[];
  readonly make: (good: Case, random: Random) => Partial<Case> | Promise<Partial<Case>>;
}

export const TDX: readonly QuoteKind[] = ["tdx4"];
export const SGX: readonly QuoteKind[] = ["sgx3", "sgx4"];

const DATA = new Uint8Array(64).fill(5);

/** A quote of that kind on a platform, which may be a forger's. */
export const makeQuote = (
  kind: QuoteKind,
  on = platform,
  options: Pick<SimulatedSgxOptions, "signingKey"> = {},
): Promise<Uint8Array> =>
  kind === "tdx4"
    ? quoteOf(options, on)
    : Promise.resolve(new SimulatedSgx(on, { ...options, version: kind === "sgx3" ? 3 : 4 }).quote(DATA));

export const teeOf = (kind: QuoteKind): "tdx" | "sgx" => (kind === "tdx4" ? "tdx" : "sgx");

/** Good cases, one of each kind, which defects start from. */
export async function goodCases(): Promise<ReadonlyMap<QuoteKind, Case>> {
  const cases = QUOTE_KINDS.map(async (kind): Promise<[QuoteKind, Case]> => {
    const collateral = issued({ tee: teeOf(kind) });
    return [kind, { kind, quote: await makeQuote(kind), collateral, at: AT + 1 }];
  });
  return new Map(await Promise.all(cases));
}
