import { expect } from "chai";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { CollateralSource } from "../../../relayer/evidence/CollateralSource.ts";
import { familyKey, type PlatformFamily } from "../../../relayer/evidence/platformFamily.ts";
import { refusal } from "../../support/refusal.ts";

const FMSPC = "90c06f000000";

interface Held {
  readonly id: number;
  readonly validUntil: number;
}

/** A source over a counter, a clock that is set by hand, and a switch that makes the service fail. */
function fixture(
  validSeconds = 86_400,
  options: { readonly isRenewed?: boolean; readonly maxLoading?: number } = {},
) {
  const world = {
    now: 1_000_000,
    loads: 0,
    failing: false,
    failures: 0,
    retryAfterSeconds: undefined as number | undefined,
    kept: null as Held | null,
  };
  const source = new CollateralSource<PlatformFamily, Held>({
    key: familyKey,
    random: () => 1,
    now: () => world.now,
    validUntil: ({ validUntil }) => validUntil,
    onRefreshFailed: () => world.failures++,
    kept: () => Promise.resolve(world.kept),
    load: async () => {
      world.loads++;
      const { retryAfterSeconds } = world;
      if (world.failing) throw new CharterError("collateral/unreachable", "test", { retryAfterSeconds });
      return { id: world.loads, validUntil: world.now + validSeconds };
    },
    ...options,
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

  const family = { tee: "tdx", fmspc: FMSPC, ca: "platform" } as const;

  it("asks no sooner than the vendor allows", async () => {
    const { world, source } = fixture();
    await source.get(family);
    world.now += 7 * 3_600;
    Object.assign(world, { failing: true, retryAfterSeconds: 600 });
    await source.get(family);
    world.now += 599;
    await source.get(family);
    expect(world.loads).to.equal(2);
    world.now += 1;
    await source.get(family);
    expect(world.loads).to.equal(3);
  });

  it("goes on with what was kept when it starts while the service fails, and backs off", async () => {
    const { world, source } = fixture();
    world.failing = true;
    world.kept = { id: -1, validUntil: world.now + 7_200 };
    const answers = await Promise.all([source.get(family), source.get(family), source.get(family)]);
    expect(answers.map(({ id }) => id)).to.deep.equal([-1, -1, -1]);
    expect(world).to.include({ loads: 1, failures: 1 });
    world.now += 29;
    await source.get(family);
    expect(world.loads).to.equal(1);
    world.now += 1;
    world.failing = false;
    expect((await source.get(family)).id).to.equal(2);
  });

  it("does not go on with what was kept and has ended", async () => {
    const { world, source } = fixture();
    world.failing = true;
    world.kept = { id: -1, validUntil: world.now };
    expect(await refusal(source.get(family))).to.equal("collateral/unreachable");
    expect(source.held().size).to.equal(0);
  });

  it("looks for what never changes only once it has ended", async () => {
    const { world, source } = fixture(86_400, { isRenewed: false });
    await source.get(family);
    world.now += 86_399;
    await source.get(family);
    expect(world.loads).to.equal(1);
    world.now += 1;
    expect((await source.get(family)).id).to.equal(2);
  });

  it("fetches no more at once than it may, and serves what it holds meanwhile", async () => {
    const { world, source } = fixture(86_400, { maxLoading: 1 });
    const other = { ...family, ca: "processor" } as const;
    await source.get(family);
    world.now += 7 * 3_600;
    const running = source.get(other);
    expect((await source.get(family)).id).to.equal(1);
    expect(await refusal(source.get({ ...family, fmspc: "00906ed50000" }))).to.equal("collateral/busy");
    await running;
    expect(await refusal(source.get({ ...family, fmspc: "00906ed50000" }))).to.equal("nothing");
  });
});
