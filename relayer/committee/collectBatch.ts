import { CharterError } from "../../protocol/errors/CharterError.ts";
import { batchTypedData } from "../../protocol/session/batch.ts";
import type { BatchStatement, LeafTree } from "../../protocol/session/batch.ts";
import { batchAnswerSchema, committeeJudgedSchema } from "../../protocol/session/messages.ts";
import type { EvidenceMessage, VerdictMessage } from "../../protocol/session/messages.ts";
import type { Address, Hex } from "../../protocol/words/hex.ts";
import { inLanes } from "../inLanes.ts";
import { recoverTypedData } from "../keys/recoverTypedData.ts";
import { askSigner } from "./askSigner.ts";
import type { Committee } from "./Committee.ts";

/** One verdict that we reached ourselves, and what it was reached from. */
export interface BatchCandidate {
  readonly verdict: VerdictMessage;
  readonly evidence: EvidenceMessage;
}

/** A batch as it is to be signed, of some of the candidates. */
export interface DraftBatch {
  readonly tree: LeafTree;
  readonly statement: BatchStatement;
}

/** What came of it. */
export interface SignedBatch extends DraftBatch {
  /** Indices of the candidates whose leaves are in it. */
  readonly members: readonly number[];
  /** By ascending seat. */
  readonly signatures: readonly Hex[];
  /** Why the others are not, by index. */
  readonly refused: ReadonlyMap<number, string>;
}

interface Options {
  readonly urls: readonly string[];
  readonly chainId: number;
  readonly verifier: Address;
  readonly committee: Committee;
  /** Builds the batch of these candidates, each to end no later than said (unix seconds). */
  readonly draft: (agreed: readonly { readonly index: number; readonly validUntil: number }[]) => DraftBatch;
  readonly timeoutMs?: number;
  readonly fetch?: typeof globalThis.fetch;
  readonly onRejected?: (url: string, error: CharterError) => void;
}

/** What one signer found of every candidate: how long its equal verdict lasts, or why there is none. */
interface Judged {
  readonly url: string;
  readonly found: readonly (number | string)[];
}

/** A signer takes bodies of 4 MiB. */
const MAX_CHUNK_BYTES = 3 * 1_048_576;
const MAX_CHUNK_ITEMS = 64;
const CHUNKS_AT_ONCE = 2;
const MAX_JUDGED_BYTES = 1_048_576;
const TIMEOUT_MS = 30_000;

/**
 * Has a threshold of members sign one batch over as many of the candidates as they agree on. Each first judges the
 * evidence for itself; those who agree most, and longest, are asked for the signature, over our own root. One who judged
 * and then does not sign is left out, and others take its place: a minority can only take its own word away.
 * @throws CharterError `committee/not-enough-signatures`.
 */
export async function collectBatch(
  candidates: readonly BatchCandidate[],
  options: Options,
): Promise<SignedBatch> {
  const { urls, onRejected } = options;
  const { threshold } = options.committee;
  const over = new AbortController();
  const judged: Judged[] = [];
  const excluded = new Set<string>();
  const pending = new Map(
    urls.map((url) => [
      url,
      judgeAt(url, candidates, options, over.signal).then(
        (each) => {
          pending.delete(url);
          judged.push(each);
        },
        (error: unknown) => {
          pending.delete(url);
          if (!over.signal.aborted) onRejected?.(url, error as CharterError);
        },
      ),
    ]),
  );
  const chunks = [...pending.values()];
  try {
    for (;;) {
      const able = judged.filter(({ url }) => !excluded.has(url)).sort(byAgreement);
      const whole = able.filter(({ found }) => found.every((each) => typeof each === "number"));
      if (whole.length < threshold && pending.size > 0) {
        await Promise.race(pending.values());
        continue;
      }
      const chosen = (whole.length >= threshold ? whole : able).slice(0, threshold);
      if (chosen.length < threshold) throw tooFew(threshold, chosen.length);
      const signed = await signBy(chosen, candidates, options, over.signal, excluded);
      if (signed !== null) return signed;
    }
  } finally {
    over.abort();
    await Promise.allSettled(chunks);
  }
}

const tooFew = (expected: number, actual: number): CharterError =>
  new CharterError("committee/not-enough-signatures", "too few committee members signed this batch", {
    expected,
    actual,
  });

/** Most agreed candidates first, then the longest validities. */
function byAgreement(a: Judged, b: Judged): number {
  const agreed = ({ found }: Judged): number[] => found.filter((each) => typeof each === "number");
  const [ofA, ofB] = [agreed(a), agreed(b)];
  const sum = (all: readonly number[]): number => all.reduce((total, each) => total + each, 0);
  return ofB.length - ofA.length || sum(ofB) - sum(ofA);
}

