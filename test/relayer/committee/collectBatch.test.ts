import { expect } from "chai";
import { recoverTypedDataAddress } from "viem";
import { privateKeyToAccount } from "viem/accounts";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { batchTypedData, leafTree } from "../../../protocol/session/batch.ts";
import type {
  CommitteeBatchRequest,
  CommitteeJudgeRequest,
  EvidenceMessage,
  VerdictMessage,
} from "../../../protocol/session/messages.ts";
import type { ImageFacts } from "../../../protocol/state/types.ts";
import { parseAddress, parseBytes32, parsePlatformId } from "../../../protocol/words/hex.ts";
import type { Address, Bytes32 } from "../../../protocol/words/hex.ts";
import type { ChainView } from "../../../relayer/batches/chainView.ts";
import { leafOf } from "../../../relayer/batches/leaf.ts";
import { BatchSigner } from "../../../relayer/committee/BatchSigner.ts";
import { collectBatch } from "../../../relayer/committee/collectBatch.ts";
import type { DraftBatch } from "../../../relayer/committee/collectBatch.ts";
import { openStore } from "../../../relayer/store/store.ts";
import type { Store } from "../../../relayer/store/store.ts";
import { freshDatabase } from "../../support/postgres.ts";
import { refusal } from "../../support/refusal.ts";

const CHAIN = 31_337;
const verifier = parseAddress(`0x${"0a".repeat(20)}`);
const ledger = parseAddress(`0x${"01".repeat(20)}`);
const app = parseAddress(`0x${"02".repeat(20)}`);
const word = (n: number): Bytes32 => parseBytes32(`0x${n.toString(16).padStart(64, "0")}`);
const BLOCK = word(0xb10c);
const accounts = ["11", "22", "33"].map((byte) => privateKeyToAccount(`0x${byte.repeat(32)}`));
/** Keys sit for themselves. */
const seatOf = async (signer: Address) => (members.includes(signer) ? signer : null);
const members = accounts.map(({ address }) => address.toLowerCase() as Address);

const verdictOf = (n: number): VerdictMessage => ({
  consumer: ledger,
  subject: app,
  key: parseAddress(`0x${n.toString(16).padStart(40, "0")}`),
  evidenceBlock: 7,
  evidenceBlockHash: BLOCK,
  platformId: parsePlatformId(word(8)),
  composeHash: word(9),
  osImageHash: word(10),
  measurementDigest: word(11),
  pinnedMeasurementDigest: word(12),
  kind: 1,
  status: 1,
  advisoriesDigest: word(0),
  evidenceDigest: word(1_000 + n),
  gpuDigest: word(0),
  validUntil: 2_000_000,
  simulated: true,
});
/** The evidence names its verdict, which is all that these judges read of it. */
const evidenceOf = (n: number): EvidenceMessage => ({
  kind: "tdx",
  quote: `0x${n.toString(16).padStart(4, "0")}`,
  eventLog: "[]",
  vmConfig: "{}",
  blockNumber: 7,
  blockHash: BLOCK,
});
const numberOf = ({ quote }: EvidenceMessage): number => Number.parseInt(quote.slice(2), 16);

const view: ChainView = {
  number: 20n,
  evidenceTerms: async (_app, composeHash) => ({
    release: composeHash === word(9) ? 3 : 0,
    maxAgeBlocks: 100,
  }),
  platformOf: async (node) => parsePlatformId(word(node === 4 ? 8 : 0)),
  imageOf: async (image): Promise<ImageFacts> =>
    image === 5 ? verdictOf(1) : { ...verdictOf(1), osImageHash: word(0) },
  hashOf: async () => BLOCK,
};

const terms = { release: 3, node: 4, image: 5, combines: false };
const draftOf =
  (verdicts: readonly VerdictMessage[], change: Partial<typeof terms> = {}) =>
  (agreed: readonly { readonly index: number; readonly validUntil: number }[]): DraftBatch => {
    const tree = leafTree(
      agreed.map(({ index, validUntil }) =>
        leafOf(verdicts[index]!, { ...terms, ...change, expiresAt: validUntil }),
      ),
    );
    const validUntil = Math.max(...agreed.map((each) => each.validUntil));
    const count = agreed.length;
    return { tree, statement: { ledger, root: tree.root, count, validUntil, minBlock: 7, blockHash: BLOCK } };
  };

