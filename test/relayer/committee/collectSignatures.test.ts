import { expect } from "chai";
import { decodeAbiParameters, recoverTypedDataAddress } from "viem";
import { privateKeyToAccount } from "viem/accounts";

import type { CommitteeRequest, VerdictMessage } from "../../../protocol/session/messages.ts";
import { verdictTypes } from "../../../protocol/session/domains.ts";
import { verdictTypedData } from "../../../protocol/session/verdict.ts";
import { parseAddress, parseBytes32, parsePlatformId } from "../../../protocol/words/hex.ts";
import type { Address, Hex } from "../../../protocol/words/hex.ts";
import { collectSignatures } from "../../../relayer/committee/collectSignatures.ts";
import { refusal } from "../../support/refusal.ts";

const CHAIN = 31_337;
const verifier = parseAddress(`0x${"0a".repeat(20)}`);
const word = (byte: string) => parseBytes32(`0x${byte.repeat(32)}`);
const account = (byte: string) => privateKeyToAccount(`0x${byte.repeat(32)}`);
const signers = ["11", "22", "33"].map(account);
const stranger = account("44");
/** Keys sit for themselves. */
const seatOf = async (signer: Address) => (members.includes(signer) ? signer : null);
const members = signers.map(({ address }) => address.toLowerCase() as Address);

const ours: VerdictMessage = {
  consumer: parseAddress(`0x${"01".repeat(20)}`),
  subject: parseAddress(`0x${"02".repeat(20)}`),
  key: parseAddress(`0x${"03".repeat(20)}`),
  evidenceBlock: 7,
  evidenceBlockHash: word("07"),
  platformId: parsePlatformId(word("08")),
  composeHash: word("09"),
  osImageHash: word("0a"),
  measurementDigest: word("0b"),
  pinnedMeasurementDigest: word("0c"),
  kind: 1,
  status: 1,
  advisoriesDigest: word("00"),
  evidenceDigest: word("0d"),
  gpuDigest: word("00"),
  validUntil: 2_000_000,
  simulated: true,
};

const question = {
  purpose: "instance" as const,
  app: ours.subject,
  key: ours.key,
  evidence: {
    kind: "tdx" as const,
    quote: "0x00",
    eventLog: "[]",
    vmConfig: "{}",
    blockNumber: 7,
    blockHash: ours.evidenceBlockHash,
  },
};

/** How one signer answers a request. */
type Behaviour = (request: CommitteeRequest, signal?: AbortSignal | null) => Promise<Response>;

const signs =
  (
    signer: (typeof signers)[number],
    change: (verdict: VerdictMessage) => VerdictMessage = (verdict) => verdict,
  ): Behaviour =>
  async ({ validUntil }) => {
    const verdict = change({ ...ours, validUntil });
    const signature = await signer.signTypedData(verdictTypedData(CHAIN, verifier, verdict));
    return Response.json({ verdict, signer: signer.address.toLowerCase(), signature });
  };
const upTo = (end: number) => (verdict: VerdictMessage) => ({
  ...verdict,
  validUntil: Math.min(end, verdict.validUntil),
});

async function collect(
  behaviours: readonly Behaviour[],
  seats: (signer: Address) => Promise<Address | null> = seatOf,
) {
  const rejected: string[] = [];
  const urls = behaviours.map((_, index) => `http://signer-${index}.test`);
  const proven = await collectSignatures(question, ours, {
    urls,
    chainId: CHAIN,
    verifier,
    committee: { threshold: 2, seatOf: seats },
    onRejected: (_url, error) => rejected.push(error.code),
    fetch: (input, init) => {
      const behaviour = behaviours[urls.indexOf(new URL(input as string).origin)]!;
      return behaviour(JSON.parse(init?.body as string) as CommitteeRequest, init?.signal);
    },
  });
  return { ...proven, rejected };
}

async function recovered(verdict: VerdictMessage, proof: Hex): Promise<string[]> {
  const [, signatures] = decodeAbiParameters(
    [{ type: "tuple", components: verdictTypes.Verdict }, { type: "bytes[]" }],
    proof,
  );
  const typedData = verdictTypedData(CHAIN, verifier, verdict);
  return Promise.all(
    signatures.map(async (signature) =>
      (await recoverTypedDataAddress({ ...typedData, signature })).toLowerCase(),
    ),
  );
}

const silent: Behaviour = () => Promise.reject(new TypeError("fetch failed"));
const [a, b, c] = signers as [(typeof signers)[number], (typeof signers)[number], (typeof signers)[number]];

