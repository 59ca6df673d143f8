import { expect } from "chai";

import {
  allowedHashAt,
  allowedReleaseOf,
  headAt,
  isAllowedAt,
  pendingAt,
  releaseAllowedAt,
} from "../../../protocol/policy/releases.ts";
import { NEVER, type AppState, type Release } from "../../../protocol/state/types.ts";
import type { ComposeHash } from "../../../protocol/words/hex.ts";
import { account, APP, GUARDIAN, History, word } from "../state/builders.ts";

const CREATED = 1_000;
const ACTIVE = 1_100;
const GRACE_ENDS = ACTIVE + 30;

const hashOf = (number: number) => word(0x1000 + number) as string as ComposeHash;
const appOf = (history: History): AppState => history.state.apps.get(APP) as AppState;
/** Numbers of the releases that are allowed at a time. */
const allowed = (app: AppState, time: number): number[] =>
  app.releases.map(({ number }) => number).filter((number) => releaseAllowedAt(app, number, time));
const successor = (): History => new History().create(CREATED).propose(2, ACTIVE, CREATED + 40);

describe("releases of an app", () => {
  it("allow from the second of activation on, and to the end of grace without its last second", () => {
    const app = appOf(successor());
    const asked = [CREATED - 1, CREATED, ACTIVE - 1, ACTIVE, GRACE_ENDS - 1, GRACE_ENDS, NEVER - 1];
    expect(asked.map((time) => allowed(app, time))).to.deep.equal([[], [1], [1], [1, 2], [1, 2], [2], [2]]);
  });

  it("end a predecessor without grace in the second in which its successor begins", () => {
    const history = new History().create(CREATED);
    const app = appOf(
      history.propose(2, ACTIVE, CREATED + 40, { graceSeconds: 0, predecessorEndsAt: ACTIVE }),
    );
    expect([ACTIVE - 1, ACTIVE].map((time) => allowed(app, time))).to.deep.equal([[1], [2]]);
  });

  it("allow nothing where there are none", () => {
    const app = appOf(new History().create(CREATED, { composeHash: word(0) }));
    expect([0, 1, 2].map((number) => releaseAllowedAt(app, number, CREATED))).to.deep.equal(
      Array(3).fill(false),
    );
    expect(allowedHashAt(app, word(0) as string as ComposeHash, CREATED)).to.equal(false);
    expect([headAt(app, CREATED), pendingAt(app, CREATED)]).to.deep.equal([undefined, undefined]);
  });

  it("allow no number that no release has", () => {
    const app = appOf(successor());
    for (const number of [0, -1, 3, 0.5, Number.NaN, 2 ** 32]) {
      expect(releaseAllowedAt(app, number, ACTIVE), String(number)).to.equal(false);
    }
  });

  it("allow a hash by the release that has it, and no other hash", () => {
    const app = appOf(successor());
    expect(allowedReleaseOf(app, hashOf(2), ACTIVE - 1)).to.equal(undefined);
    expect(allowedReleaseOf(app, hashOf(2), ACTIVE)?.number).to.equal(2);
    expect(allowedHashAt(app, hashOf(1), GRACE_ENDS)).to.equal(false);
    expect(allowedHashAt(app, hashOf(3), ACTIVE)).to.equal(false);
  });

  it("know a hash by its newest release, when an old one is released anew", () => {
    const history = successor().propose(3, ACTIVE + 100, ACTIVE + 50, { composeHash: hashOf(1) });
    const app = appOf(history);
    expect(allowedReleaseOf(app, hashOf(1), ACTIVE + 99)).to.equal(undefined);
    expect(allowedReleaseOf(app, hashOf(1), ACTIVE + 100)?.number).to.equal(3);
  });

  it("never allow what was vetoed, and let its predecessor go on without end", () => {
    const app = appOf(
      successor().app(
        "ReleaseVetoed",
        { number: 2, predecessor: 1, predecessorEndsAt: NEVER, actor: GUARDIAN },
        CREATED + 60,
      ),
    );
    expect([ACTIVE, GRACE_ENDS, NEVER - 1].map((time) => allowed(app, time))).to.deep.equal([[1], [1], [1]]);
    expect(pendingAt(app, CREATED + 61)).to.equal(undefined);
  });

  it("stop allowing in the very second of a revocation", () => {
    const app = appOf(
      successor().app(
        "ReleaseRevoked",
        {
          number: 2,
          oldEndsAt: NEVER,
          endsAt: ACTIVE + 10,
          restored: 1,
          restoredEndsAt: NEVER,
          actor: GUARDIAN,
        },
        ACTIVE + 10,
      ),
    );
    expect(releaseAllowedAt(app, 2, ACTIVE + 10)).to.equal(false);
    expect([ACTIVE + 10, GRACE_ENDS].map((time) => headAt(app, time)?.number)).to.deep.equal([1, 1]);
  });

  it("are pending until activation, and head from that second on", () => {
    const app = appOf(successor());
    expect([ACTIVE - 1, ACTIVE].map((time) => pendingAt(app, time)?.number)).to.deep.equal([2, undefined]);
    expect([CREATED, ACTIVE - 1, ACTIVE].map((time) => headAt(app, time)?.number)).to.deep.equal([1, 1, 2]);
  });
});

