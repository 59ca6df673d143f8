import { CharterError } from "../../protocol/errors/CharterError.ts";
import { committeeAnswerSchema } from "../../protocol/session/messages.ts";
import type { CommitteeAnswer, CommitteeRequest, VerdictMessage } from "../../protocol/session/messages.ts";
import { encodeCommitteeProof, verdictTypedData } from "../../protocol/session/verdict.ts";
import type { Address, Hex } from "../../protocol/words/hex.ts";
import { recoverTypedData } from "../keys/recoverTypedData.ts";
import { askSigner } from "./askSigner.ts";
import type { Committee } from "./Committee.ts";

/** A request before the asked validity is known: it follows from our own verdict. */
export type CommitteeQuestion = CommitteeRequest extends infer Request
  ? Request extends CommitteeRequest
    ? Omit<Request, "validUntil">
    : never
  : never;

/** A verdict and the committee's proof of it, as `attest` and `register` take them. */
export interface ProvenVerdict {
  readonly verdict: VerdictMessage;
  /** abi.encode(Verdict, bytes[]), by ascending seat. */
  readonly proof: Hex;
}

interface Options {
  readonly urls: readonly string[];
  readonly chainId: number;
  readonly verifier: Address;
  readonly committee: Committee;
  readonly timeoutMs?: number;
  readonly fetch?: typeof globalThis.fetch;
  /** Told of every answer that does not count, so that a lying or silent signer is seen. */
  readonly onRejected?: (url: string, error: CharterError) => void;
}

/**
 * Asks every signer at once for its signature over *our* verdict. An answer counts only when the signature recovers,
 * over our own digest, to a key that speaks for a seat which has not been counted: what the answer says of itself is never believed.
 * A minority that lies or stays silent changes nothing.
 *
 * Collateral fetched at another time may end earlier at a signer, which then answers with a shorter validity. When
 * that leaves too few signatures over one verdict, each shorter validity that a member named is asked, longest first.
 * @throws CharterError `committee/not-enough-signatures`.
 */
export async function collectSignatures(
  question: CommitteeQuestion,
  ours: VerdictMessage,
  options: Options,
): Promise<ProvenVerdict> {
  const { threshold } = options.committee;
  const first = await askAll(question, ours, options);
  if (first.signatures.length >= threshold) return prove(ours, first.signatures, threshold);

  for (const validUntil of [...new Set(first.shorterValidities)].sort((a, b) => b - a)) {
    const shorter = { ...ours, validUntil };
    const { signatures } = await askAll(question, shorter, options);
    if (signatures.length >= threshold) return prove(shorter, signatures, threshold);
  }
  throw new CharterError("committee/not-enough-signatures", "too few committee members signed this verdict", {
    expected: threshold,
    actual: first.signatures.length,
    evidenceDigest: ours.evidenceDigest,
  });
}

interface Counted {
  readonly seat: Address;
  readonly signature: Hex;
}

function prove(verdict: VerdictMessage, signatures: readonly Counted[], threshold: number): ProvenVerdict {
  // No more than needed: each signature costs gas.
  return { verdict, proof: encodeCommitteeProof(verdict, signatures.slice(0, threshold)) };
}

/** Asks all; once enough have signed, the others are asked no more: a silent one costs no time. */
async function askAll(
  question: CommitteeQuestion,
  verdict: VerdictMessage,
  options: Options,
): Promise<{ signatures: Counted[]; shorterValidities: number[] }> {
  const bySeat = new Map<Address, Counted>();
  const shorterValidities: number[] = [];
  const request = { ...question, validUntil: verdict.validUntil };
  const enough = new AbortController();
  await Promise.all(
    options.urls.map(async (url) => {
      try {
        const asked = { ...options, signal: enough.signal };
        const answer = await askSigner(url, "/committee/sign", request, committeeAnswerSchema, asked);
        const { validUntil } = answer.verdict;
        if (validUntil < verdict.validUntil) {
          // Ours in everything but the end, and signed by a member: a difference of collateral, not of judgement.
          if ((await seatOf({ ...verdict, validUntil }, answer, options)) !== null) {
            shorterValidities.push(validUntil);
            return;
          }
        }
        const seat = await seatOf(verdict, answer, options);
        if (seat === null) {
          throw new CharterError(
            "committee/signature-not-a-members",
            "the signature is no member's over our verdict",
            { claimed: answer.signer },
          );
        }
        bySeat.set(seat, { seat, signature: answer.signature });
        if (bySeat.size >= options.committee.threshold) enough.abort();
      } catch (cause) {
        const error = cause as CharterError;
        const isLetGo = enough.signal.aborted && error.code === "committee/signer-unreachable";
        if (!isLetGo) options.onRejected?.(url, error);
      }
    }),
  );
  return { signatures: [...bySeat.values()], shorterValidities };
}

/** The seat whose signature over `verdict` the answer carries; null when there is none. */
async function seatOf(
  verdict: VerdictMessage,
  { signature }: CommitteeAnswer,
  { chainId, verifier, committee }: Options,
): Promise<Address | null> {
  const signer = recoverTypedData(verdictTypedData(chainId, verifier, verdict), signature);
  return signer === null ? null : committee.seatOf(signer);
}