/** Null when one of the chosen did not sign: it is excluded, and others may be chosen. */
async function signBy(
  chosen: readonly Judged[],
  candidates: readonly BatchCandidate[],
  options: Options,
  signal: AbortSignal,
  excluded: Set<string>,
): Promise<SignedBatch | null> {
  const refused = new Map<number, string>();
  const agreed = candidates.flatMap(({ verdict }, index) => {
    const words = chosen.map(({ found }) => found[index] ?? "committee/answer-malformed");
    const no = words.find((word) => typeof word === "string");
    if (no !== undefined) {
      refused.set(index, no);
      return [];
    }
    return [{ index, validUntil: Math.min(verdict.validUntil, ...(words as number[])) }];
  });
  if (agreed.length === 0) {
    throw new CharterError("committee/batch-refused", "the committee agrees to none of these verdicts", {
      refused: [...new Set(refused.values())],
    });
  }
  const draft = options.draft(agreed);
  const bySeat = new Map<Address, Hex>();
  await Promise.all(
    chosen.map(async ({ url }) => {
      try {
        const [seat, signature] = await askForSignature(url, draft, options, signal);
        bySeat.set(seat, signature);
      } catch (error) {
        excluded.add(url);
        options.onRejected?.(url, error as CharterError);
      }
    }),
  );
  if (bySeat.size < options.committee.threshold) {
    // One seat behind several URLs counts once; which URL is the copy cannot be told, so all but one are left out.
    if (!chosen.some(({ url }) => excluded.has(url))) chosen.slice(1).forEach(({ url }) => excluded.add(url));
    return null;
  }
  const signatures = [...bySeat].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, signature]) => signature);
  return { ...draft, members: agreed.map(({ index }) => index), signatures, refused };
}

async function askForSignature(
  url: string,
  { tree, statement }: DraftBatch,
  options: Options,
  signal: AbortSignal,
): Promise<[Address, Hex]> {
  const { validUntil, minBlock, blockHash } = statement;
  const question = { purpose: "batch", validUntil, minBlock, blockHash, leaves: tree.leaves };
  const asked = { ...options, timeoutMs: options.timeoutMs ?? TIMEOUT_MS, signal };
  const { signature } = await askSigner(url, "/committee/sign", question, batchAnswerSchema, asked);
  // Over our own digest: what the answer says of itself is never believed.
  const typedData = batchTypedData(options.chainId, options.verifier, statement);
  const signer = recoverTypedData(typedData, signature);
  const seat = signer === null ? null : await options.committee.seatOf(signer);
  if (seat !== null) return [seat, signature];
  throw new CharterError("committee/signature-not-a-members", "the signature is no member's over our batch", {
    url,
  });
}

/** Has one signer judge everything, in pieces that it takes. */
async function judgeAt(
  url: string,
  candidates: readonly BatchCandidate[],
  options: Options,
  signal: AbortSignal,
): Promise<Judged> {
  const asked = {
    ...options,
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    signal,
    maxAnswerBytes: MAX_JUDGED_BYTES,
  };
  const answers = await inLanes(chunksOf(candidates), CHUNKS_AT_ONCE, async (chunk) => {
    const items = chunk.map(({ verdict: { subject: app, key }, evidence }) => ({ app, key, evidence }));
    const { judged } = await askSigner(url, "/committee/judge", { items }, committeeJudgedSchema, asked);
    if (judged.length !== chunk.length) {
      throw new CharterError("committee/answer-malformed", "a signer must answer for every item", { url });
    }
    return judged.map((each, index) => {
      if ("refused" in each) return each.refused;
      const ours = chunk[index]?.verdict;
      return ours !== undefined && isEqualButEnd(ours, each.verdict)
        ? each.verdict.validUntil
        : "committee/other-verdict";
    });
  });
  return { url, found: answers.flat() };
}

const isEqualButEnd = (a: VerdictMessage, b: VerdictMessage): boolean =>
  (Object.keys(a) as (keyof VerdictMessage)[]).every((name) => name === "validUntil" || a[name] === b[name]);

/** In their order, by number and size. */
function chunksOf(candidates: readonly BatchCandidate[]): BatchCandidate[][] {
  const chunks: BatchCandidate[][] = [];
  let room = 0;
  for (const candidate of candidates) {
    const { quote, eventLog, vmConfig, gpu = "" } = candidate.evidence;
    // JSON within JSON: its quotes are escaped.
    const bytes = quote.length + 2 * (eventLog.length + vmConfig.length + gpu.length) + 512;
    const last = chunks.at(-1);
    if (last === undefined || last.length >= MAX_CHUNK_ITEMS || bytes > room) {
      chunks.push([candidate]);
      room = MAX_CHUNK_BYTES - bytes;
    } else {
      last.push(candidate);
      room -= bytes;
    }
  }
  return chunks;
}