type Judge = (n: number) => VerdictMessage;

describe("a committee over a batch", function () {
  this.timeout(60_000);
  const stores: Store[] = [];

  before(async () => {
    for (const _ of accounts) stores.push(await openStore(await freshDatabase()));
  });
  after(() => Promise.all(stores.map((store) => store.close())));
  beforeEach(async () => {
    for (const { pool } of stores) await pool.query("DELETE FROM signed_verdicts");
  });

  const signer = (index: number, judge: Judge = verdictOf) =>
    new BatchSigner({
      account: accounts[index]!,
      chainId: CHAIN,
      verifier,
      ledger,
      verdicts: stores[index]!.verdicts,
      judge: async (_claim, evidence) => judge(numberOf(evidence)),
      view: async () => view,
    });

  type Handler = (path: string, body: unknown) => Promise<unknown>;
  const served =
    (of: BatchSigner): Handler =>
    (path, body) =>
      path.endsWith("/judge")
        ? of.judge(body as CommitteeJudgeRequest)
        : of.sign(body as CommitteeBatchRequest);
  const dead: Handler = () => Promise.reject(new TypeError("fetch failed"));

  async function collect(handlers: readonly Handler[], count = 4, change: Partial<typeof terms> = {}) {
    const verdicts = Array.from({ length: count }, (_, n) => verdictOf(n + 1));
    const rejected: string[] = [];
    const signed = await collectBatch(
      verdicts.map((verdict, n) => ({ verdict, evidence: evidenceOf(n + 1) })),
      {
        urls: handlers.map((_, index) => `http://signer-${index}.test`),
        chainId: CHAIN,
        verifier,
        committee: { threshold: 2, seatOf },
        draft: draftOf(verdicts, change),
        onRejected: (_url, error) => rejected.push(error.code),
        fetch: async (input, init) => {
          const { hostname, pathname } = new URL(input as string);
          const handler = handlers[Number(/\d+/.exec(hostname)?.[0])]!;
          try {
            return Response.json(await handler(pathname, JSON.parse(init?.body as string)));
          } catch (error) {
            if (!(error instanceof CharterError)) throw error;
            return Response.json({ error: error.toJSON() }, { status: 400 });
          }
        },
      },
    );
    return { ...signed, rejected };
  }

  const signersOf = async ({ statement, signatures }: Awaited<ReturnType<typeof collect>>) =>
    Promise.all(
      signatures.map(async (signature) =>
        (
          await recoverTypedDataAddress({ ...batchTypedData(CHAIN, verifier, statement), signature })
        ).toLowerCase(),
      ),
    );

  it("allAgree_oneRootIsSignedByAThreshold_ascending", async () => {
    const signed = await collect([served(signer(0)), served(signer(1)), served(signer(2))]);
    expect([signed.statement.count, signed.members]).to.deep.equal([4, [0, 1, 2, 3]]);
    const by = await signersOf(signed);
    expect(by).to.have.length(2).and.deep.equal(by.toSorted());
    expect(members).to.include.members(by);
  });

  it("oneIsDead_othersSuffice", async () => {
    const signed = await collect([dead, served(signer(1)), served(signer(2))]);
    expect((await signersOf(signed)).toSorted()).to.deep.equal([members[1], members[2]].toSorted());
  });

  it("oneJudgesOtherwise_isNotAsked", async () => {
    const liar = signer(0, (n) => ({ ...verdictOf(n), status: 5 }));
    const signed = await collect([served(liar), served(signer(1)), served(signer(2))]);
    expect(signed.members).to.deep.equal([0, 1, 2, 3]);
    expect(await signersOf(signed)).not.to.include(members[0]);
  });

  it("oneJudgesAndDoesNotSign_anotherTakesItsPlace", async () => {
    const judgesOnly: Handler = (path, body) =>
      path.endsWith("/judge") ? served(signer(0))(path, body) : dead(path, body);
    const signed = await collect([judgesOnly, served(signer(1)), served(signer(2))]);
    expect((await signersOf(signed)).toSorted()).to.deep.equal([members[1], members[2]].toSorted());
  });

  it("oneKeyBehindTwoAddresses_countsOnce", async () => {
    const signed = await collect([served(signer(0)), served(signer(0)), served(signer(2))]);
    expect(new Set(await signersOf(signed)).size).to.equal(2);
    expect(await refusal(collect([served(signer(0)), served(signer(0)), dead]))).to.equal(
      "committee/not-enough-signatures",
    );
  });

  it("majorityRefusesOne_itIsLeftOutAndTheOthersAreSigned", async () => {
    const picky = (index: number) =>
      signer(index, (n) => {
        if (n === 2) throw new CharterError("evidence/too-old", "as the test has it");
        return verdictOf(n);
      });
    const signed = await collect([served(picky(0)), served(picky(1)), served(picky(2))]);
    expect([signed.members, [...signed.refused]]).to.deep.equal([[0, 2, 3], [[1, "evidence/too-old"]]]);
  });

  it("shorterValidity_isWhatTheLeafHas", async () => {
    const shorter = (index: number) => signer(index, (n) => ({ ...verdictOf(n), validUntil: 1_500_000 }));
    const signed = await collect([served(shorter(0)), served(shorter(1)), dead]);
    expect(signed.statement.validUntil).to.equal(1_500_000);
  });

  it("tooFewAnswer_refuses", async () => {
    expect(await refusal(collect([served(signer(0)), dead, dead]))).to.equal(
      "committee/not-enough-signatures",
    );
  });

  const lies: Record<string, Partial<typeof terms>> = {
    "another release": { release: 2 },
    "a node on another platform": { node: 9 },
    "an image that was not measured": { image: 6 },
  };
  for (const [what, change] of Object.entries(lies)) {
    it(`leafNames ${what}, noHonestSignerSigns`, async () => {
      const all = [0, 1, 2].map((index) => served(signer(index)));
      expect(await refusal(collect(all, 2, change))).to.equal("committee/not-enough-signatures");
    });
  }

  const batch = (verdicts: readonly VerdictMessage[], over: Partial<CommitteeBatchRequest> = {}) => {
    const { tree, statement } = draftOf(verdicts)(
      verdicts.map(({ validUntil }, index) => ({ index, validUntil })),
    );
    const { validUntil, minBlock, blockHash } = statement;
    return { purpose: "batch" as const, validUntil, minBlock, blockHash, leaves: [...tree.leaves], ...over };
  };
  const judged = async (of: BatchSigner, ...numbers: number[]) =>
    of.judge({
      items: numbers.map((n) => ({ app, key: verdictOf(n).key, evidence: evidenceOf(n) })),
    });

  it("signer_signsNothingThatItDidNotJudge", async () => {
    const one = signer(0);
    await judged(one, 1);
    expect(await refusal(one.sign(batch([verdictOf(1), verdictOf(2)])))).to.equal(
      "committee/verdict-unknown",
    );
  });

  it("signer_signsNoLongerValidityNoOtherBlockAndNoOtherKey", async () => {
    const one = signer(0);
    await judged(one, 1);
    const codes = [];
    for (const asked of [
      batch([{ ...verdictOf(1), validUntil: 2_000_001 }]),
      batch([{ ...verdictOf(1), key: verdictOf(2).key }]),
      batch([verdictOf(1)], { validUntil: 2_000_001 }),
      batch([verdictOf(1)], { minBlock: 8 }),
      batch([verdictOf(1)], { blockHash: word(1) }),
    ]) {
      codes.push(await refusal(one.sign(asked)));
    }
    expect(codes).to.deep.equal([
      "committee/leaf-contradicts",
      "committee/leaf-contradicts",
      "committee/batch-refused",
      "committee/batch-refused",
      "committee/batch-refused",
    ]);
  });

  it("signer_foundOtherFactsOfEvidenceThatItSigned_refuses", async () => {
    await judged(signer(0), 1);
    const other = signer(0, (n) => ({ ...verdictOf(n), measurementDigest: word(99) }));
    expect((await judged(other, 1)).judged).to.deep.equal([{ refused: "committee/conflicting-verdict" }]);
  });
});
