import { id } from "ethers";

import { nodeCrypto } from "../../../../../protocol/crypto/node.ts";
import { isCharterError } from "../../../../../protocol/errors/CharterError.ts";
import { parseCollateral, verifyQuote } from "../../../../../protocol/evidence/index.ts";
import { nameOf, TcbStatus } from "../../../../../protocol/words/enums.ts";
import { root } from "../../../../protocol/evidence/simulated.ts";
import { ZERO } from "./verifier.ts";

export const REFUSED = "refused";

/** A status and the digest of advisories as one text, as both verifiers' answers are compared. */
export const verdictText = (status: number, advisoriesDigest: string): string =>
  `${nameOf(TcbStatus, status)} ${advisoriesDigest}`;

/** What the verifier off chain says of a simulated quote at `at` (unix seconds). */
export async function verdictOffChain(quote: Uint8Array, collateral: unknown, at: number): Promise<string> {
  try {
    const { status, advisoryIds } = await verifyQuote(quote, {
      collateral: parseCollateral(collateral),
      at,
      crypto: nodeCrypto,
      roots: [root],
    });
    return verdictText(status, advisoryIds.length === 0 ? ZERO : id(advisoryIds.join(",")));
  } catch (error) {
    if (isCharterError(error)) return REFUSED;
    throw error;
  }
}
