import { expect } from "chai";
import {
  Contract,
  JsonRpcProvider,
  Wallet,
  id,
  zeroPadValue,
  toBeHex,
  type ContractTransactionResponse,
} from "ethers";

import { appAbi } from "../../protocol/abi/app.ts";
import { appRegistryAbi } from "../../protocol/abi/appRegistry.ts";
import { devnetAccounts } from "../../scripts/devnet/accounts.ts";
import { gndBinary } from "../../scripts/devnet/graphNode.ts";
import { startIndexStack, type IndexStack } from "../../scripts/devnet/indexStack.ts";
import { servedSdl, SDL_FILE } from "../../scripts/devnet/servedSdl.ts";
import type { App, AppRegistry } from "../../types/typechain/index.ts";
import { createTestPki } from "../../worker/tee/simulator/pki.ts";
import type { Address, Bytes32 } from "../../protocol/words/hex.ts";
import { deployGateway } from "../cli/support/gateway.ts";
import { ProvenChain } from "../support/provenChain.ts";
import { random } from "../support/random.ts";
import { compareAdmission, playAdmission } from "./support/admission.ts";
import { compareAttestation, playAttestation } from "./support/attestation.ts";
import { takeOverTime } from "./support/chain.ts";
import { blocksToCompare, compareApp, type Moment } from "./support/compareApp.ts";
import { compareCuration } from "./support/curation.ts";
import { compareGovernance } from "./support/governing.ts";
import { GraphReader } from "./support/GraphReader.ts";
import { indexedApp } from "./support/indexedApp.ts";
import { playHistory } from "./support/randomHistory.ts";
import { readFileSync } from "node:fs";

const ZERO_KEY = zeroPadValue("0x00", 32);
const number = (value: number): string => zeroPadValue(toBeHex(value), 32);
const NEVER = "1099511627775";

const pki = createTestPki({
  notBefore: Math.floor(Date.now() / 1000) - 86_400,
  secret: new Uint8Array(32).fill(7),
});

