import { expect } from "chai";
import { id, ZeroHash } from "ethers";
import type { Log } from "ethers";

import { allowedAt } from "../../../protocol/history/allowedAt.ts";
import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import type { ChainEvent } from "../../../protocol/state/types.ts";
import type { Address, ComposeHash } from "../../../protocol/words/hex.ts";
import { random } from "../../support/random.ts";
import { useCharter } from "../support/chains.ts";
import { eventOf } from "../support/events.ts";
import { createApp, POLICY, word } from "../support/flows.ts";
import { COMPOSE_HASH } from "../support/verdicts.ts";

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const HASHES = [COMPOSE_HASH, id("b"), id("c"), id("never proposed")];
const CLOCK = "0x000000000000000000000000000000000000c10c";

describe("allowedAt: any past time, from events", () => {
  const load = useCharter(async (charter) => {
    const { provider } = charter.connection;
    await provider.request({ method: "hardhat_setCode", params: [CLOCK, "0x425f5260205ff3"] });
    const rebuilder = { kind: SettingKind.Rebuilder, key: word(BigInt(charter.operator.address)), value: 1n };
    const settings = [...POLICY, rebuilder];
    return { app: await createApp(charter, { settings, noticeSeconds: 20, graceSeconds: 60 }) };
  });

  it(`allowedAt_randomHistory_isWhatTheContractSaidThen (SEED=${seed})`, async () => {
    const next = random(seed);
    const { charter, app } = await load();
    const { ethers, networkHelpers } = charter.connection;
    const address = (await app.getAddress()).toLowerCase() as Address;
    /** What the contract said at a time, before anybody knew what would follow. */
    const said: { time: number; hash: string; allowed: boolean }[] = [];
    for (let step = 0; step < 120; step++) {
      await networkHelpers.time.increase(1 + next.below(25));
      const head = await app.head();
      const last = await app.lastRelease();
      const hash = next.pick(HASHES.slice(0, 3));
      const needed = { kind: SettingKind.RebuildsRequired, key: ZeroHash, value: 1n };
      await next
        .pick([
          () => app.propose(hash, id("note"), head, next.below(60)),
          () => app.propose(hash, id("note"), head, next.below(60)),
          () => app.propose(hash, id("note"), head, next.below(60)),
          () => app.veto(last),
          () => app.revokeByHash(hash),
          () => app.connect(charter.operator).reportRebuild(last, hash),
          () => app.tighten([needed]),
          () => app.loosen([{ ...needed, value: 0n }]),
        ])()
        .catch(() => undefined);
      const time = Number(await ethers.provider.call({ to: CLOCK }));
      for (const asked of HASHES)
        said.push({ time, hash: asked, allowed: await app.isReleaseAllowed(asked) });
    }
    const history = await eventsOf(address);
    expect(said.filter(({ allowed }) => allowed).length).to.be.within(20, said.length - 20);
    for (const { time, hash, allowed } of said) {
      const answer = allowedAt(history, address, hash as ComposeHash, time);
      expect(answer.allowed, `${hash} at ${time}: ${answer.reason}`).to.equal(allowed);
    }

    async function eventsOf(from: Address): Promise<ChainEvent[]> {
      const logs: Log[] = await ethers.provider.getLogs({ address: from, fromBlock: 0 });
      const events: ChainEvent[] = [];
      for (const log of logs) {
        const block = await ethers.provider.getBlock(log.blockNumber);
        const event = eventOf("app", log, Number(block?.timestamp));
        if (event) events.push(event);
      }
      return events;
    }
  });
});
