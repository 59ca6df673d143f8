import { expect } from "chai";

import {
  MAX_ENVELOPE_CHARACTERS,
  type SecretChangeMessage,
} from "../../../protocol/session/secretMessages.ts";
import type { Address, Bytes32 } from "../../../protocol/words/hex.ts";
import { refusal } from "../../support/refusal.ts";
import { freshStore } from "../support/freshStore.ts";

const APP = `0x${"ab".repeat(20)}` as Address;
const OTHER = `0x${"ac".repeat(20)}` as Address;
const change = (
  counter: number,
  changes: { app?: Address; name?: string; envelope?: string | null } = {},
): SecretChangeMessage => ({
  app: APP,
  name: "A",
  counter,
  digest: `0x${"0d".repeat(32)}` as Bytes32,
  envelope: "sealed",
  signature: `0x${"11".repeat(65)}`,
  ...changes,
});

describe("what a relayer keeps of secrets", () => {
  const { store } = freshStore();

  it("is the newest of each name: a counter that does not rise is refused, also after a removal", async () => {
    const { secrets } = store();
    await secrets.put(change(5), 100);
    for (const counter of [4, 5])
      expect(await refusal(secrets.put(change(counter), 101))).to.equal("secret/counter-stale");
    await secrets.put(change(6, { envelope: null }), 102);
    expect(await refusal(secrets.put(change(6), 103))).to.equal("secret/counter-stale");
    await secrets.put(change(7), 104);
    await secrets.put(change(1, { app: OTHER }), 105);
    const kept = await secrets.secrets(APP);
    expect(kept.map(({ counter, envelope, setAt }) => [counter, envelope, setAt])).to.deep.equal([
      [7, "sealed", 104],
    ]);
  });

  it("is one of two changes that came at once", async () => {
    const { secrets } = store();
    const answers = await Promise.all([1, 1, 1].map((counter) => refusal(secrets.put(change(counter), 100))));
    expect(answers.sort()).to.deep.equal(["nothing", "secret/counter-stale", "secret/counter-stale"]);
  });

  it("has a bound for each app", async () => {
    const { secrets } = store();
    const envelope = "x".repeat(MAX_ENVELOPE_CHARACTERS);
    for (const name of ["A", "B", "C", "D", "E"]) await secrets.put(change(1, { name, envelope }), 100);
    expect(await refusal(secrets.put(change(1, { name: "F", envelope }), 100))).to.equal("secret/too-many");
    await secrets.put(change(1, { name: "F", envelope, app: OTHER }), 100);
    await secrets.put(change(2, { name: "A", envelope: null }), 100);
    await secrets.put(change(1, { name: "F", envelope }), 100);
  });
});