describe("collectSignatures", () => {
  it("gives as many signatures as needed, by ascending signer", async () => {
    const { verdict, proof, rejected } = await collect([signs(c), signs(a), signs(b)]);
    const by = await recovered(verdict, proof);
    expect(by).to.have.length(2).and.deep.equal(by.toSorted());
    expect(verdict).to.deep.equal(ours);
    expect(rejected).to.deep.equal([]);
  });

  it("orders signatures by seat, and counts two signers of one seat once", async () => {
    const ascending = [a, b, c].sort((one, other) =>
      one.address.toLowerCase() < other.address.toLowerCase() ? -1 : 1,
    );
    const seatsOf = (seats: readonly Address[]) => async (signer: Address) =>
      seats[ascending.findIndex(({ address }) => address.toLowerCase() === signer)] ?? null;
    const [low, high] = [parseAddress(`0x${"01".repeat(20)}`), parseAddress(`0x${"02".repeat(20)}`)];
    const { verdict, proof } = await collect(
      [signs(ascending[0]!), signs(ascending[1]!)],
      seatsOf([high, low]),
    );
    const by = await recovered(verdict, proof);
    expect(by).to.deep.equal([ascending[1], ascending[0]].map((one) => one?.address.toLowerCase()));
    expect(
      await refusal(collect([signs(ascending[0]!), signs(ascending[1]!)], seatsOf([low, low]))),
    ).to.equal("committee/not-enough-signatures");
  });

  const minorities: Record<string, [Behaviour, string]> = {
    "is silent": [silent, "committee/signer-unreachable"],
    refuses: [async () => Response.json({ error: {} }, { status: 400 }), "committee/signer-refused"],
    "answers nonsense": [async () => Response.json({ signature: "0x" }), "committee/answer-malformed"],
    "answers no JSON": [async () => new Response("<html>"), "committee/signer-unreachable"],
    "signs another verdict": [
      signs(c, (verdict) => ({ ...verdict, composeHash: word("ff") })),
      "committee/signature-not-a-members",
    ],
    "is no member": [signs(stranger), "committee/signature-not-a-members"],
    "claims a member's name": [
      async (request) => {
        const honest = (await (await signs(stranger)(request)).json()) as object;
        return Response.json({ ...honest, signer: members[2] });
      },
      "committee/signature-not-a-members",
    ],
  };
  for (const [what, [behaviour, code]] of Object.entries(minorities)) {
    it(`is not stopped by a minority that ${what}, and says so`, async () => {
      const { verdict, proof, rejected } = await collect([behaviour, signs(a), signs(b)]);
      expect(await recovered(verdict, proof)).to.have.members([members[0], members[1]]);
      expect(rejected).to.deep.equal([code]);
    });
  }

  it("refuses when a majority lies or stays silent", async () => {
    const lie = (verdict: VerdictMessage) => ({ ...verdict, platformId: parsePlatformId(word("ee")) });
    expect(await refusal(collect([signs(a), signs(b, lie), silent]))).to.equal(
      "committee/not-enough-signatures",
    );
  });

  it("counts one signer once, however many URLs it answers at", async () => {
    expect(await refusal(collect([signs(a), signs(a), signs(a)]))).to.equal(
      "committee/not-enough-signatures",
    );
  });

  it("agrees on the longest validity that enough signers can sign", async () => {
    const { verdict, proof } = await collect([signs(a, upTo(1_500_000)), signs(b, upTo(1_900_000)), silent]);
    expect(verdict.validUntil).to.equal(1_500_000);
    expect(await recovered(verdict, proof)).to.have.members([members[0], members[1]]);
  });

  it("does not let one signer's shorter validity displace a majority", async () => {
    const { verdict } = await collect([signs(a, upTo(1)), signs(b), signs(c)]);
    expect(verdict.validUntil).to.equal(ours.validUntil);
  });

  it("does not wait for a signer that is not needed, and lets it go", async () => {
    let letGo = false;
    const never = (_request: CommitteeRequest, signal?: AbortSignal | null): Promise<Response> =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener("abort", () => {
          letGo = true;
          reject(new DOMException("let go", "AbortError"));
        });
      });
    const { rejected } = await collect([never, signs(a), signs(b)]);
    expect([letGo, rejected]).to.deep.equal([true, []]);
  });

  it("reads no more of an answer than any may have", async () => {
    let sent = 0;
    const endless: Behaviour = async () =>
      new Response(
        new ReadableStream({
          pull: (controller) => {
            sent++;
            controller.enqueue(new Uint8Array(4_096));
          },
        }),
      );
    const { rejected } = await collect([endless, signs(a), silent, signs(b)]).catch((error: unknown) => {
      throw error;
    });
    expect(rejected).to.include("committee/signer-unreachable");
    expect(sent).to.be.lessThan(16);
  });
});
