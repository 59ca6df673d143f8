import { expect } from "chai";

import { parseCompose } from "../../../worker/guest/compose/parseCompose.ts";
import { restartPolicies } from "../../../worker/guest/compose/launchFile.ts";
import { Supervisor } from "../../../worker/guest/compose/Supervisor.ts";

describe("restarts by the guest", () => {
  const supervisor = (restart?: string) => {
    const web = restart === undefined ? { image: "x" } : { image: "x", restart };
    const file = JSON.stringify({ services: { web } });
    return new Supervisor(restartPolicies(parseCompose(file, { hostPorts: [] })));
  };
  const ended = (exit: number | null) => [{ service: "web", isRunning: false, exit }];
  const running = [{ service: "web", isRunning: true, exit: null }];
  /** Milliseconds at which a service that ends at once whenever it is started was started again. */
  const starts = (kept: Supervisor, exit: number | null, until: number): number[] => {
    const at: number[] = [];
    for (let now = 0; now <= until; now += 500) if (kept.due(ended(exit), now).length > 0) at.push(now);
    return at;
  };

  it("starts again after pauses that double, up to a minute", () => {
    const at = starts(supervisor("always"), 0, 300_000);
    expect(at.slice(0, 4)).to.deep.equal([1_000, 3_500, 8_000, 16_500]);
    expect(Math.max(...at.slice(1).map((time, i) => time - (at[i] ?? 0)))).to.equal(60_500);
  });

  it("counts anew after a time in which the service ran", () => {
    const kept = supervisor("unless-stopped");
    starts(kept, 1, 20_000);
    kept.due(running, 60_000);
    expect(kept.due(ended(1), 61_000)).to.deep.equal([]);
    expect(kept.due(ended(1), 62_000)).to.deep.equal(["web"]);
  });

  for (const [restart, exit, count] of [
    [undefined, 1, 0],
    ["no", 1, 0],
    ["on-failure", 0, 0],
    ["on-failure:2", 1, 2],
    ["on-failure:2", null, 2],
  ] as const) {
    it(`starts again ${count} times with restart ${restart ?? "left out"} and exit code ${exit}`, () => {
      expect(starts(supervisor(restart), exit, 120_000)).to.have.length(count);
    });
  }
});
