import { expect } from "chai";

import { machineClock } from "../../worker/clock.ts";

describe("the worker's clock", () => {
  let monotonic = 0;
  let wall = 0;
  const clock = machineClock(
    () => monotonic,
    () => wall,
  );

  it("counts a suspension, in which the monotonic clock stands still", () => {
    const before = clock.now();
    wall += 90_000;
    expect(clock.now() - before).to.equal(90_000);
  });

  it("ends a sleep through a suspension when the machine is back, not a sleep later", async () => {
    const looking = machineClock(
      () => monotonic,
      () => wall,
      1,
    );
    // An hour of a timer would outlast the test.
    const sleeping = looking.sleep(3_600_000, new AbortController().signal);
    wall += 3_600_000;
    await sleeping;
  });

  it("goes on by the monotonic clock where the wall clock was set back", () => {
    const before = clock.now();
    wall -= 3_600_000;
    monotonic += 50;
    expect(clock.now() - before).to.equal(50);
    wall += 10;
    monotonic += 10;
    expect(clock.now() - before).to.equal(60);
  });
});
