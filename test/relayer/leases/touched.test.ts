import { expect } from "chai";

import type { ChainEvent } from "../../../protocol/state/types.ts";
import { parseAddress } from "../../../protocol/words/hex.ts";
import { touchedBy } from "../../../relayer/leases/touched.ts";

const app = parseAddress(`0x${"0a".repeat(20)}`);
const other = parseAddress(`0x${"0b".repeat(20)}`);
const event = (contract: ChainEvent["contract"], args: Record<string, unknown> = {}): ChainEvent =>
  ({ contract, address: app, name: "Any", args, blockNumber: 1n }) as unknown as ChainEvent;
const touched = (events: ChainEvent[], rewound = false) => {
  const touches = touchedBy({ events, rewound });
  return [
    touches?.({ app, node: 1 }) ?? false,
    touches?.({ app: other, node: 1 }) ?? false,
    touches?.({ app: other, node: 2 }) ?? false,
  ];
};

describe("leases that events concern", () => {
  it("are those of the app that says something", () => {
    expect(touched([event("app")])).to.deep.equal([true, false, false]);
  });

  it("are those on the node that is named, whatever the number's type", () => {
    expect(touched([event("nodeRegistry", { number: 1 })])).to.deep.equal([true, true, false]);
    expect(touched([event("nodeRegistry", { number: 2n })])).to.deep.equal([false, false, true]);
  });

  it("are all when endorsements or advisory sets change, and when events were taken back", () => {
    expect(touched([event("endorsements")])).to.deep.equal([true, true, true]);
    expect(touched([event("advisorySets")])).to.deep.equal([true, true, true]);
    expect(touched([], true)).to.deep.equal([true, true, true]);
  });

  it("are none when proofs, collateral or committees change", () => {
    const events = (["attestationLedger", "dcapCollateral", "committeeVerifier"] as const).map((of) =>
      event(of),
    );
    expect(touchedBy({ events, rewound: false })).to.equal(null);
  });
});
