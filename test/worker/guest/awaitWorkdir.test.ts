import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { awaitWorkdir } from "../../../worker/guest/awaitWorkdir.ts";
import type { GuestState } from "../../../worker/guest/state.ts";
import { holdDirectory } from "../../../worker/holdDirectory.ts";
import { Inbox } from "../support/Inbox.ts";
import { ManualClock } from "../support/ManualClock.ts";

describe("a guest's workdir", () => {
  let dir: string;
  let clock: ManualClock;
  let states: Inbox<GuestState>;
  let stop: AbortController;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "charter-workdir-"));
    [clock, states, stop] = [new ManualClock(), new Inbox(), new AbortController()];
  });
  afterEach(() => rmSync(dir, { recursive: true }));
  const held = () => awaitWorkdir(dir, { clock, report: states.put }, stop.signal);

  it("is held at once where nobody has it", async () => {
    (await held())?.release();
    expect(states.all).to.deep.equal([]);
  });

  it("is waited for while another guest takes its containers down, which is said once", async () => {
    const former = holdDirectory(dir);
    const waiting = held();
    await states.until(({ state }) => state === "awaiting-workdir");
    clock.advance(500);
    await new Promise((done) => setImmediate(done));
    former.release();
    clock.advance(500);
    (await waiting)?.release();
    expect(states.all).to.deep.equal([{ state: "awaiting-workdir", workdir: dir, pid: process.pid }]);
  });

  it("is waited for no longer than the guest is asked to run", async () => {
    const former = holdDirectory(dir);
    const waiting = held();
    await states.until(({ state }) => state === "awaiting-workdir");
    stop.abort();
    expect(await waiting).to.equal(undefined);
    former.release();
  });
});
