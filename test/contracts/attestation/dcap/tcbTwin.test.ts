import { expect } from "chai";
import { AbiCoder, hexlify } from "ethers";

import { IDcapCollateral__factory } from "../../../../types/typechain/index.ts";
import { random, type Random } from "../../../support/random.ts";
import { packQeIdentity, packTcbInfo } from "./support/packTcb.ts";
import { randomPlatform, randomQeIdentity, randomTcbInfo } from "./support/randomTcb.ts";
import { inGroups, useTcbHarness, utf8 } from "./support/tcbHarness.ts";
import { judgeTwin, platformStruct, readQeIdentity, readTcbInfo } from "./support/tcbTwin.ts";

const isLong = process.env.CHARTER_FUZZ === "long";
/** Documents, and platforms judged by each: 1,200 judgements, 30,000 in the long profile. */
const [DOCUMENTS, PLATFORMS] = isLong ? [750, 40] : [40, 30];
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);

describe("TCB rules: the contract and its twin", function () {
  this.timeout(isLong ? 3_600_000 : 120_000);
  const chain = useTcbHarness();

  it(`judge_randomDocumentsAndPlatforms_bothAnswerAlike (SEED=${seed})`, async () => {
    const next = random(seed);
    const seen = new Map<string, number>();
    for (let round = 0; round < DOCUMENTS; round++) await compare(next, seen);
    console.log(`      ${[...seen].map(([answer, count]) => `${answer} ${count}`).join(", ")}`);
    // A run that never reaches an answer says nothing about it.
    for (const answer of [...COMMON, ...(isLong ? RARE : [])])
      expect(seen.get(answer) ?? 0, answer).to.be.greaterThan(0);
  });

  async function compare(next: Random, seen: Map<string, number>): Promise<void> {
    const isTdx = next.chance(0.7);
    const texts = {
      tcbInfo: randomTcbInfo(next, isTdx ? "TDX" : "SGX"),
      qeIdentity: randomQeIdentity(next, isTdx === next.chance(0.98) ? "TD_QE" : "QE"),
    };
    const info = readTcbInfo(texts.tcbInfo);
    const qe = readQeIdentity(texts.qeIdentity);
    if (!info || !qe) throw new Error(`expected documents that are read off chain: ${JSON.stringify(texts)}`);
    const { blob } = await chain.harness.parseTcbInfo(utf8(texts.tcbInfo));
    expect(blob, texts.tcbInfo).to.equal(hexlify(packTcbInfo(info)));
    const { blob: qeBlob } = await chain.harness.parseQeIdentity(utf8(texts.qeIdentity));
    expect(qeBlob, texts.qeIdentity).to.equal(hexlify(packQeIdentity(qe)));

    const platforms = Array.from({ length: PLATFORMS }, () => randomPlatform(next, info, qe));
    const answers = await inGroups(platforms, 40, (group) =>
      chain.harness.judgeMany(blob, qeBlob, group.map(platformStruct)),
    );
    platforms.forEach((platform, i) => {
      const answer = answers[i] as (typeof answers)[number];
      const actual = answer.good ? judgement(answer.data) : errorName(answer.data);
      const expected = judgeTwin(info, qe, platform);
      expect(actual, JSON.stringify({ ...texts, platform })).to.equal(expected);
      const kind = answer.good ? `status ${expected.split(" ")[0]}` : expected;
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
    });
  }
});

const COMMON = [
  "status 1",
  "status 5",
  "status 6",
  "status 7",
  "QeIdentityMismatch",
  "QeTcbNotCovered",
  "ModuleIdentityMismatch",
  "ModuleTcbNotCovered",
  "PlatformTcbNotCovered",
];
/** Need the long profile to be sure to occur. */
const RARE = ["status 2", "status 3", "status 4", "CollateralMissing", "PceIdMismatch"];

function judgement(data: string): string {
  const [status, digest] = AbiCoder.defaultAbiCoder().decode(["uint8", "bytes32"], data);
  return `${String(status)} ${String(digest)}`;
}

const errorName = (data: string): string =>
  IDcapCollateral__factory.createInterface().parseError(data)?.name ?? data;