describe("the index on the real graph-node", function () {
  this.timeout(600_000);
  let stack: IndexStack;
  let provider: JsonRpcProvider;
  let app: App;
  let appAddress: string;

  const as = (account: { key: string }): Wallet => new Wallet(account.key, provider);
  const mined = async (sent: Promise<ContractTransactionResponse>): Promise<void> =>
    void (await (await sent).wait());

  before(async function () {
    if (!gndBinary()) {
      console.log("skipped: the index on the real graph-node: its binary exists for Linux x64 only");
      this.skip();
    }
    stack = await startIndexStack(pki.file.root, async (rpcUrl) => ({
      sp1Gateway: (await deployGateway(rpcUrl)).address,
    }));
    provider = new JsonRpcProvider(stack.rpcUrl, 31337, {
      staticNetwork: true,
      cacheTimeout: -1,
      batchMaxCount: 1, // a batch waits for more: hundreds of calls that follow each other do not
      polling: true,
    });
    provider.pollingInterval = 200;
    const owner = as(devnetAccounts.owner);
    const registry = new Contract(
      stack.deployment.appRegistry,
      appRegistryAbi,
      owner,
    ) as unknown as AppRegistry;
    const settings = {
      noticeSeconds: 3,
      graceSeconds: 600,
      composeHash: id("v1"),
      noteDigest: id("note 1"),
      settings: [
        { kind: 3, key: number(1), value: 1 },
        { kind: 4, key: number(1), value: 1 },
        { kind: 5, key: number(2), value: 1 },
        { kind: 9, key: ZERO_KEY, value: 256 },
      ],
    };
    const { guardian } = devnetAccounts;
    appAddress = await registry.createApp.staticCall(owner.address, guardian.address, settings, ZERO_KEY);
    await mined(registry.createApp(owner.address, guardian.address, settings, ZERO_KEY));
    app = new Contract(appAddress, appAbi, owner) as unknown as App;
  });

  after(async () => {
    provider?.destroy();
    await stack?.stop();
  });

  /** Waits until graph-node has indexed the block that is newest now, then asks it. */
  async function indexed<T>(query: string): Promise<T> {
    const target = await provider.getBlockNumber();
    for (;;) {
      const response = await fetch(stack.graphqlUrl, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ query: `{ _meta { block { number } } ${query} }` }),
      });
      const { data } = (await response.json()) as { data?: { _meta: { block: { number: number } } } & T };
      if (data && data._meta.block.number >= target) return data;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  it("carries the whole initial state", async () => {
    const { app: entity } = await indexed<{ app: Record<string, unknown> }>(
      `app(id: "${appAddress.toLowerCase()}") {
        owner guardian level replicas lastRelease
        settings(orderBy: kind) { kind key value pendingValue }
        releases { number composeHash endsAt vetoed revoked }
      }`,
    );
    const control = await app.control();
    expect(entity.owner).to.equal(control.owner.toLowerCase());
    expect(entity.guardian).to.equal(control.guardian.toLowerCase());
    expect(entity.level).to.equal(0);
    expect(entity.lastRelease).to.equal(1);
    expect(entity.releases).to.deep.equal([
      { number: 1, composeHash: id("v1"), endsAt: NEVER, vetoed: false, revoked: false },
    ]);
    const settings = entity.settings as { kind: number; key: string; value: string }[];
    expect(settings.map(({ kind }) => kind)).to.deep.equal([1, 2, 3, 4, 5, 9]);
    for (const { kind, key, value } of settings) {
      expect((await app.setting(kind, key)).value.toString(), `setting ${kind}`).to.equal(value);
    }
  });

  it("follows proposals, vetoes and revokes as the contract's live set does", async () => {
    await mined(app.propose(id("v2"), id("note 2"), 1, 600));
    await mined(app.veto(2));
    await mined(app.propose(id("v3"), id("note 3"), 1, 600));
    await new Promise((resolve) => setTimeout(resolve, 4_500)); // the notice: block time, not ours to inject
    await mined(app.propose(id("v4"), id("note 4"), 3, 600));
    await mined(app.revoke(3));
    const { releases } = await indexed<{ releases: Record<string, unknown>[] }>(
      `releases(where: { app: "${appAddress.toLowerCase()}" }, orderBy: number) {
        number activatesAt endsAt vetoed revoked
      }`,
    );
    expect(releases.map(({ vetoed }) => vetoed)).to.deep.equal([false, true, false, false]);
    expect(releases.map(({ revoked }) => revoked)).to.deep.equal([false, false, true, false]);
    const live = await app.liveReleases();
    const ends = new Map(live.map((release) => [Number(release.number), release.endsAt.toString()]));
    expect([...ends.keys()].sort()).to.deep.equal([1, 4]);
    for (const [which, endsAt] of ends)
      expect(releases[which - 1]?.endsAt, `release ${which}`).to.equal(endsAt);
  });

  it("keeps a loosening as pending until its time, and every change as history", async () => {
    await mined(app.loosen([{ kind: 4, key: number(5), value: 1 }]));
    await mined(app.tighten([{ kind: 1, key: ZERO_KEY, value: 3600 }]));
    await mined(app.setGuardian(devnetAccounts.operator.address));
    const answer = await indexed<{
      settings: { kind: number; value: string; pendingValue: string | null; effectiveAt: string | null }[];
      app: { guardian: string; pendingGuardian: string; pendingGuardianAt: string };
      governanceEvents: { kind: string; actor: string }[];
    }>(
      `settings(where: { app: "${appAddress.toLowerCase()}", kind_in: [1, 4] }, orderBy: kind) {
        kind value pendingValue effectiveAt
      }
      app(id: "${appAddress.toLowerCase()}") { guardian pendingGuardian pendingGuardianAt }
      governanceEvents(where: { app: "${appAddress.toLowerCase()}" }, orderBy: block) { kind actor }`,
    );
    const [notice, ...statuses] = answer.settings;
    expect(notice?.value).to.equal("3600");
    const pending = statuses.find(({ pendingValue }) => pendingValue !== null);
    expect(pending).to.include({ value: "0", pendingValue: "1" });
    const setting = await app.setting(4, number(5));
    // Either still pending with this very time, or matured meanwhile: the index stores the time either way.
    expect([pending?.effectiveAt, "0"]).to.include(setting.effectiveAt.toString());
    const control = await app.control();
    expect(answer.app.guardian).to.equal(control.guardian.toLowerCase());
    expect(answer.app.pendingGuardian).to.equal(control.pendingGuardian.toLowerCase());
    expect(answer.app.pendingGuardianAt).to.equal(control.pendingGuardianAt.toString());
    expect(answer.governanceEvents.map(({ kind }) => kind)).to.deep.equal([
      "AppInitialized",
      "ReleaseProposed",
      "ReleaseVetoed",
      "ReleaseProposed",
      "ReleaseProposed",
      "ReleaseRevoked",
      "SettingChanged",
      "SettingChanged",
      "GuardianChanged",
    ]);
  });

  it("says of nodes, instances, batches, judgements and disputes what the contracts say, after each of several blocks", async () => {
    const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
    console.log(`      SEED=${seed}`);
    const choose = random(seed);
    await takeOverTime(provider);
    const chain = new ProvenChain(stack.rpcUrl, stack.deployment);
    const first = await provider.getBlockNumber();
    const composeHash = id("v1") as Bytes32;
    const subject = appAddress.toLowerCase() as Address;
    await playAttestation(chain, { pki, app: subject, composeHash, random: choose });
    await playAdmission(chain, choose, (method, params) => provider.send(method, params));
    const last = await provider.getBlockNumber();
    await provider.send("anvil_mine", [2]);
    const graph = new GraphReader(stack.graphqlUrl);
    const others = Array.from({ length: 3 }, () => first + 1 + choose.below(last - first));
    for (const block of [...others, last]) {
      await compareAttestation(graph, chain, subject, block);
      await compareAdmission(graph, chain, block);
    }
  });

  it("says what the contracts say after a random history, entity by entity", async () => {
    const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
    console.log(`      SEED=${seed}`);
    const choose = random(seed);
    await takeOverTime(provider);
    const history = await playHistory(provider, stack.deployment, choose);
    console.log(`      ${history.accepted} steps accepted, ${history.refused} refused`);
    const last = await provider.getBlockNumber();
    // Blocks after it: anvil answers for its newest block with a later time.
    await provider.send("anvil_mine", [2]);
    const momentOf = async (block: number): Promise<Moment> => {
      const time = BigInt((await provider.getBlock(block))?.timestamp ?? 0);
      expect(await history.governance.votes.clock({ blockTag: block })).to.equal(time);
      return { block, time };
    };

    const graph = new GraphReader(stack.graphqlUrl);
    for (const played of [...history.apps, history.governed]) {
      for (const block of await blocksToCompare(played, { last, random: choose })) {
        const entity = await indexedApp(graph, await played.getAddress(), block);
        await compareApp(played, entity, history.choices, await momentOf(block));
      }
    }
    await compareCuration(graph, history, last);
    await compareGovernance(
      graph,
      history.governance,
      { app: history.governed, voters: history.voters },
      await momentOf(last),
    );
    const [open] = history.apps;
    const { governanceEvents } = await indexedApp(graph, (await open?.getAddress()) ?? "", last);
    const changed = new Set(governanceEvents.map(({ settingKind }) => settingKind ?? 0));
    for (const { kind } of history.choices) expect(changed, `setting kind ${kind}`).to.include(kind);
  });

  it("serves the schema that the relayer stitches", async () => {
    expect(await servedSdl(stack.graphqlUrl)).to.equal(readFileSync(SDL_FILE, "utf8"));
  });
});
