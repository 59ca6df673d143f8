import { CharterError, isCharterError } from "../../protocol/errors/CharterError.ts";
import { batchTypedData, leafTree } from "../../protocol/session/batch.ts";
import type { Leaf } from "../../protocol/session/batch.ts";
import type {
  BatchAnswer,
  CommitteeBatchRequest,
  CommitteeJudged,
  CommitteeJudgeRequest,
  VerdictMessage,
} from "../../protocol/session/messages.ts";
import { unpackFacts } from "../../protocol/state/instanceWord.ts";
import type { Address } from "../../protocol/words/hex.ts";
import type { ChainView } from "../batches/chainView.ts";
import { isSameImage, leafOf } from "../batches/leaf.ts";
import { inLanes } from "../inLanes.ts";
import { keccak256 } from "../keccak.ts";
import type { EvidenceJudge } from "../evidence/judgeEvidence.ts";
import type { SigningAccount } from "../keys/signingAccount.ts";
import type { SignedVerdictStore } from "../store/signedVerdictStore.ts";
import { verdictIdentity } from "./CommitteeSigner.ts";

interface Options {
  readonly account: SigningAccount;
  readonly chainId: number;
  readonly verifier: Address;
  readonly ledger: Address;
  readonly judge: EvidenceJudge;
  readonly verdicts: Pick<SignedVerdictStore, "claimAll" | "judged">;
  /** The chain at its final block of now. */
  readonly view: () => Promise<ChainView>;
}

/** Evidence that is verified at once: enough to fill the verifier's batches. */
const CONCURRENCY = 64;

/**
 * One committee member's part in batches: it judges evidence for itself and keeps what it found, and then signs a root
 * only when every leaf under it says what it found, of what its own chain says.
 */
export class BatchSigner {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Judges each item for itself; what was found is kept, durably, before it is told. */
  async judge({ items }: CommitteeJudgeRequest): Promise<CommitteeJudged> {
    const { chainId, verifier, judge, verdicts } = this.#options;
    const found = await inLanes(items, CONCURRENCY, async ({ app, key, evidence }) => {
      try {
        return await judge({ purpose: "instance", subject: app, key }, evidence);
      } catch (error) {
        return isCharterError(error) ? error.code : "api/internal";
      }
    });
    const reached = found.filter((each) => typeof each !== "string");
    const claimed = await verdicts.claimAll(
      reached.map((verdict) => ({ verdict, identity: verdictIdentity(chainId, verifier, verdict) })),
    );
    return {
      judged: found.map((each) => {
        if (typeof each === "string") return { refused: each };
        return claimed.has(each.evidenceDigest)
          ? { verdict: each }
          : { refused: "committee/conflicting-verdict" };
      }),
    };
  }

  /**
   * Signs a batch, whole or not at all.
   * @throws CharterError `committee/verdict-unknown` for what was not judged here lately, `committee/leaf-contradicts`,
   * `committee/batch-refused`, `chain/…`.
   */
  async sign({ leaves, validUntil, minBlock, blockHash }: CommitteeBatchRequest): Promise<BatchAnswer> {
    const { account, chainId, verifier, ledger, verdicts, view: open } = this.#options;
    const [view, judged] = await Promise.all([
      open(),
      verdicts.judged(leaves.map(({ evidenceDigest }) => evidenceDigest)),
    ]);
    let oldest = Number.MAX_SAFE_INTEGER;
    let longest = 0;
    for (const leaf of leaves) {
      const verdict = judged.get(leaf.evidenceDigest);
      if (verdict === undefined) {
        throw new CharterError("committee/verdict-unknown", "this evidence was not judged here lately", {
          evidenceDigest: leaf.evidenceDigest,
        });
      }
      await requireLeaf(view, leaf, verdict);
      oldest = Math.min(oldest, verdict.evidenceBlock);
      longest = Math.max(longest, verdict.validUntil);
    }
    if (minBlock !== oldest) throw refused("oldest evidence block", oldest, minBlock);
    if (validUntil > longest) throw refused("end", longest, validUntil);
    if (BigInt(minBlock) > view.number) throw refused("final block", view.number, minBlock);
    const canonical = await view.hashOf(BigInt(minBlock));
    if (blockHash !== canonical) throw refused("block hash", canonical, blockHash);

    const { root } = leafTree(leaves, keccak256);
    const statement = { ledger, root, count: leaves.length, validUntil, minBlock, blockHash };
    const signature = await account.signTypedData(batchTypedData(chainId, verifier, statement));
    return { root, signer: account.address.toLowerCase() as Address, signature };
  }
}

const refused = (what: string, expected: unknown, actual: unknown): CharterError =>
  new CharterError("committee/batch-refused", `the batch names another ${what} than its leaves have`, {
    expected,
    actual,
  });

/** The leaf must be what this signer would have made of its own verdict, for a node, an image and a release of its own chain. */
async function requireLeaf(view: ChainView, leaf: Leaf, verdict: VerdictMessage): Promise<void> {
  const contradicts = (what: string, expected: unknown, actual: unknown): CharterError =>
    new CharterError("committee/leaf-contradicts", `the leaf has another ${what}`, {
      evidenceDigest: leaf.evidenceDigest,
      expected,
      actual,
    });
  const { node, image, combines, expiresAt } = unpackFacts(leaf.facts);
  if (expiresAt > verdict.validUntil) throw contradicts("end", verdict.validUntil, expiresAt);
  const platformId = await view.platformOf(node);
  if (platformId !== verdict.platformId) throw contradicts("platform", verdict.platformId, platformId);
  const kept = await view.imageOf(image);
  if (!isSameImage(kept, verdict))
    throw contradicts("image", verdict.measurementDigest, kept.measurementDigest);
  const { release, maxAgeBlocks } = await view.evidenceTerms(verdict.subject, verdict.composeHash);
  const age = view.number - BigInt(verdict.evidenceBlock);
  if (age > BigInt(maxAgeBlocks)) throw contradicts("age than its app bears", maxAgeBlocks, age);
  const expected = leafOf(verdict, { release, node, image, combines, expiresAt });
  // Every bit, app and key: nothing of a leaf is taken from whoever asks.
  for (const part of ["app", "key", "facts"] as const) {
    if (leaf[part] !== expected[part]) throw contradicts(part, expected[part], leaf[part]);
  }
  if (release === 0) throw contradicts("release", "a release of its compose hash", 0);
}
