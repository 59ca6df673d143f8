import { expect } from "chai";

import type { VerdictMessage } from "../../../protocol/session/messages.ts";
import { SharedWords } from "../../../relayer/leases/SharedWords.ts";

const word = (n: number): string => `0x${n.toString(16).padStart(64, "0")}`;
/** As JSON gives it: every text of its own. */
const verdict = (n: number): VerdictMessage =>
  JSON.parse(
    JSON.stringify({
      consumer: "0x01",
      subject: "0x02",
      key: word(n),
      evidenceBlock: n,
      evidenceBlockHash: word(1_000 + n),
      platformId: word(1),
      composeHash: word(2),
      osImageHash: word(3),
      measurementDigest: word(4),
      pinnedMeasurementDigest: word(5),
      kind: 1,
      status: 1,
      advisoriesDigest: word(6),
      evidenceDigest: word(2_000 + n),
      gpuDigest: word(0),
      validUntil: 2_000,
      simulated: true,
    }),
  ) as VerdictMessage;

describe("words that verdicts share", () => {
  it("of_manyVerdicts_saysTheSameOfEach", () => {
    const words = new SharedWords();
    // More than are kept at once: each has a block of its own.
    for (let n = 0; n < 10_000; n++) expect(words.of(verdict(n))).to.deep.equal(verdict(n));
  });
});
