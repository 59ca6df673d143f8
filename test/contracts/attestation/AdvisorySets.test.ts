import { expect } from "chai";
import { id, ZeroHash } from "ethers";

import { useCharter } from "../support/chains.ts";

describe("AdvisorySets", () => {
  const load = useCharter((charter) => Promise.resolve({ sets: charter.advisorySets }));

  it("publish_sortedIds_givesTheDigestThatVerdictsCarry", async () => {
    const { charter, sets } = await load();
    const ids = ["INTEL-SA-00614", "INTEL-SA-00615", "INTEL-SA-00657"];
    const digest = id(ids.join(","));
    await expect(sets.publish(ids))
      .to.emit(sets, "AdvisorySetPublished")
      .withArgs(digest, ids, charter.governance);
    expect(await sets.idsOf(digest)).to.deep.equal(ids.map((one) => id(one)));
    await expect(sets.connect(charter.stranger).publish(ids)).to.not.emit(sets, "AdvisorySetPublished");
  });

  it("idsOf_whatNobodyPublished_isEmpty", async () => {
    const { sets } = await load();
    expect(await sets.idsOf(ZeroHash)).to.deep.equal([]);
    expect(await sets.idsOf(id("INTEL-SA-00614"))).to.deep.equal([]);
  });

  it("publish_unsortedOrRepeated_reverts", async () => {
    const { sets } = await load();
    for (const [a, b] of [
      ["B", "A"],
      ["A", "A"],
      ["AA", "A"],
    ] as const) {
      await expect(sets.publish([a, b]))
        .to.be.revertedWithCustomError(sets, "AdvisoriesNotAscending")
        .withArgs(a, b);
    }
    await sets.publish(["A", "AA", "B"]);
  });

  it("publish_idThatCouldPassForTwo_reverts", async () => {
    const { sets } = await load();
    for (const bad of ["", "A,B", "intel-sa-1", "A B", "A".repeat(65), "Ä"]) {
      await expect(sets.publish([bad]))
        .to.be.revertedWithCustomError(sets, "BadAdvisoryId")
        .withArgs(bad);
    }
  });

  it("publish_noneOrTooMany_reverts", async () => {
    const { sets } = await load();
    const many = Array.from({ length: 65 }, (_, index) => `A${String(index).padStart(2, "0")}`);
    await expect(sets.publish([])).to.be.revertedWithCustomError(sets, "BadAdvisoryCount").withArgs(64, 0);
    await expect(sets.publish(many)).to.be.revertedWithCustomError(sets, "BadAdvisoryCount").withArgs(64, 65);
    await sets.publish(many.slice(0, 64));
  });
});
