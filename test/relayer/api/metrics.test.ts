import { expect } from "chai";

import { createMetrics } from "../../../relayer/api/metrics.ts";

describe("metrics while the store is away", () => {
  it("tell all the rest", async () => {
    const away = () => Promise.reject(new Error("the database does not answer"));
    const { registry } = createMetrics({
      status: () => ({ ready: false, newest: null, final: null, reorgs: 3, deepReorgs: 0, lastError: null }),
      headAgeSeconds: () => 0,
      intents: away,
      proofs: away,
      balanceWei: away,
    });
    expect(await registry.metrics()).to.contain("charter_reorgs_total 3");
  });
});

describe("metrics of collateral", () => {
  it("carry the kind of TEE, and forget a family that is not held any more", async () => {
    let left = new Map([
      ["tdx:f0ca57000000:platform", 60],
      ["snp:vcek:Milan", -5],
    ]);
    const metrics = createMetrics({
      status: () => ({ ready: false, newest: null, final: null, reorgs: 0, deepReorgs: 0, lastError: null }),
      headAgeSeconds: () => 0,
      intents: () =>
        Promise.resolve({ planned: 0, signed: 0, sent: 0, included: 0, final: 0, failed: 0, replaced: 0 }),
      collateralSecondsLeft: () => left,
      failingSoon: () => ({
        refused: [7],
        "next-set": [],
        ending: Array.from({ length: 150 }, (_, i) => i + 1),
      }),
    });
    metrics.collateralFailed("collateral/rate-limited", "snp");
    const text = await metrics.registry.metrics();
    expect(text).to.contain('charter_collateral_seconds_left{kind="snp",family="snp:vcek:Milan"} -5');
    expect(text).to.contain(
      'charter_collateral_seconds_left{kind="tdx",family="tdx:f0ca57000000:platform"} 60',
    );
    expect(text).to.contain('charter_collateral_failures_total{kind="snp",code="collateral/rate-limited"} 1');
    expect(text).to.contain('charter_nodes_failing_soon{reason="ending"} 150');
    expect(text).to.contain('charter_node_failing_soon{node="7",reason="refused"} 1');
    expect(text.match(/^charter_node_failing_soon\{node="\d+",reason="ending"\} 1$/gm)).to.have.length(100);
    left = new Map();
    expect(await metrics.registry.metrics()).not.to.contain("charter_collateral_seconds_left{");
  });
});
