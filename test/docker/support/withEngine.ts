import { startEngine, type TestEngine } from "./engine.ts";

/** Gives a suite an engine of its own; where none can be started the suite is skipped, and says why. */
export function withEngine(what: string): () => TestEngine {
  const engine = withEngineIfAny(what);
  before(function () {
    if (engine() === undefined) this.skip();
  });
  return () => engine() as TestEngine;
}

/** The same for a suite that has something to show without one as well. */
export function withEngineIfAny(what: string): () => TestEngine | undefined {
  let engine: TestEngine | undefined;
  before(async function () {
    this.timeout(90_000);
    const started = await startEngine();
    if (typeof started === "string") {
      console.log(`skipped: ${what}: no docker engine can be started: ${started}`);
    } else engine = started;
  });
  after(async function () {
    this.timeout(60_000);
    await engine?.stop();
  });
  return () => engine;
}
