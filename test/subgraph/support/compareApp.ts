import { expect } from "chai";
import { AbiCoder, getAddress, keccak256, ZeroAddress, ZeroHash } from "ethers";

import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import type { App } from "../../../types/typechain/index.ts";
import type { Random } from "../../support/random.ts";
import type { Choices } from "./choices.ts";
import type { IndexedApp } from "./indexedApp.ts";
import { entryAt, guardianAt, liveAt, nextChangeAt } from "./reading.ts";

export interface Moment {
  readonly block: number;
  /** Unix seconds of that block. */
  readonly time: bigint;
}

const account = (address: string | null): string => getAddress(address ?? ZeroAddress);
const SELECTOR = "tuple(uint8 teeKinds, bool gpu, address[] operators)";

const SAMPLES = 12;

/** Its last block, some that `random` picks, and those in which a proposal cut an older release's grace short. */
export async function blocksToCompare(
  app: App,
  { last, random }: { readonly last: number; readonly random: Random },
): Promise<number[]> {
  const [created] = await app.queryFilter(app.filters.AppInitialized());
  const first = created?.blockNumber ?? last;
  const proposals = await app.queryFilter(app.filters.ReleaseProposed());
  const cuts = proposals.filter(({ args }) => args.cutRelease !== 0n).map(({ blockNumber }) => blockNumber);
  const picked = Array.from({ length: SAMPLES }, () => first + random.below(last - first + 1));
  return [...picked, ...cuts, last];
}

/** Holds the indexed app to the contract's answers after the same block. */
export async function compareApp(
  app: App,
  entity: IndexedApp,
  choices: readonly Choices[],
  { block: blockTag, time }: Moment,
): Promise<void> {
  await compareControl(app, entity, { block: blockTag, time });
  await compareSettings(app, entity, choices, { block: blockTag, time });
  await compareReleases(app, entity, { block: blockTag, time });

  const { replicas_, selectorDigest } = await app.replicas({ blockTag });
  expect(entity.replicas).to.equal(Number(replicas_));
  const { selectorTeeKinds: teeKinds, selectorGpu: gpu, selectorOperators: operators } = entity;
  const said = entity.governanceEvents.some(({ kind }) => kind === "ReplicasChanged");
  expect(selectorDigest).to.equal(
    said
      ? keccak256(AbiCoder.defaultAbiCoder().encode([SELECTOR], [{ teeKinds, gpu, operators }]))
      : ZeroHash,
  );
}

async function compareControl(app: App, entity: IndexedApp, { block, time }: Moment): Promise<void> {
  const control = await app.control({ blockTag: block });
  const guardian = guardianAt(entity, time);
  const inForce = (kind: number): bigint => {
    const setting = entity.settings.find((of) => of.kind === kind);
    return setting ? entryAt(setting, time).value : 0n;
  };
  expect({
    owner: account(entity.owner),
    pendingOwner: account(entity.pendingOwner),
    guardian: account(guardian.guardian),
    pendingGuardian: account(guardian.pending),
    pendingGuardianAt: guardian.pendingAt,
    level: BigInt(entity.level),
    noticeSeconds: inForce(SettingKind.Notice),
    noticeFloorSeconds: BigInt(entity.noticeFloorSeconds),
    graceSeconds: inForce(SettingKind.Grace),
    nextChangeAt: nextChangeAt(entity, time),
  }).to.deep.equal({
    owner: control.owner,
    pendingOwner: control.pendingOwner,
    guardian: control.guardian,
    pendingGuardian: control.pendingGuardian,
    pendingGuardianAt: control.pendingGuardianAt,
    level: control.level,
    noticeSeconds: control.noticeSeconds,
    noticeFloorSeconds: control.noticeFloorSeconds,
    graceSeconds: control.graceSeconds,
    nextChangeAt: control.nextChangeAt,
  });
}

/** Every entry that is indexed, and every other one that could have been. */
async function compareSettings(
  app: App,
  entity: IndexedApp,
  choices: readonly Choices[],
  { block: blockTag, time }: Moment,
): Promise<void> {
  const zero = { value: "0", pendingValue: null, effectiveAt: null };
  const possible = choices.flatMap(({ kind, keys }) => keys.map((key) => ({ kind, key, ...zero })));
  const missing = possible.filter(
    ({ kind, key }) => !entity.settings.some((of) => of.kind === kind && of.key === key),
  );
  for (const setting of [...entity.settings, ...missing]) {
    const { value, pendingValue, effectiveAt } = await app.setting(setting.kind, setting.key, { blockTag });
    expect(entryAt(setting, time), `setting ${setting.kind} ${setting.key}`).to.deep.equal({
      value,
      pendingValue,
      effectiveAt,
    });
  }
}

async function compareReleases(
  app: App,
  entity: IndexedApp,
  { block: blockTag, time }: Moment,
): Promise<void> {
  expect(entity.lastRelease).to.equal(Number(await app.lastRelease({ blockTag })));
  expect(entity.releases.map(({ number }) => number)).to.deep.equal(
    Array.from({ length: entity.lastRelease }, (_, index) => index + 1),
  );
  const live = liveAt(entity.releases, time);
  expect(live.map(({ number, endsAt }) => [number, endsAt])).to.deep.equal(
    (await app.liveReleases({ blockTag })).map(({ number, endsAt }) => [Number(number), endsAt]),
  );
  for (const release of entity.releases) {
    const { number, composeHash } = release;
    const interval = live.find((of) => of.number === number);
    expect(await app.isReleaseNumberAllowed(number, { blockTag }), `release ${number} allowed`).to.equal(
      interval !== undefined && interval.activatesAt <= time,
    );
    expect(release.rebuilds.filter(({ matches }) => matches)).to.have.length(release.rebuildsMatching);
    // What a hash stands for is its latest release.
    if (entity.releases.some((later) => later.composeHash === composeHash && later.number > number)) continue;
    const { number: latest, activatesAt, endsAt } = await app.releaseOf(composeHash, { blockTag });
    expect([Number(latest), activatesAt.toString()]).to.deep.equal([number, release.activatesAt]);
    if (interval) expect(endsAt, `end of release ${number}`).to.equal(interval.endsAt);
  }
  const demanding = entity.releases.findLast(({ rebuildsRequired }) => rebuildsRequired !== 0);
  if (demanding) {
    const { required, matching } = await app.rebuilds(demanding.number, { blockTag });
    expect([demanding.rebuildsRequired, demanding.rebuildsMatching]).to.deep.equal([
      Number(required),
      Number(matching),
    ]);
  }
}
