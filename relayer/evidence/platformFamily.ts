import { hash } from "node:crypto";

import { familyOfChain, type PlatformFamily } from "../../protocol/evidence/dcap/platformFamily.ts";
import { parseQuote } from "../../protocol/evidence/dcap/parseQuote.ts";
import { quoteBytes } from "../../protocol/evidence/dcap/quoteBytes.ts";

export {
  familyKey,
  platformFamily,
  type PckCa,
  type PlatformFamily,
} from "../../protocol/evidence/dcap/platformFamily.ts";

/** By SHA-256 of the chain's text: strangers' chains may be long. */
const MAX_CHAINS = 4_096;

/**
 * `platformFamily` for those who see the same machines again and again: what a PCK chain says is read once. Which family
 * a quote claims decides only what collateral it is judged by; the verifier judges both anew.
 */
export function rememberedFamilies(most = MAX_CHAINS): (quote: string) => PlatformFamily {
  const known = new Map<string, Omit<PlatformFamily, "tee">>();
  return (quote) => {
    const { pckChain, report } = parseQuote(quoteBytes(quote));
    const name = hash("sha256", pckChain);
    let family = known.get(name);
    if (family === undefined) {
      family = familyOfChain(pckChain);
      if (known.size >= most) known.clear();
      known.set(name, family);
    }
    return { tee: report.kind, ...family };
  };
}
