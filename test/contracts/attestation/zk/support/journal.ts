import { AbiCoder, id, Interface, sha256, ZeroHash } from "ethers";

import { verdictTypes } from "../../../../../protocol/session/domains.ts";
import { TcbStatus, TeeKind } from "../../../../../protocol/words/enums.ts";
import { walletOf } from "../../../support/charter.ts";
import type { Verdict } from "../../../support/verdicts.ts";

// The two gateways' own words, not our interfaces: an adapter that asks otherwise is not understood.
export const SP1 = new Interface(["function verifyProof(bytes32,bytes,bytes) view"]);
export const RISC_ZERO = new Interface(["function verify(bytes,bytes32,bytes32) view"]);

const DIGESTS = "tuple(bytes32 tcbInfo, bytes32 qeIdentity, bytes32 pckCrl, bytes32 rootCrl)";
const VERDICT = `tuple(${verdictTypes.Verdict.map(({ name, type }) => `${type} ${name}`).join(", ")})`;
const JOURNAL = `tuple(${VERDICT} verdict, uint40 provenAt, bytes6 fmspc, uint8 ca, ${DIGESTS} documents)`;

export const DOCUMENTS = {
  tcbInfo: id("TCB info"),
  qeIdentity: id("QE identity"),
  pckCrl: id("PCK CRL"),
  rootCrl: id("root CRL"),
};
export const FMSPC = "0x00906ed50000";
export const PLATFORM_CA = 1;
export const PROGRAM = id("program");
export const SEAL = "0x11223344aabb";

export type Maker = "sp1" | "riscZero";

/** The contracts' `ZkJournal`. */
export interface Journal {
  verdict: Verdict;
  provenAt: bigint;
  fmspc: string;
  ca: number;
  documents: typeof DOCUMENTS;
}

export const encodeJournal = (journal: Journal): string =>
  AbiCoder.defaultAbiCoder().encode([JOURNAL], [journal]);

export const encodeZkProof = (
  adapter: string,
  journal: string,
  { program = PROGRAM, seal = SEAL } = {},
): string =>
  AbiCoder.defaultAbiCoder().encode(
    ["address", "bytes32", "bytes", "bytes"],
    [adapter, program, journal, seal],
  );

/** What an adapter of this maker must ask its gateway for this journal. */
export const gatewayCall = (
  maker: Maker,
  journal: string,
  { program = PROGRAM, seal = SEAL } = {},
): string =>
  maker === "sp1"
    ? SP1.encodeFunctionData("verifyProof", [program, journal, seal])
    : RISC_ZERO.encodeFunctionData("verify", [seal, program, sha256(journal)]);

/** A program's verdict on a TD at `at` (unix seconds), ten hours valid. */
export const zkVerdict = (consumer: string, at: bigint, over: Partial<Verdict> = {}): Verdict => ({
  consumer,
  subject: walletOf("app").address,
  key: walletOf("key").address,
  evidenceBlock: 7n,
  evidenceBlockHash: id("block"),
  platformId: id("platform"),
  composeHash: id("compose"),
  osImageHash: id("image"),
  measurementDigest: id("measurement"),
  pinnedMeasurementDigest: id("pinned"),
  kind: BigInt(TeeKind.Tdx),
  status: BigInt(TcbStatus.OutOfDate),
  advisoriesDigest: id("advisories"),
  evidenceDigest: id("evidence"),
  gpuDigest: ZeroHash,
  validUntil: at + 36_000n,
  simulated: false,
  ...over,
});
