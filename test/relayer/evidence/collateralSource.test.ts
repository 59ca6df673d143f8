import { expect } from "chai";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { CollateralSource } from "../../../relayer/evidence/CollateralSource.ts";
import { familyKey, type PlatformFamily } from "../../../relayer/evidence/platformFamily.ts";
import { refusal } from "../../support/refusal.ts";

const FMSPC = "90c06f000000";

/** A source over a counter, a clock that is set by hand, and a switch that makes the service fail. */
function fixture(validSeconds = 86_400) {
  const world = { now: 1_000_000, loads: 0, failing: false, failures: 0 };
  const source = new CollateralSource<PlatformFamily, { id: number; validUntil: number }>({
    key: familyKey,
    random: () => 1,
    now: () => world.now,
    validUntil: ({ validUntil }) => validUntil,
    onRefreshFailed: () => world.failures++,
    load: async () => {
      world.loads++;
      if (world.failing) throw new CharterError("collateral/unreachable", "test");
      return { id: world.loads, validUntil: world.now + validSeconds };
    },
  });
  return { world, source };
}

describe("CollateralSource", () => {
  it("fetches once while what it holds is fresh, and once for requests that come together", async () => {
    const { world, source } = fixture();
    await Promise.all([
      source.get({ tee: "tdx", fmspc: FMSPC, ca: "platform" }),
      source.get({ tee: "tdx", fmspc: FMSPC.toUpperCase(), ca: "platform" }),
    ]);
    world.now += 3_600;
    await source.get({ tee: "tdx", fmspc: FMSPC, ca: "platform" });
    expect(world.loads).to.equal(1);
  });

  it("keeps platform families and issuing CAs apart", async () => {
    const { world, source } = fixture();
    await source.get({ tee: "tdx", fmspc: FMSPC, ca: "platform" });
    await source.get({ tee: "tdx", fmspc: FMSPC, ca: "processor" });
    await source.get({ tee: "tdx", fmspc: "00906ed50000", ca: "platform" });
    expect(world.loads).to.equal(3);
  });

  it("looks for newer collateral after six hours, and before the end of what it holds", async () => {
    const { world, source } = fixture();
    await source.get({ tee: "tdx", fmspc: FMSPC, ca: "platform" });
    world.now += 6 * 3_600;
    expect((await source.get({ tee: "tdx", fmspc: FMSPC, ca: "platform" })).id).to.equal(2);

    const short = fixture(3_600);
    await short.source.get({ tee: "tdx", fmspc: FMSPC, ca: "platform" });
    short.world.now += 3_600 - 600;
    expect((await short.source.get({ tee: "tdx", fmspc: FMSPC, ca: "platform" })).id).to.equal(2);
  });

  it("goes on with valid collateral when a refresh fails, without asking at every request", async () => {
    const { world, source } = fixture();
    await source.get({ tee: "tdx", fmspc: FMSPC, ca: "platform" });
    world.now += 7 * 3_600;
    world.failing = true;
    expect((await source.get({ tee: "tdx", fmspc: FMSPC, ca: "platform" })).id).to.equal(1);
    expect((await source.get({ tee: "tdx", fmspc: FMSPC, ca: "platform" })).id).to.equal(1);
    expect(world.loads).to.equal(2);
    world.now += 31;
    world.failing = false;
    expect((await source.get({ tee: "tdx", fmspc: FMSPC, ca: "platform" })).id).to.equal(3);
  });

  it("fails closed once what it holds has ended", async () => {
    const { world, source } = fixture(3_600);
    await source.get({ tee: "tdx", fmspc: FMSPC, ca: "platform" });
    world.failing = true;
    world.now += 3_600;
    expect(await refusal(source.get({ tee: "tdx", fmspc: FMSPC, ca: "platform" }))).to.equal(
      "collateral/unreachable",
    );
    expect(world.failures).to.equal(1);
  });
});
