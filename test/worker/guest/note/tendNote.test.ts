import { expect } from "chai";

import type { Bytes32 } from "../../../../protocol/words/hex.ts";
import type { NoteStanding } from "../../../../worker/guest/note/NoteStanding.ts";
import { tendNote } from "../../../../worker/guest/note/tendNote.ts";
import { Inbox } from "../../support/Inbox.ts";
import { ManualClock } from "../../support/ManualClock.ts";

const MISSING: NoteStanding = { note: "missing", digest: null, tried: [] };
const GOOD = {
  note: "good",
  digest: `0x${"d1".repeat(32)}` as Bytes32,
  title: "Says hello",
  toldBy: ["http://a", "http://b"],
  toldOtherwise: [],
} as const satisfies NoteStanding;

describe("a note that is tended", () => {
  /** Answers one after another, the next after ten minutes; gives what was told when it has ended. */
  const tended = async (answers: readonly NoteStanding[], ended = new AbortController()) => {
    const clock = new ManualClock();
    const asked = new Inbox<number>();
    const told: NoteStanding[] = [];
    let next = 0;
    const read = async (): Promise<NoteStanding> => {
      asked.put(next);
      const answer = answers[next++];
      if (answer !== undefined) return answer;
      ended.abort();
      return MISSING;
    };
    const tending = tendNote(
      { read, relayers: 2, clock, tell: (standing) => told.push(standing) },
      ended.signal,
    );
    let isOver = false;
    void tending.then(() => (isOver = true));
    while (!isOver) {
      await new Promise((done) => setImmediate(done));
      clock.advance(600_000);
    }
    return { told, asked: asked.all.length };
  };

  it("is asked for until there is one, and what is no news is not told again", async () => {
    expect(await tended([MISSING, MISSING, GOOD, MISSING])).to.deep.equal({
      told: [MISSING, GOOD],
      asked: 3,
    });
  });

  it("is asked for until all agree: one that lied while the others were away is outvoted", async () => {
    const lie = { ...GOOD, title: "A lie", toldBy: ["http://a"] };
    const outvoted = { ...GOOD, toldBy: ["http://b"], toldOtherwise: ["http://a"] };
    expect(await tended([lie, lie, outvoted, GOOD, lie])).to.deep.equal({
      told: [lie, outvoted, GOOD],
      asked: 4,
    });
  });

  it("is asked for no more where the release has none", async () => {
    const none: NoteStanding = { note: "none", toldBy: GOOD.toldBy, toldOtherwise: [] };
    expect(await tended([none, GOOD])).to.deep.equal({ told: [none], asked: 1 });
  });

  it("is nobody's news when the guest has ended", async () => {
    expect(await tended([])).to.deep.equal({ told: [], asked: 1 });
  });
});
