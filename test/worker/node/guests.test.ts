import { expect } from "chai";

import type { Placements } from "../../../protocol/session/messages.ts";
import type { Address, ComposeHash } from "../../../protocol/words/hex.ts";
import type { Driver, GuestExit, GuestSpec } from "../../../worker/node/drivers/Driver.ts";
import { guestId, Guests, type GuestChange } from "../../../worker/node/Guests.ts";
import { ManualClock } from "../support/ManualClock.ts";

/** Remembers what runs; guests end when the test says so. */
class RecordedDriver implements Driver {
  readonly name = "recorded";
  readonly running = new Map<string, (exit: GuestExit) => void>();
  readonly started: GuestSpec[] = [];
  readonly stopped: string[] = [];
  warmed = 0;

  warm(): void {
    this.warmed++;
  }
  start(spec: GuestSpec, onExit: (exit: GuestExit) => void): void {
    this.started.push(spec);
    this.running.set(spec.id, onExit);
  }
  async stop(id: string): Promise<void> {
    this.stopped.push(id);
    this.end(id, 0);
  }
  list(): readonly string[] {
    return [...this.running.keys()];
  }
  end(id: string, code: number): void {
    const onExit = this.running.get(id);
    this.running.delete(id);
    onExit?.({ id, code, signal: null });
  }
}

const app = `0x${"ab".repeat(20)}` as Address;
const placed = (slot: number, release = 1): Placements["placements"][number] => ({
  app,
  slot,
  release,
  composeHash: `0x${String(release).repeat(64)}` as ComposeHash,
});

