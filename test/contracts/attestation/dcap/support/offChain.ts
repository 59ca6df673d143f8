import { AbiCoder, id, keccak256 } from "ethers";

import { nodeCrypto } from "../../../../../protocol/crypto/node.ts";
import { isCharterError } from "../../../../../protocol/errors/CharterError.ts";
import { quoteDigest } from "../../../../../protocol/evidence/dcap/quoteDigest.ts";
import { parseCollateral, verifyQuote } from "../../../../../protocol/evidence/index.ts";
import { nameOf, TcbStatus, TeeKind } from "../../../../../protocol/words/enums.ts";
import { toHex } from "../../../../../protocol/words/hex.ts";
import { root } from "../../../../protocol/evidence/simulated.ts";
import { ZERO } from "./verifier.ts";

export const REFUSED = "refused";

/** A status and a digest of what else was found as one text, as both verifiers' answers are compared. */
export const verdictText = (status: number, digest: string): string =>
  `${nameOf(TcbStatus, status)} ${digest}`;

/** Its first word. */
export const statusOf = (text: string): string => text.split(" ", 1)[0] as string;

const FACTS = [
  ["advisoriesDigest", "bytes32"],
  ["kind", "uint8"],
  ["platformId", "bytes32"],
  ["evidenceDigest", "bytes32"],
  ["measurementDigest", "bytes32"],
  ["pinnedMeasurementDigest", "bytes32"],
  ["reportDataHigh", "bytes32"],
  ["reportDataLow", "bytes32"],
] as const;

/** What a committee's word of a quote is compared with, in one digest: QuoteMutator's twin. */
export const factsDigest = (facts: Readonly<Record<(typeof FACTS)[number][0], unknown>>): string =>
  keccak256(
    AbiCoder.defaultAbiCoder().encode(
      FACTS.map(([, type]) => type),
      FACTS.map(([name]) => facts[name]),
    ),
  );

type Verified = Awaited<ReturnType<typeof verifyQuote>>;

/** The same of a quote that was verified off chain, by the rules of contracts/interfaces/IDcapVerifier.sol. */
function factsOffChain({ report, advisoryIds, platformId, quote }: Verified): string {
  const [measured, pinned] =
    report.kind === "tdx"
      ? [[report.mrTd, report.rtmrs[1], report.rtmrs[2]], [report.rtmrs[0]]]
      : [[report.mrEnclave], [report.mrSigner, report.raw.subarray(256, 260)]];
  return factsDigest({
    advisoriesDigest: advisoryIds.length === 0 ? ZERO : id(advisoryIds.join(",")),
    kind: report.kind === "tdx" ? TeeKind.Tdx : TeeKind.Sgx,
    platformId,
    evidenceDigest: quoteDigest(quote),
    measurementDigest: keccak256(Buffer.concat(measured)),
    pinnedMeasurementDigest: keccak256(Buffer.concat([...measured, ...pinned])),
    reportDataHigh: toHex(report.reportData.subarray(0, 32)),
    reportDataLow: toHex(report.reportData.subarray(32)),
  });
}

/** What the verifier off chain says of a simulated quote at `at` (unix seconds). */
export async function verdictOffChain(quote: Uint8Array, collateral: unknown, at: number): Promise<string> {
  try {
    const verified = await verifyQuote(quote, {
      collateral: parseCollateral(collateral),
      at,
      crypto: nodeCrypto,
      roots: [root],
    });
    return verdictText(verified.status, factsOffChain(verified));
  } catch (error) {
    if (isCharterError(error)) return REFUSED;
    throw error;
  }
}
