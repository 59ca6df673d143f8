import { chaosRun } from "./support/run.ts";
import { startWorld } from "./support/world.ts";
import type { World } from "./support/world.ts";

/** In CI a few runs, as far as they fit into this; `npm run chaos` makes 500. */
const BUDGET_MS = 60_000;
const RUNS = Number(process.env["CHARTER_CHAOS"] ?? 5);
const isLong = process.env["CHARTER_CHAOS"] !== undefined;
const SEED = process.env["SEED"];

describe("relayers that die, among endpoints that fail and lie, on a chain that reorganizes", function () {
  this.timeout(isLong ? 0 : 300_000);
  let world: World;
  before(async () => {
    const began = performance.now();
    world = await startWorld(2);
    console.log(`      the world stands (${Math.round(performance.now() - began)} ms)`);
  });
  after(() => world?.stop());

  it("bring every proof that they accepted onto the chain exactly once, and grant nothing on what was not final", async () => {
    const first = SEED === undefined ? Math.floor(Math.random() * 2 ** 30) : Number(SEED);
    const started = performance.now();
    const runs = SEED === undefined ? RUNS : 1;
    for (let run = 0; run < runs; run++) {
      if (!isLong && performance.now() - started > BUDGET_MS) {
        console.log(`      ${run} of ${runs} runs: the rest did not fit into ${BUDGET_MS / 1_000} s`);
        break;
      }
      const seed = first + 2 * run;
      const began = performance.now();
      try {
        const told = await chaosRun(world, seed);
        console.log(`      SEED=${seed}: ${told} (${Math.round(performance.now() - began)} ms)`);
      } catch (error) {
        console.log(`      SEED=${seed} failed; ended: ${world.replicas.ended.slice(-6).join(", ")}`);
        throw error;
      }
    }
  });
});
