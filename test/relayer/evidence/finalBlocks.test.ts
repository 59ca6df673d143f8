import { expect } from "chai";
import { createPublicClient, custom, numberToHex } from "viem";

import { finalBlocksOf } from "../../../relayer/evidence/finalBlocks.ts";

/** A node whose final block is `final`, which counts what it is asked. */
function node() {
  const state = { final: 10n, fork: 1, asked: [] as string[], at: 0 };
  const hashOf = (number: bigint): string =>
    `0x${(number * 16n + BigInt(state.fork)).toString(16).padStart(64, "0")}`;
  const client = createPublicClient({
    cacheTime: 0,
    transport: custom(
      {
        request: async ({ params }: { params: [string] }) => {
          const [tag] = params;
          state.asked.push(tag);
          const number =
            tag === "finalized" ? state.final : tag === "latest" ? state.final + 2n : BigInt(tag);
          return {
            number: numberToHex(number),
            hash: hashOf(number),
            parentHash: hashOf(number - 1n),
            timestamp: "0x1",
            transactions: [],
          };
        },
      },
      { retryCount: 0 },
    ),
  });
  return { state, blocks: finalBlocksOf(client, "finalized", () => state.at), hashOf };
}

describe("final blocks that freshness is judged by", () => {
  it("finalNumber_burst_asksTheNodeOnce_andAnewAfterAQuarterOfASecond", async () => {
    const { state, blocks } = node();
    await Promise.all(Array.from({ length: 50 }, () => blocks.finalNumber(9n)));
    expect(await blocks.finalNumber(10n)).to.equal(10n);
    expect(state.asked).to.deep.equal(["latest", "finalized"]);
    state.final = 11n;
    state.at = 249;
    expect(await blocks.finalNumber(10n)).to.equal(10n);
    state.at = 250;
    expect(await blocks.finalNumber(10n)).to.equal(11n);
    expect(state.asked).to.have.length(4);
  });

  it("finalNumber_evidenceOfANewerBlockThanIsKept_asksAnew", async () => {
    const { state, blocks } = node();
    await blocks.finalNumber();
    state.final = 12n;
    expect(await blocks.finalNumber(12n)).to.equal(12n);
    // What is not final yet is not made so by asking.
    expect(await blocks.finalNumber(13n)).to.equal(12n);
  });

  it("hashOf_burst_asksTheNodeOnce_andAnewAfterAQuarterOfASecond", async () => {
    const { state, blocks, hashOf } = node();
    const before = hashOf(7n);
    for (let each = 0; each < 3; each++) expect(await blocks.hashOf(7n)).to.equal(before);
    expect(state.asked).to.deep.equal([numberToHex(7n)]);
    state.fork = 2;
    state.at = 250;
    expect(await blocks.hashOf(7n))
      .to.equal(hashOf(7n))
      .and.not.equal(before);
  });

  it("failure_isTold_andNotKept", async () => {
    const { state, blocks } = node();
    const { final } = state;
    state.final = "no number" as never;
    expect(
      await blocks.finalNumber().then(
        () => "none",
        () => "refused",
      ),
    ).to.equal("refused");
    state.final = final;
    expect(await blocks.finalNumber()).to.equal(10n);
  });
});