describe("a node's guests", () => {
  let driver: RecordedDriver;
  let clock: ManualClock;
  let changes: GuestChange[];
  let guests: Guests;
  beforeEach(() => {
    driver = new RecordedDriver();
    clock = new ManualClock();
    changes = [];
    guests = new Guests({ driver, clock, report: (change) => changes.push(change) });
  });
  const ids = (...placements: Placements["placements"]) => placements.map(guestId);

  it("are started once per placement", () => {
    guests.reconcile([placed(0), placed(1)], 3);
    guests.reconcile([placed(0), placed(1)], 3);
    expect(driver.list()).to.deep.equal(ids(placed(0), placed(1)));
    expect(driver.started).to.have.length(2);
    expect(driver.started[0]).to.include({ node: 3, release: 1, slot: 0, app });
  });

  it("have the next one loaded once they are ready, and not while they begin", () => {
    guests.reconcile([placed(0)], 3);
    const [id] = ids(placed(0)) as [string];
    guests.heard(id, "leased");
    expect(driver.warmed).to.equal(0);
    guests.heard(id, "running");
    guests.heard(id, "running");
    expect(driver.warmed).to.equal(1);
  });

  it("are told of their own release alone, whatever else the placement says", () => {
    const predecessor = { release: 1, composeHash: placed(0).composeHash, until: 1 };
    guests.reconcile([{ ...placed(0, 2), predecessor }], 3);
    expect(driver.started).to.deep.equal([{ id: guestId(placed(0, 2)), node: 3, ...placed(0, 2) }]);
  });

  it("are stopped when they are placed here no longer", async () => {
    guests.reconcile([placed(0), placed(1)], 3);
    guests.reconcile([placed(1)], 3);
    await guests.stopAll();
    expect(driver.stopped).to.have.ordered.members(ids(placed(0), placed(1)));
  });

  it("keep running while the release that takes their place is made ready", () => {
    const [old = "", young = ""] = ids(placed(0, 1), placed(0, 2));
    guests.reconcile([placed(0, 1)], 3);
    guests.reconcile([placed(0, 2)], 3);
    guests.heard(young, "leased");
    guests.reconcile([placed(0, 2)], 3);
    expect(driver.list()).to.deep.equal([old, young]);
    expect(changes.filter(({ change }) => change === "leaving")).to.deep.equal([
      { guest: old, change: "leaving", successor: young },
    ]);
    guests.heard(young, "running");
    expect(driver.stopped).to.deep.equal([old]);
  });

  for (const [what, state] of [
    ["their ports are", "awaiting-ports"],
    ["their volume is", "awaiting-volume"],
  ] as const) {
    it(`go when ${what} all that their successor waits for`, () => {
      const [old = "", young = ""] = ids(placed(0, 1), placed(0, 2));
      guests.reconcile([placed(0, 1)], 3);
      guests.reconcile([placed(0, 2)], 3);
      guests.heard(young, "awaiting-secrets");
      expect(driver.stopped).to.deep.equal([]);
      guests.heard(young, state);
      expect(driver.stopped).to.deep.equal([old]);
    });
  }

  it("are not started again when their grace ends before their successor is ready", () => {
    const [old = "", young = ""] = ids(placed(0, 1), placed(0, 2));
    guests.reconcile([placed(0, 1)], 3);
    guests.reconcile([placed(0, 2)], 3);
    driver.end(old, 3);
    clock.advance(120_000);
    guests.reconcile([placed(0, 2)], 3);
    expect(driver.list()).to.deep.equal([young]);
    expect(driver.started).to.have.length(2);
  });

  it("stay, and their successor goes, when it is revoked before it was ready", async () => {
    const [old = "", young = ""] = ids(placed(0, 1), placed(0, 2));
    guests.reconcile([placed(0, 1)], 3);
    guests.heard(old, "running");
    guests.reconcile([placed(0, 2)], 3);
    guests.reconcile([placed(0, 1)], 3);
    expect(driver.list()).to.deep.equal([old]);
    expect(driver.stopped).to.deep.equal([young]);
    expect(driver.started).to.have.length(2);
    await guests.stopAll();
    expect(driver.list()).to.deep.equal([]);
  });

  it("leave with the slot, whatever was to take their place", async () => {
    guests.reconcile([placed(0, 1)], 3);
    guests.reconcile([placed(0, 2)], 3);
    guests.reconcile([], 3);
    await guests.stopAll();
    expect(driver.list()).to.deep.equal([]);
  });

  it("that wait for pauses give way at once", () => {
    const [old = "", young = ""] = ids(placed(0, 1), placed(0, 2));
    guests.reconcile([placed(0, 1)], 3);
    driver.end(old, 1);
    guests.reconcile([placed(0, 2)], 3);
    clock.advance(120_000);
    guests.tick();
    expect(driver.list()).to.deep.equal([young]);
  });

  it("are started again after pauses that double", () => {
    const [id = ""] = ids(placed(0));
    guests.reconcile([placed(0)], 3);
    for (const pause of [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) {
      const before = driver.started.length;
      driver.end(id, 1);
      clock.advance(pause - 1);
      guests.reconcile([placed(0)], 3);
      expect(driver.started).to.have.length(before);
      clock.advance(1);
      guests.tick();
      expect(driver.started).to.have.length(before + 1);
    }
    clock.advance(60_000); // It ran steadily: the next end counts as the first.
    driver.end(id, 1);
    expect(changes.at(-1)).to.deep.equal({ guest: id, change: "ended", code: 1, restartSeconds: 1 });
  });

  it("are not started again when they ended because they were stopped", () => {
    guests.reconcile([placed(0)], 3);
    guests.reconcile([], 3);
    clock.advance(120_000);
    guests.tick();
    expect(driver.started).to.have.length(1);
    expect(driver.list()).to.deep.equal([]);
  });

  describe("on a machine that takes on two slots", () => {
    beforeEach(() => {
      guests = new Guests({ driver, clock, report: (change) => changes.push(change), maxGuests: 2 });
    });
    const declined = () => changes.flatMap(({ guest, change }) => (change === "declined" ? [guest] : []));

    it("are declined beyond it, once, and started when there is room", () => {
      expect(guests.apps()).to.equal(null);
      const all = [placed(0), placed(1), placed(2)];
      guests.reconcile(all, 3);
      guests.reconcile(all, 3);
      expect(driver.list()).to.deep.equal(ids(placed(0), placed(1)));
      expect(declined()).to.deep.equal(ids(placed(2)));
      expect(guests.apps()).to.deep.equal([app, app]);
      guests.reconcile([placed(1), placed(2)], 3);
      expect(driver.list()).to.have.members(ids(placed(1), placed(2)));
      expect(guests.apps()).to.deep.equal([app, app]);
    });

    it("are upgraded in place, though both releases run for a while", () => {
      guests.reconcile([placed(0), placed(1)], 3);
      guests.reconcile([placed(0, 2), placed(1)], 3);
      expect(driver.list()).to.have.members(ids(placed(0), placed(1), placed(0, 2)));
      expect(declined()).to.deep.equal([]);
      expect(guests.apps()).to.deep.equal([app, app]);
    });

    it("run on, those of an earlier agent first, and a newcomer is declined", () => {
      for (const one of [placed(1), placed(2)]) driver.running.set(guestId(one), () => undefined);
      guests.reconcile([placed(0), placed(1), placed(2)], 3);
      expect(driver.stopped).to.deep.equal([]);
      expect(declined()).to.deep.equal(ids(placed(0)));
    });

    it("are still taken on while they wait to be started again", () => {
      guests.reconcile([placed(0), placed(1)], 3);
      driver.end(ids(placed(0))[0] ?? "", 1);
      guests.reconcile([placed(0), placed(1), placed(2)], 3);
      expect(declined()).to.deep.equal(ids(placed(2)));
    });
  });
});
