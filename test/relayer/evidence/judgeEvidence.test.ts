import { expect } from "chai";

import type { EvidenceFacts } from "../../../protocol/evidence/facts/EvidenceFacts.ts";
import { reportData } from "../../../protocol/evidence/reportData.ts";
import type { EvidenceMessage } from "../../../protocol/session/messages.ts";
import { parseAddress, parseBytes32, parsePlatformId } from "../../../protocol/words/hex.ts";
import type { Hex } from "../../../protocol/words/hex.ts";
import { countedJudge, evidenceJudge } from "../../../relayer/evidence/judgeEvidence.ts";
import { refusal } from "../../support/refusal.ts";

const address = (byte: string) => parseAddress(`0x${byte.repeat(20)}`);
const word = (byte: string) => parseBytes32(`0x${byte.repeat(32)}`);
const chainId = 31_337;
const ledger = address("01");
const nodeRegistry = address("02");
const subject = address("03");
const key = address("04");
const blockHash = word("05");

const message = (blockNumber: number): EvidenceMessage => ({
  kind: "tdx",
  quote: "0x00",
  eventLog: "[]",
  vmConfig: "{}",
  blockNumber,
  blockHash,
});

function fixture(
  bound: Partial<Parameters<typeof reportData>[0]> = {},
  final = 10_000n,
  suffix?: string,
  facts: Partial<EvidenceFacts> = {},
) {
  const of = {
    purpose: "instance" as const,
    chainId,
    consumer: ledger,
    subject,
    key,
    blockNumber: 10_000n,
    blockHash,
  };
  const data = reportData({ ...of, ...bound });
  const verified: EvidenceFacts = {
    kind: 1,
    status: 1,
    advisoryIds: ["INTEL-SA-2", "INTEL-SA-1"],
    platformId: parsePlatformId(word("06")),
    composeHash: word("07"),
    osImageHash: word("08"),
    measurementDigest: word("09"),
    pinnedMeasurementDigest: word("0a"),
    reportData: suffix === undefined ? data : (`${data.slice(0, 66)}${suffix}` as Hex),
    evidenceDigest: word("0b"),
    validUntil: 1_000,
    simulated: true,
    ...facts,
  };
  let verifications = 0;
  const judge = evidenceJudge({
    chainId,
    ledger,
    nodeRegistry,
    blocks: { finalNumber: async () => final, hashOf: async () => blockHash },
    verify: async () => {
      verifications++;
      return verified;
    },
    verifyGpu: () => Promise.reject(new Error("nobody brought a GPU")),
  });
  return { judge, verifications: () => verifications };
}

const instance = { purpose: "instance" as const, subject, key };

describe("evidenceJudge", () => {
  it("gives an instance's verdict in the contract's words", async () => {
    const verdict = await fixture().judge(instance, message(10_000));
    expect(verdict).to.include({
      consumer: ledger,
      subject,
      key,
      evidenceBlock: 10_000,
      composeHash: word("07"),
    });
    expect(verdict.advisoriesDigest).not.to.equal(word("00"));
  });

  it("gives a node's verdict without a compose hash", async () => {
    const { judge } = fixture({ purpose: "node", consumer: nodeRegistry });
    const verdict = await judge({ purpose: "node", subject, key }, message(10_000));
    expect(verdict).to.include({ consumer: nodeRegistry, composeHash: word("00") });
  });

  const foreign: Record<string, Parameters<typeof fixture>[0]> = {
    "another purpose": { purpose: "node" },
    "another chain": { chainId: 1 },
    "another ledger": { consumer: address("ff") },
    "another app": { subject: address("ff") },
    "another key": { key: address("ff") },
    "another block": { blockNumber: 9_999n },
    "another block's hash": { blockHash: word("ff") },
  };
  for (const [what, bound] of Object.entries(foreign)) {
    it(`refuses evidence bound to ${what}`, async () => {
      const { judge } = fixture(bound);
      expect(await refusal(judge(instance, message(10_000)))).to.equal("evidence/report-data-mismatch");
    });
  }

  it("refuses a digest of GPU evidence that it does not judge", async () => {
    const { judge } = fixture({}, 10_000n, "01".repeat(32));
    expect(await refusal(judge(instance, message(10_000)))).to.equal("evidence/report-data-mismatch");
  });

  it("refuses an instance of which no manifest is bound, and not a node", async () => {
    const unbound = { composeHash: null };
    const { judge } = fixture({}, 10_000n, undefined, unbound);
    expect(await refusal(judge(instance, message(10_000)))).to.equal("evidence/compose-hash-unbound");
    const node = fixture({ purpose: "node", consumer: nodeRegistry }, 10_000n, undefined, unbound);
    const verdict = await node.judge({ purpose: "node", subject, key }, message(10_000));
    expect(verdict.composeHash).to.equal(word("00"));
  });

  it("refuses a guest that was launched for another app", async () => {
    const launched = (byte: string) =>
      fixture({}, 10_000n, undefined, { launchedFor: address(byte) }).judge(instance, message(10_000));
    expect((await launched("03")).subject).to.equal(subject);
    expect(await refusal(launched("0f"))).to.equal("evidence/app-mismatch");
  });

  it("refuses a block that is not final, and one that is too old, before verifying anything", async () => {
    const { judge, verifications } = fixture();
    expect(await refusal(judge(instance, message(10_001)))).to.equal("evidence/block-not-final");
    expect(await refusal(judge(instance, message(10_000 - 8_192)))).to.equal("evidence/too-old");
    const node = { purpose: "node" as const, subject, key };
    expect(await refusal(judge(node, message(10_000 - 257)))).to.equal("evidence/too-old");
    expect(verifications()).to.equal(0);
  });

  it("refuses a block of another chain", async () => {
    const { judge } = fixture();
    const other = { ...message(10_000), blockHash: word("ee") };
    expect(await refusal(judge(instance, other))).to.equal("evidence/block-unknown");
  });

  it("is counted by its result", async () => {
    const counted: string[] = [];
    const { judge } = fixture();
    const counting = countedJudge(judge, (purpose, result) => counted.push(`${purpose} ${result}`));
    await counting(instance, message(10_000));
    await refusal(counting(instance, message(10_001)));
    expect(counted).to.deep.equal(["instance accepted", "instance evidence/block-not-final"]);
  });
});
