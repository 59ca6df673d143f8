import type { CommitteeAnswer, CommitteeRequest, VerdictMessage } from "../../protocol/session/messages.ts";
import { verdictTypedData } from "../../protocol/session/verdict.ts";
import { TcbStatus } from "../../protocol/words/enums.ts";
import type { Address, Bytes32 } from "../../protocol/words/hex.ts";
import type { EvidenceJudge } from "../evidence/judgeEvidence.ts";
import type { SigningAccount } from "../keys/signingAccount.ts";
import { typedDataDigest } from "../keys/typedDataDigest.ts";
import type { SignedVerdictStore } from "../store/signedVerdictStore.ts";

interface Options {
  readonly account: SigningAccount;
  readonly chainId: number;
  readonly verifier: Address;
  readonly judge: EvidenceJudge;
  readonly verdicts: Pick<SignedVerdictStore, "claim" | "record">;
}

const ZERO = `0x${"0".repeat(64)}` as Bytes32;

/**
 * What of a verdict can never differ for the same evidence. Its status, advisories and validity follow from collateral
 * and change with it; everything else is a fact of the evidence itself, and two answers would be a lie
 * (DESIGN section 4, disputes).
 */
export function verdictIdentity(chainId: number, verifier: Address, verdict: VerdictMessage): Bytes32 {
  const facts = { ...verdict, status: TcbStatus.Unknown, advisoriesDigest: ZERO, validUntil: 0 };
  return typedDataDigest(verdictTypedData(chainId, verifier, facts));
}

/**
 * One committee member: verifies the evidence for itself and signs what it found. It is told nothing of anybody else's
 * verdict but the validity to stay within.
 */
export class CommitteeSigner {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  /** @throws CharterError `evidence/…`, `chain/…`, `collateral/…`, `committee/conflicting-verdict`. */
  async sign(request: CommitteeRequest): Promise<CommitteeAnswer> {
    const { account, chainId, verifier, judge, verdicts } = this.#options;
    const subject = request.purpose === "instance" ? request.app : request.operator;
    const found = await judge({ purpose: request.purpose, subject, key: request.key }, request.evidence);
    const verdict = { ...found, validUntil: Math.min(found.validUntil, request.validUntil) };

    // Before the signature exists, and in this signer's own database: a crash leaves the claim, not a second verdict.
    const identity = verdictIdentity(chainId, verifier, verdict);
    await verdicts.claim(verdict.evidenceDigest, identity, verdict.evidenceBlock);
    const signature = await account.signTypedData(verdictTypedData(chainId, verifier, verdict));
    await verdicts.record(verdict.evidenceDigest, signature);
    return { verdict, signer: account.address.toLowerCase() as Address, signature };
  }
}
