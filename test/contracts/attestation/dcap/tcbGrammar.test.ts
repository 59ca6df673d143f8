import { expect } from "chai";
import { AbiCoder, dataSlice, hexlify, id } from "ethers";

import { mutatedJson } from "../../../support/mutation.ts";
import { random } from "../../../support/random.ts";
import { isExact } from "./support/exactForm.ts";
import { packQeIdentity, packTcbInfo } from "./support/packTcb.ts";
import { randomQeIdentity, randomTcbInfo } from "./support/randomTcb.ts";
import { inGroups, useTcbHarness, utf8 } from "./support/tcbHarness.ts";
import { readQeIdentity, readTcbInfo } from "./support/tcbTwin.ts";
import { simulatedDocuments } from "./support/tcbVectors.ts";

type Kind = "tcbInfo" | "qeIdentity";

const isLong = process.env.CHARTER_FUZZ === "long";
const ROUNDS = isLong ? 20_000 : 600;
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const BAD_JSON = id("BadJson(uint256)").slice(0, 10);

describe("Grammar of TCB documents", function () {
  this.timeout(isLong ? 3_600_000 : 240_000);
  const chain = useTcbHarness();

  const tdx = simulatedDocuments("tdx");
  const sgx = simulatedDocuments("sgx");

  const ask = (kind: Kind, documents: readonly Buffer[]) =>
    inGroups(documents, 30, (group) =>
      kind === "tcbInfo" ? chain.harness.parseTcbInfos(group) : chain.harness.parseQeIdentities(group),
    );

  /** The blob of a document that is read off chain and is written as Intel writes; undefined for all others. */
  function expectedBlob(kind: Kind, document: Buffer): string | undefined {
    const text = document.toString("utf8");
    if (kind === "tcbInfo") {
      const info = readTcbInfo(text);
      return info && isExact(document, kind) ? hexlify(packTcbInfo(info)) : undefined;
    }
    const qe = readQeIdentity(text);
    return qe && isExact(document, kind) ? hexlify(packQeIdentity(qe)) : undefined;
  }

  /** Both sides on each document; whatever the contract refuses it refuses with BadJson. */
  async function compare(
    kind: Kind,
    documents: readonly Buffer[],
  ): Promise<{ accepted: number; refused: number }> {
    const answers = await ask(kind, documents);
    const counts = { accepted: 0, refused: 0 };
    documents.forEach((document, i) => {
      const answer = answers[i] as (typeof answers)[number];
      const expected = expectedBlob(kind, document);
      const actual = answer.good ? answer.data : undefined;
      expect(actual, document.toString("utf8")).to.equal(expected);
      if (!answer.good) expect(answer.data.slice(0, 10), document.toString("utf8")).to.equal(BAD_JSON);
      counts[answer.good ? "accepted" : "refused"]++;
    });
    return counts;
  }

  const FLIPPED: readonly [string, Kind, string][] = [
    ["TdxTcbInfo", "tcbInfo", tdx.tcbInfo],
    ["SgxTcbInfo", "tcbInfo", sgx.tcbInfo],
    ["QeIdentity", "qeIdentity", sgx.qeIdentity],
  ];
  for (const [name, kind, text] of FLIPPED) {
    it(`parse_everyByteOf${name}Flipped_acceptsWhatIsReadOffChain (SEED=${seed})`, async () => {
      const next = random(seed);
      const flips = isLong ? [0, 1, 2, 3, 4, 5, 6, 7] : [next.below(8)];
      const documents = flips.flatMap((bit) =>
        Array.from({ length: text.length }, (_, i) => {
          const copy = utf8(text);
          copy[i] = (copy[i] as number) ^ (1 << bit);
          return copy;
        }),
      );
      const { refused } = await compare(kind, documents);
      expect(refused).to.be.greaterThan(documents.length / 4);
    });

    it(`parse_${name}CutOrFollowed_reverts`, async () => {
      const cut = Array.from({ length: isLong ? text.length : 150 }, (_, i) =>
        utf8(text).subarray(0, isLong ? i : random(seed + i).below(text.length)),
      );
      const followed = ["}", " ", "\n", "\0", ",", '{"id":"TDX"}', text].map((tail) => utf8(text + tail));
      expect(await compare(kind, [...cut, ...followed])).to.deep.equal({
        accepted: 0,
        refused: cut.length + followed.length,
      });
    });
  }

  it(`parse_randomlyChangedDocuments_acceptsWhatIsReadOffChain (SEED=${seed})`, async () => {
    const next = random(seed);
    const kinds = { tcbInfo: [] as Buffer[], qeIdentity: [] as Buffer[] };
    for (let round = 0; round < ROUNDS; round++) {
      const kind = next.pick(["tcbInfo", "qeIdentity"] as const);
      const text =
        kind === "tcbInfo"
          ? randomTcbInfo(next, next.pick(["TDX", "SGX"]))
          : randomQeIdentity(next, next.pick(["TD_QE", "QE"]));
      const document = utf8(mutatedJson(text, next));
      if (document.length < 50_000) kinds[kind].push(document);
    }
    const counts = [await compare("tcbInfo", kinds.tcbInfo), await compare("qeIdentity", kinds.qeIdentity)];
    console.log(`      ${JSON.stringify(counts)}`);
    for (const { accepted, refused } of counts) {
      expect(accepted).to.be.greaterThan(0);
      expect(refused).to.be.greaterThan(0);
    }
  });

  const swap = (from: string | RegExp, to: string) => (text: string) => text.replace(from, to);
  const svn = (value: string) => swap('{"svn":3}', `{"svn":${value}}`);
  const pceSvn = (value: string) => swap('"pcesvn":13', `"pcesvn":${value}`);
  const date = (value: string) => swap(/"tcbDate":"[^"]*"/, `"tcbDate":"${value}"`);
  const advisories = (value: string) =>
    swap('"tcbStatus":"UpToDate"', `"tcbStatus":"UpToDate","advisoryIDs":${value}`);
  const manyIds = (count: number): string =>
    JSON.stringify(Array.from({ length: count }, (_, i) => `INTEL-SA-${String(i).padStart(5, "0")}`));

  /** Changes of TCB info: what the contract says, and whether the verifier off chain agrees. */
  const CASES: Readonly<
    Record<string, readonly [change: (text: string) => string, onChain: boolean, offChain: boolean]>
  > = {
    nothing: [(text) => text, true, true],
    whitespace: [swap('"version":3', '"version": 3'), false, true],
    newlineInFront: [(text) => `\n${text}`, false, true],
    duplicateKey: [swap('"version":3', '"version":3,"version":3'), false, false],
    duplicateKeyOfALevel: [
      swap('"tcbStatus":"UpToDate"', '"tcbStatus":"Revoked","tcbStatus":"UpToDate"'),
      false,
      false,
    ],
    unknownKey: [swap('"version":3', '"version":3,"note":0'), false, false],
    unknownKeyOfALevel: [swap('"tcbStatus":"UpToDate"', '"tcbStatus":"UpToDate","note":0'), false, false],
    missingKey: [swap('"tcbType":0,', ""), false, false],
    keysReordered: [swap('"id":"TDX","version":3', '"version":3,"id":"TDX"'), false, true],
    statusBeforeDate: [swap(/("tcbDate":"[^"]*"),("tcbStatus":"\w*")/, "$2,$1"), false, true],
    advisoriesBeforeStatus: [
      swap('"tcbStatus":"UpToDate"', '"advisoryIDs":[],"tcbStatus":"UpToDate"'),
      false,
      true,
    ],
    typeWithoutCategory: [swap('{"svn":3}', '{"svn":3,"type":"TXT SINIT"}'), false, true],
    typeBeforeCategory: [swap('{"svn":3}', '{"svn":3,"type":"a","category":"b"}'), false, true],
    category: [swap('{"svn":3}', '{"svn":3,"category":"OS/VMM"}'), true, true],
    categoryAndType: [
      swap('{"svn":3}', '{"svn":3,"category":"","type":"SGX Late Microcode Update"}'),
      true,
      true,
    ],
    longCategory: [swap('{"svn":3}', `{"svn":3,"category":"${"x".repeat(500)}"}`), true, true],
    escapeInKey: [swap('"version"', '"\\u0076ersion"'), false, true],
    escapeInText: [swap('{"svn":3}', '{"svn":3,"category":"a\\u0041"}'), false, true],
    escapedQuoteInText: [swap('{"svn":3}', '{"svn":3,"category":"a\\"b"}'), false, true],
    controlCharacterInText: [swap('{"svn":3}', '{"svn":3,"category":"a\tb"}'), false, false],
    deleteInText: [swap('{"svn":3}', '{"svn":3,"category":"a\x7fb"}'), false, true],
    nonAsciiInText: [swap('{"svn":3}', '{"svn":3,"category":"é"}'), false, true],
    svnAtMost: [svn("255"), true, true],
    svnTooLarge: [svn("256"), false, false],
    svnFarTooLarge: [svn(`1${"0".repeat(80)}`), false, false],
    svnOfManyZeros: [svn("0".repeat(40)), false, false],
    svnLeadingZero: [svn("03"), false, false],
    svnMinus: [svn("-3"), false, false],
    svnMinusZero: [svn("-0"), false, true],
    svnPlus: [svn("+3"), false, false],
    svnExponent: [svn("3e0"), false, true],
    svnFraction: [svn("3.0"), false, true],
    svnHalf: [svn("3.5"), false, false],
    svnHex: [svn("0x3"), false, false],
    svnText: [svn('"3"'), false, false],
    svnNull: [svn("null"), false, false],
    svnEmpty: [svn(""), false, false],
    fifteenComponents: [swap('{"svn":3},', ""), false, false],
    seventeenComponents: [swap('{"svn":3},', '{"svn":3},{"svn":3},'), false, false],
    pceSvnAtMost: [pceSvn("65535"), true, true],
    pceSvnTooLarge: [pceSvn("65536"), false, false],
    evaluationNumberAtMost: [swap('DataNumber":18', 'DataNumber":4294967295'), true, true],
    evaluationNumberTooLarge: [swap('DataNumber":18', 'DataNumber":4294967296'), false, false],
    version2: [swap('"version":3', '"version":2'), false, false],
    tcbType1: [swap('"tcbType":0', '"tcbType":1'), false, false],
    idOfSgx: [swap('"id":"TDX"', '"id":"SGX"'), false, false],
    fmspcLower: [swap(/"fmspc":"\w+"/, '"fmspc":"00a0671100fF"'), true, true],
    fmspcNotHex: [swap(/"fmspc":"\w+"/, '"fmspc":"00A06711000G"'), false, false],
    fmspcShort: [swap(/"fmspc":"\w+"/, '"fmspc":"00A0671100"'), false, false],
    fmspcLong: [swap(/"fmspc":"\w+"/, '"fmspc":"00A06711000000"'), false, false],
    moduleOfLowerCase: [swap('"TDX_01"', '"TDX_0a"'), false, false],
    moduleOfUpperCase: [swap('"TDX_01"', '"TDX_0A"'), true, true],
    noModuleIdentities: [swap(/"tdxModuleIdentities":.*?\]\}\],/, ""), true, true],
    emptyModuleIdentities: [swap(/("tdxModuleIdentities":).*?\]\}\],/, "$1[],"), true, true],
    noLevels: [swap(/,"tcbLevels":\[\{"tcb":\{"sgx.*/, ',"tcbLevels":[]}'), false, false],
    leapDay: [date("2024-02-29T23:59:59Z"), true, true],
    noLeapDay: [date("2025-02-29T00:00:00Z"), false, false],
    leapDayOfACentury: [date("2100-02-29T00:00:00Z"), false, false],
    leapDayOf2000: [date("2000-02-29T00:00:00Z"), true, true],
    february30: [date("2025-02-30T00:00:00Z"), false, false],
    april31: [date("2025-04-31T00:00:00Z"), false, false],
    december31: [date("2025-12-31T00:00:00Z"), true, true],
    january32: [date("2025-01-32T00:00:00Z"), false, false],
    month0: [date("2025-00-01T00:00:00Z"), false, false],
    month13: [date("2025-13-01T00:00:00Z"), false, false],
    day0: [date("2025-01-00T00:00:00Z"), false, false],
    hour24: [date("2025-01-01T24:00:00Z"), false, false],
    minute60: [date("2025-01-01T00:60:00Z"), false, false],
    second60: [date("2016-12-31T23:59:60Z"), false, false],
    year1969: [date("1969-12-31T23:59:59Z"), false, false],
    year9999: [date("9999-12-31T23:59:59Z"), true, true],
    zone: [date("2025-01-01T00:00:00+00:00"), false, false],
    milliseconds: [date("2025-01-01T00:00:00.000Z"), false, false],
    lowerT: [date("2025-01-01t00:00:00z"), false, false],
    unknownStatus: [swap('"UpToDate"', '"UpToDat"'), false, false],
    statusOfAnotherCase: [swap('"UpToDate"', '"uptodate"'), false, false],
    everyLongStatus: [swap('"UpToDate"', '"ConfigurationAndSWHardeningNeeded"'), true, true],
    noAdvisories: [advisories("[]"), true, true],
    advisoryTwice: [advisories('["INTEL-SA-00001","INTEL-SA-00001"]'), true, true],
    advisoryEmpty: [advisories('[""]'), false, false],
    advisoryWithComma: [advisories('["INTEL-SA-00001,INTEL-SA-00002"]'), false, false],
    advisoryOfLowerCase: [advisories('["intel-sa-00001"]'), false, false],
    advisoryAtMost: [advisories(`["${"A".repeat(31)}"]`), true, true],
    advisoryTooLong: [advisories(`["${"A".repeat(32)}"]`), false, false],
    advisoryWithNul: [advisories('["A\0B"]'), false, false],
    advisoriesFollowedByComma: [advisories('["A",]'), false, false],
    advisoriesWithoutComma: [advisories('["A""B"]'), false, false],
    advisories250: [advisories(manyIds(250)), true, true],
    // Ids are numbered by one byte on chain; the document has three of its own.
    advisories256: [advisories(manyIds(256)), false, true],
    advisories257: [advisories(manyIds(257)), false, false],
    missingComma: [swap('3,"issueDate"', '3"issueDate"'), false, false],
    missingBrace: [(text) => text.slice(0, -1), false, false],
  };

  it("parse_eachChangeByName_isJudgedAsListed", async () => {
    const entries = Object.entries(CASES);
    const documents = entries.map(([, [change]]) => utf8(change(tdx.tcbInfo)));
    entries.slice(1).forEach(([name], i) => {
      expect(documents[i + 1]?.toString("utf8"), name).not.to.equal(tdx.tcbInfo);
    });
    const answers = await ask("tcbInfo", documents);
    const actual = Object.fromEntries(
      entries.map(([name], i) => {
        const isReadOffChain = readTcbInfo((documents[i] as Buffer).toString("utf8")) !== undefined;
        return [name, [answers[i]?.good, isReadOffChain]];
      }),
    );
    expect(actual).to.deep.equal(
      Object.fromEntries(entries.map(([name, [, onChain, offChain]]) => [name, [onChain, offChain]])),
    );
  });

  it("parse_eachStatus_isTheNumberThatWordsHave", async () => {
    const names = [
      "UpToDate",
      "SWHardeningNeeded",
      "ConfigurationNeeded",
      "ConfigurationAndSWHardeningNeeded",
    ];
    names.push("OutOfDate", "OutOfDateConfigurationNeeded", "Revoked");
    const documents = names.map((name) => utf8(sgx.qeIdentity.replace("UpToDate", name)));
    const answers = await ask("qeIdentity", documents);
    expect(answers.map(({ data }) => Number(dataSlice(data, 98, 99)))).to.deep.equal([1, 2, 3, 4, 5, 6, 7]);
  });

  it("parse_badToken_namesItsOffset", async () => {
    const text = tdx.tcbInfo.replace('"pceId":"0000"', '"pceId":"000g"');
    const [answer] = await ask("tcbInfo", [utf8(text)]);
    const [offset] = AbiCoder.defaultAbiCoder().decode(["uint256"], dataSlice(answer?.data ?? "0x", 4));
    expect(offset).to.equal(BigInt(text.indexOf("000g")));
  });
});
