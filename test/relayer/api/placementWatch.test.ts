import { expect } from "chai";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import type { Placements } from "../../../protocol/session/messages.ts";
import { placementsDigest } from "../../../protocol/session/placementsDigest.ts";
import { parseAddress, parseBytes32, parseComposeHash } from "../../../protocol/words/hex.ts";
import { PlacementWatch } from "../../../relayer/api/PlacementWatch.ts";
import { refusal } from "../../support/refusal.ts";

const key = parseAddress(`0x${"0a".repeat(20)}`);
const block = { number: 1, hash: parseBytes32(`0x${"01".repeat(32)}`), timestamp: 1 };
const placed = (release: number): Placements => ({
  block,
  placements: [
    {
      app: parseAddress(`0x${"0b".repeat(20)}`),
      release,
      composeHash: parseComposeHash(`0x${"0c".repeat(32)}`),
      slot: 0,
    },
  ],
});
const known = placementsDigest(placed(1).placements);

describe("waiting for placements", () => {
  let now: Placements | CharterError;
  const watch = (options: { holdSeconds?: number; maxWaiting?: number } = {}) =>
    new PlacementWatch({
      holdSeconds: 600,
      ...options,
      placementsOf: () => {
        if (now instanceof CharterError) throw now;
        return now;
      },
    });
  const never = new AbortController().signal;
  beforeEach(() => (now = placed(1)));

  it("is over at once for a node that knows others", async () => {
    now = placed(2);
    expect(await watch().next(key, known, never)).to.equal(now);
  });

  it("is over when they change, and not when anything else does", async () => {
    const one = watch();
    let answered = false;
    const waiting = one.next(key, known, never).then((placements) => {
      answered = true;
      return placements;
    });
    now = { ...placed(1), block: { ...block, number: 2 } };
    one.changed();
    await new Promise((done) => setImmediate(done));
    expect(answered).to.equal(false);
    now = placed(2);
    one.changed();
    expect(await waiting).to.equal(now);
  });

  it("is looked at once for all who wait for one node", async () => {
    let read = 0;
    const one = new PlacementWatch({
      holdSeconds: 600,
      placementsOf: () => {
        read++;
        return now as Placements;
      },
    });
    const waiting = Array.from({ length: 50 }, () => one.next(key, known, never));
    read = 0;
    now = placed(2);
    one.changed();
    expect(await Promise.all(waiting)).to.deep.equal(Array(50).fill(now));
    expect(read).to.equal(1);
  });

  it("is over for whoever has gone, and for all when the relayer stops", async () => {
    const one = watch();
    const gone = new AbortController();
    const first = one.next(key, known, gone.signal);
    const second = one.next(key, known, never);
    gone.abort();
    expect(await first).to.equal(now);
    one.release();
    expect(await second).to.equal(now);
  });

  it("fails as the question does now", async () => {
    const one = watch();
    const waiting = one.next(key, known, never);
    now = new CharterError("node/unknown", "gone");
    one.changed();
    expect(await refusal(waiting)).to.equal("node/unknown");
  });

  it("is for so many nodes at once", async () => {
    const one = watch({ maxWaiting: 0 });
    expect(await one.next(key, known, never)).to.equal(now);
  });

  it("is for so long", async () => {
    expect(await watch({ holdSeconds: 0 }).next(key, known, never)).to.equal(now);
  });
});