describe("a release that needs reports of rebuilders", () => {
  const demanding = (required: number, matching: number, grace = 30): AppState => {
    const terms = { graceSeconds: grace, predecessorEndsAt: ACTIVE + grace };
    const history = new History()
      .create(CREATED)
      .propose(2, ACTIVE, CREATED + 40, terms)
      .app("RebuildsDemanded", { number: 2, required, rebuilders: 3, version: 1 }, CREATED + 40);
    for (let count = 1; count <= matching; count++) {
      history.app(
        "RebuildReported",
        { number: 2, rebuilder: account(count), builtHash: hashOf(2), matches: true, matching: count },
        CREATED + 40 + count,
      );
    }
    return appOf(history);
  };

  it("is allowed from its activation on with all of them", () => {
    const app = demanding(2, 2);
    expect([ACTIVE - 1, ACTIVE, GRACE_ENDS].map((time) => allowed(app, time))).to.deep.equal([
      [1],
      [1, 2],
      [2],
    ]);
  });

  it("lapses by time alone with one too few, and its predecessor goes on without end", () => {
    const app = demanding(2, 1);
    const asked = [ACTIVE - 1, ACTIVE, GRACE_ENDS, NEVER - 1];
    expect(asked.map((time) => allowed(app, time))).to.deep.equal([[1], [1], [1], [1]]);
    expect([ACTIVE - 1, ACTIVE, GRACE_ENDS].map((time) => headAt(app, time)?.number)).to.deep.equal([
      1, 1, 1,
    ]);
    expect(pendingAt(app, ACTIVE - 1)?.number).to.equal(2);
    expect(pendingAt(app, ACTIVE)).to.equal(undefined);
  });

  it("leaves no second without a release where it lapses and would have given no grace", () => {
    expect([ACTIVE - 1, ACTIVE].map((time) => allowed(demanding(1, 0, 0), time))).to.deep.equal([[1], [1]]);
  });
});

describe("isAllowedAt", () => {
  it("denies by each mark alone, whatever the times say", () => {
    const [release] = appOf(new History().create(CREATED)).releases as [Release];
    expect(isAllowedAt(release, ACTIVE)).to.equal(true);
    const marks: Partial<Release>[] = [
      { vetoed: true },
      { lapsed: true },
      { rebuilds: { required: 2, matching: 1 } },
      { endsAt: ACTIVE },
      { activatesAt: ACTIVE + 1 },
    ];
    for (const mark of marks) {
      expect(isAllowedAt({ ...release, ...mark }, ACTIVE), JSON.stringify(mark)).to.equal(false);
    }
  });
});
