import { expect } from "chai";

import { firstOf } from "../../../worker/session/firstOf.ts";
import { ManualClock } from "../support/ManualClock.ts";

/** Lets everything run that does not wait for time. */
const settled = () => new Promise((done) => setImmediate(done));

describe("the first of several attempts that succeeds", () => {
  /** Attempts that end when the test says so. */
  const trial = (count: number) => {
    const clock = new ManualClock();
    const begun: { readonly over: AbortSignal; readonly end: (result: string | Error) => void }[] = [];
    const attempts = Array.from({ length: count }, () => (over: AbortSignal) => {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      begun.push({ over, end: (result) => (typeof result === "string" ? resolve(result) : reject(result)) });
      return promise;
    });
    return { clock, begun, answer: firstOf(attempts, { clock, pauseMs: 100 }) };
  };
  const end = (one: ReturnType<typeof trial>, i: number, result: string | Error) => {
    one.begun[i]?.end(result);
    return settled();
  };

  it("is the first one's where it does not fail, and no other is begun", async () => {
    const one = trial(3);
    await end(one, 0, "a");
    expect(await one.answer).to.equal("a");
    one.clock.advance(1_000);
    await settled();
    expect(one.begun).to.have.length(1);
  });

  it("is the next one's at once where one fails", async () => {
    const one = trial(2);
    await end(one, 0, new Error("no"));
    expect(one.begun).to.have.length(2);
    await end(one, 1, "b");
    expect(await one.answer).to.equal("b");
  });

  it("is not waited for by those that come after one that is silent, and nobody is given up", async () => {
    const one = trial(3);
    for (const count of [1, 2, 3]) {
      expect(one.begun).to.have.length(count);
      one.clock.advance(99);
      await settled();
      expect(one.begun).to.have.length(count);
      one.clock.advance(1);
      await settled();
    }
    expect(one.begun.map(({ over }) => over.aborted)).to.deep.equal([false, false, false]);
    await end(one, 0, "late");
    expect(await one.answer).to.equal("late");
    expect(one.begun.map(({ over }) => over.aborted)).to.deep.equal([true, true, true]);
  });

  it("is nobody's where all fail, each with its reason", async () => {
    const one = trial(2);
    one.clock.advance(100);
    await settled();
    const failed = one.answer.catch((error: unknown) => error);
    await end(one, 1, new Error("second"));
    await end(one, 0, new Error("first"));
    expect(((await failed) as AggregateError).errors.map(String)).to.deep.equal([
      "Error: first",
      "Error: second",
    ]);
  });
});
