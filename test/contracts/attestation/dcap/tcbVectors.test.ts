import { expect } from "chai";
import { hexlify, ZeroAddress } from "ethers";

import { advisoriesDigest } from "../../../../protocol/session/verdict.ts";
import { TcbStatus } from "../../../../protocol/words/enums.ts";
import { IDcapCollateral__factory } from "../../../../types/typechain/index.ts";
import { itOnVectors } from "../../../support/vectors.ts";
import { largeTcbInfo } from "./support/largeTcbInfo.ts";
import { packQeIdentity, packTcbInfo } from "./support/packTcb.ts";
import { kilo, useTcbHarness, utf8 } from "./support/tcbHarness.ts";
import { platformStruct, readQeIdentity, readTcbInfo } from "./support/tcbTwin.ts";
import {
  simulatedDocuments,
  vectorDocuments,
  vectorPlatform,
  VECTOR_NAMES,
  type TcbDocuments,
  type VectorName,
} from "./support/tcbVectors.ts";

describe("TCB documents on chain", function () {
  this.timeout(60_000);
  const chain = useTcbHarness();

  async function requireAlike({ tcbInfo, qeIdentity }: TcbDocuments): Promise<string> {
    const info = readTcbInfo(tcbInfo);
    const qe = readQeIdentity(qeIdentity);
    if (!info || !qe) throw new Error("expected documents that the verifier off chain reads");
    const onChain = await chain.harness.parseTcbInfo(utf8(tcbInfo));
    expect(onChain.blob).to.equal(hexlify(packTcbInfo(info)));
    expect([...onChain.header]).to.deep.equal([
      info.id === "TDX" ? 1n : 2n,
      hexlify(info.fmspc),
      hexlify(info.pceId),
      BigInt(info.issueDate),
      BigInt(info.nextUpdate),
      BigInt(info.tcbEvaluationDataNumber),
    ]);
    const enclave = await chain.harness.parseQeIdentity(utf8(qeIdentity));
    expect(enclave.blob).to.equal(hexlify(packQeIdentity(qe)));
    expect([...enclave.header]).to.deep.equal([
      qe.id === "TD_QE" ? 1n : 2n,
      BigInt(qe.issueDate),
      BigInt(qe.nextUpdate),
      BigInt(qe.tcbEvaluationDataNumber),
    ]);
    const blob = (onChain.blob.length - 2) / 2;
    return `TCB info ${tcbInfo.length} B → ${blob} B, ${kilo(onChain.gasUsed)} gas; QE identity ${qeIdentity.length} B, ${kilo(enclave.gasUsed)} gas`;
  }

  for (const name of VECTOR_NAMES) {
    itOnVectors(`parse_${name}_packsWhatIsReadOffChain`, async () => {
      console.log(`      ${await requireAlike(vectorDocuments(name))}`);
    });
  }

  /** Status and advisories; undefined: no level fits, see test/protocol/evidence/dcap/vectors.test.ts. */
  const JUDGEMENTS: Readonly<Record<VectorName, readonly [number, readonly string[]] | undefined>> = {
    "tdx/dstack-2026-02": [TcbStatus.UpToDate, []],
    "tdx/dcap-qvl-2025-06": [TcbStatus.UpToDate, []],
    "tdx/dcap-qvl-out-of-date": undefined,
    "tdx/automata-v4": [TcbStatus.OutOfDate, ["INTEL-SA-00960", "INTEL-SA-00982", "INTEL-SA-00986"]],
    "sgx/dcap-qvl": [TcbStatus.ConfigurationAndSWHardeningNeeded, ["INTEL-SA-00289", "INTEL-SA-00615"]],
  };
  for (const name of VECTOR_NAMES) {
    itOnVectors(`judge_${name}_isWhatIsKnownOfIt`, async () => {
      const { tcbInfo, qeIdentity } = vectorDocuments(name);
      const { blob } = await chain.harness.parseTcbInfo(utf8(tcbInfo));
      const { blob: qeBlob } = await chain.harness.parseQeIdentity(utf8(qeIdentity));
      const judged = chain.harness.judge(blob, qeBlob, platformStruct(vectorPlatform(name)));
      const expected = JUDGEMENTS[name];
      if (!expected) {
        await expect(judged).to.be.revertedWithCustomError(
          IDcapCollateral__factory.connect(ZeroAddress, chain.connection.ethers.provider),
          "PlatformTcbNotCovered",
        );
        return;
      }
      const { status, advisoriesDigest: digest, gasUsed } = await judged;
      console.log(`      judged for ${gasUsed} gas`);
      expect([status, digest]).to.deep.equal([BigInt(expected[0]), advisoriesDigest(expected[1])]);
    });
  }

  for (const tee of ["tdx", "sgx"] as const) {
    it(`parse_simulated${tee.toUpperCase()}_packsWhatIsReadOffChain`, async () => {
      await requireAlike(simulatedDocuments(tee));
    });
  }

  it("parse_asLargeADocumentAsCanBeExpected_fitsOneTransaction", async () => {
    const document = largeTcbInfo(32);
    const { gasUsed, blob } = await chain.harness.parseTcbInfo(utf8(document));
    const blobBytes = (blob.length - 2) / 2;
    console.log(`      ${document.length} B → ${blobBytes} B, ${kilo(gasUsed)} gas`);
    // With 40 gas a byte of calldata (EIP-7623, where execution costs less) and 200 a byte of code.
    expect(document.length).to.be.greaterThan(36_000);
    expect(gasUsed + BigInt(16 * document.length + 200 * blobBytes)).to.be.lessThan(4_000_000n);
  });

  it("parse_resignedEqualContent_givesAnEqualBlob", async () => {
    const { tcbInfo, qeIdentity } = simulatedDocuments("tdx");
    const again = (text: string): string =>
      text
        .replace(/("issueDate":"|"nextUpdate":"|"tcbDate":")2/g, "$13")
        .replace('"tcbEvaluationDataNumber":18', '"tcbEvaluationDataNumber":19')
        .replace('"INTEL-SA-01036","INTEL-SA-01079"', '"INTEL-SA-01079","INTEL-SA-01036"');
    expect(again(tcbInfo)).not.to.equal(tcbInfo);
    const [first, second] = [
      await chain.harness.parseTcbInfo(utf8(tcbInfo)),
      await chain.harness.parseTcbInfo(utf8(again(tcbInfo))),
    ];
    expect(second.blob).to.equal(first.blob);
    expect(second.header.issuedAt).not.to.equal(first.header.issuedAt);
    const enclaves = [qeIdentity, again(qeIdentity)].map((text) => chain.harness.parseQeIdentity(utf8(text)));
    const [one, other] = await Promise.all(enclaves);
    expect(other?.blob).to.equal(one?.blob);
  });
});
