import { expect } from "chai";

import { keptFigures, type Figure } from "../../bench/support/report.ts";

const figure = (name: string): Figure => ({ name, value: 1, unit: "" });

describe("what a benchmark of several programs keeps of the others' figures", () => {
  it("is all but its own, and each says at which commit it was measured", () => {
    const first = keptFigures(
      { commit: "aa", figures: [figure("verdicts"), figure("sessions.rss"), figure("growth.1")] },
      ["sessions.", "growth."],
    );
    expect(first).to.deep.equal([{ ...figure("verdicts"), commit: "aa" }]);
    const later = keptFigures({ commit: "bb", figures: [...first, figure("sessions.rss")] }, "growth.");
    expect(later).to.deep.equal([
      { ...figure("verdicts"), commit: "aa" },
      { ...figure("sessions.rss"), commit: "bb" },
    ]);
  });
});
