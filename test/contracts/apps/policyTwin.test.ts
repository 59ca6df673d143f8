import { expect } from "chai";
import { id, ZeroAddress, type Log } from "ethers";

import { judgeBootInfo, type BootInfo } from "../../../protocol/policy/bootInfo.ts";
import { judge, type Facts } from "../../../protocol/policy/judge.ts";
import { EndorsementOp, padded } from "../../../protocol/policy/endorsements.ts";
import { Reason } from "../../../protocol/policy/reason.ts";
import { headAt } from "../../../protocol/policy/releases.ts";
import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import { advisoryKey, numberKey, ZERO_KEY } from "../../../protocol/policy/settings.ts";
import { applyEvent } from "../../../protocol/state/applyEvent.ts";
import { emptyChainState } from "../../../protocol/state/chainState.ts";
import type { AppState, ChainEvent, ChainState } from "../../../protocol/state/types.ts";
import { nameOf, TcbStatus, type TeeKind } from "../../../protocol/words/enums.ts";
import type { Address, Bytes32, ComposeHash, PlatformId } from "../../../protocol/words/hex.ts";
import type { App, IAppAuth } from "../../../types/typechain/index.ts";
import { random, type Random } from "../../support/random.ts";
import { deployContracts, openChain, type Charter, type Connection } from "../support/charter.ts";
import { eventOf } from "../support/events.ts";
import type { Entry } from "../support/flows.ts";

const isLong = process.env.CHARTER_FUZZ === "long";
/** Apps, changes of each, and questions after each change: 3,000 questions, 120,000 in the long profile. */
const [APPS, CHANGES, QUESTIONS] = isLong ? [40, 60, 50] : [5, 30, 20];
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);

const bytes32 = (text: string) => id(text) as Bytes32;
const HASHES = ["a", "b", "c", "never released"].map((name) => bytes32(`hash ${name}`) as ComposeHash);
const PLATFORMS = ["p", "q", "r"].map((name) => bytes32(`platform ${name}`) as PlatformId);
const IMAGES = ["i", "j"].map((name) => bytes32(`image ${name}`));
const DIGESTS = ["d", "e"].map((name) => bytes32(`digest ${name}`));
const ADVISORIES = ["INTEL-SA-00001", "INTEL-SA-00002", "INTEL-SA-00003"];
const SETS = [["INTEL-SA-00001"], ["INTEL-SA-00001", "INTEL-SA-00002"], ["INTEL-SA-00002", "INTEL-SA-00003"]];
const OPERATORS = [`0x${"aa".repeat(20)}`, `0x${"bb".repeat(20)}`] as Address[];
/** Nobody publishes this set: it must deny on both sides. */
const UNPUBLISHED = bytes32("INTEL-SA-00003");
const CLOCK = "0x000000000000000000000000000000000000c10c";

/** One real app, and the same app folded from its events. */
interface Twins {
  readonly charter: Charter;
  readonly app: App & IAppAuth;
  readonly address: Address;
  readonly state: ChainState;
  readonly sets: readonly Bytes32[];
  readonly expressions: readonly Bytes32[];
}

describe("policy: the contract and its twin", function () {
  this.timeout(isLong ? 3_600_000 : 120_000);
  let connection: Connection;
  before(async () => {
    connection = await openChain();
    // Returns the time of the block that a call runs in.
    await connection.provider.request({ method: "hardhat_setCode", params: [CLOCK, "0x425f5260205ff3"] });
  });
  after(() => connection.close());

  it(`policy_randomHistories_bothAnswerAlike (SEED=${seed})`, async () => {
    const next = random(seed);
    const seen = new Map<string, number>();
    for (let round = 0; round < APPS; round++) {
      const twins = await begin(connection, next, round);
      for (let step = 0; step < CHANGES; step++) {
        await change(twins, next);
        const time = Number(await connection.ethers.provider.call({ to: CLOCK }));
        for (let question = 0; question < QUESTIONS; question++) {
          const reason = next.chance(0.3)
            ? await askBootInfo(twins, next, time)
            : await askFacts(twins, next, time);
          seen.set(reason, (seen.get(reason) ?? 0) + 1);
        }
      }
    }
    console.log(`      ${[...seen].map(([reason, count]) => `${reason} ${count}`).join(", ")}`);
    // A run that never reaches an answer says nothing about it. The rare ones need the long profile.
    for (const reason of [...COMMON, ...(isLong ? RARE : [])]) {
      expect(seen.get(reason) ?? 0, reason).to.be.greaterThan(0);
    }
  });
});

const COMMON = [
  "Allowed",
  "ReleaseNotAllowed",
  "TcbStatusNotAllowed",
  "TeeKindNotAllowed",
  "OsImageNotAllowed",
];
const RARE = [
  "AdvisoryNotAllowed",
  "NodeNotAllowed",
  "GpuMissing",
  "ProofMissing",
  "BootInfoNotAccepted",
  "WrongApp",
];

async function begin(connection: Connection, next: Random, round: number): Promise<Twins> {
  const charter = await deployContracts(connection);
  const state = emptyChainState();
  const { advisorySets, endorsements } = charter;
  const sets: Bytes32[] = [UNPUBLISHED];
  for (const ids of SETS) {
    sets.push((await advisorySets.publish.staticCall(ids)) as Bytes32);
    await fold(charter, state, "advisorySets", await advisorySets.publish(ids));
  }
  const list = (await endorsements.createList.staticCall(charter.owner)) as Bytes32;
  await fold(charter, state, "endorsements", await endorsements.createList(charter.owner));
  await fold(
    charter,
    state,
    "endorsements",
    await endorsements.connect(charter.owner).curate(list, [PLATFORMS[2] as Bytes32], true),
  );
  const define = async (op: EndorsementOp, terms: readonly Bytes32[]): Promise<Bytes32> => {
    const sorted = [...terms].sort();
    const known = (await endorsements.defineExpression.staticCall(op, sorted)) as Bytes32;
    await fold(charter, state, "endorsements", await endorsements.defineExpression(op, sorted));
    return known;
  };
  const operator = await define(EndorsementOp.Operator, [padded(OPERATORS[0] as Address)]);
  const platform = await define(EndorsementOp.Platform, [PLATFORMS[1] as Bytes32]);
  const listed = await define(EndorsementOp.PlatformList, [list]);
  const both = await define(EndorsementOp.AllOf, [operator, platform]);
  const either = await define(EndorsementOp.AnyOf, [both, listed]);

  const settings: Entry[] = [
    { kind: SettingKind.TeeKind, key: numberKey(1), value: 1n },
    { kind: SettingKind.TcbStatus, key: numberKey(TcbStatus.UpToDate), value: 1n },
    { kind: SettingKind.ProofSystem, key: numberKey(2), value: 1n },
    { kind: SettingKind.MaxEvidenceAge, key: ZERO_KEY, value: 100n },
    { kind: SettingKind.OsImage, key: IMAGES[0] as Bytes32, value: DIGESTS[0] as Bytes32 },
    { kind: SettingKind.Node, key: PLATFORMS[0] as Bytes32, value: 1n },
    { kind: SettingKind.AcceptBootInfo, key: ZERO_KEY, value: BigInt(round % 3 === 0 ? 0 : 1) },
    { kind: SettingKind.GpuRequired, key: ZERO_KEY, value: BigInt(round % 2) },
  ];
  const all = {
    noticeSeconds: 20,
    graceSeconds: 100,
    composeHash: HASHES[0] as string,
    noteDigest: id("n"),
    settings,
  };
  const args = [charter.owner.address, ZeroAddress, all, id(`twin ${round}`)] as const;
  const address = (await charter.appRegistry.createApp.staticCall(...args)).toLowerCase() as Address;
  await fold(charter, state, "app", await charter.appRegistry.createApp(...args), address);
  const app = (await connection.ethers.getContractAt("App", address)).connect(charter.owner);
  const auth = await connection.ethers.getContractAt("IAppAuth", address);
  const joined = Object.assign(Object.create(app) as object, { isAppAllowed: auth.isAppAllowed });
  return {
    charter,
    app: joined as unknown as App & IAppAuth,
    address,
    state,
    sets,
    expressions: [operator, platform, listed, both, either, bytes32("nobody defined this")],
  };
}

/** Folds what a transaction's logs of this contract say. */
async function fold(
  charter: Charter,
  state: ChainState,
  contract: ChainEvent["contract"],
  sent: {
    wait(): Promise<{ logs: readonly Log[]; blockNumber: number; blockHash: string; hash: string } | null>;
  },
  address?: Address,
): Promise<void> {
  const receipt = await sent.wait();
  const block = await charter.connection.ethers.provider.getBlock("latest");
  for (const log of receipt?.logs ?? []) {
    if (address !== undefined && log.address.toLowerCase() !== address) continue;
    const event = eventOf(contract, log, Number(block?.timestamp));
    if (event) applyEvent(state, event);
  }
}

/** One change, or an attempt at one: what the contract refuses changes neither. */
async function change(twins: Twins, next: Random): Promise<void> {
  const { app, charter, state, address } = twins;
  await charter.connection.networkHelpers.time.increase(1 + next.below(25));
  const now = await charter.connection.networkHelpers.time.latest();
  const entry = next.pick<Entry>([
    { kind: SettingKind.TeeKind, key: numberKey(next.pick([1, 2, 2, 2])), value: BigInt(next.below(2)) },
    { kind: SettingKind.TcbStatus, key: numberKey(1 + next.below(6)), value: BigInt(next.below(2)) },
    {
      kind: SettingKind.TcbStatusUntil,
      key: numberKey(1 + next.below(6)),
      value: BigInt(now + next.below(120)),
    },
    {
      kind: SettingKind.Advisory,
      key: advisoryKey(next.pick(ADVISORIES)),
      value: BigInt(now + next.below(400)),
    },
    { kind: SettingKind.ProofSystem, key: numberKey(next.pick([1, 2, 3])), value: BigInt(next.below(2)) },
    { kind: SettingKind.OsImage, key: next.pick(IMAGES), value: BigInt(next.pick([ZERO_KEY, ...DIGESTS])) },
    { kind: SettingKind.Node, key: next.pick(PLATFORMS), value: BigInt(next.below(2)) },
    { kind: SettingKind.AnyNode, key: ZERO_KEY, value: BigInt(next.below(4) === 0 ? 1 : 0) },
    { kind: SettingKind.GpuRequired, key: ZERO_KEY, value: BigInt(next.below(4) === 0 ? 1 : 0) },
    { kind: SettingKind.AcceptBootInfo, key: ZERO_KEY, value: 1n },
    {
      kind: SettingKind.Endorsement,
      key: ZERO_KEY,
      value: BigInt(next.pick([ZERO_KEY, ...twins.expressions])),
    },
  ]);
  const head = await app.head();
  const call = next.pick([
    () => app.loosen([entry]),
    () => app.loosen([entry]),
    () => app.loosen([entry]),
    () => app.tighten([entry]),
    () => app.propose(next.pick(HASHES.slice(0, 3)), id("n"), head, next.below(100)),
    () => app.propose(next.pick(HASHES.slice(0, 3)), id("n"), head, next.below(100)),
    () => app.propose(next.pick(HASHES.slice(0, 3)), id("n"), head, next.below(100)),
    () => (next.chance(0.3) ? app.revokeByHash(next.pick(HASHES)) : app.loosen([entry])),
  ]);
  const sent = await call().catch(() => null);
  if (sent) await fold(charter, state, "app", sent, address);
}

async function askFacts({ app, address, state, sets }: Twins, next: Random, time: number): Promise<string> {
  // Mostly what could be allowed, so that every check is reached.
  const mostly = <T>(likely: T, others: readonly T[]): T => (next.chance(0.75) ? likely : next.pick(others));
  const known = state.apps.get(address) as AppState;
  const facts: Facts = {
    release: mostly(headAt(known, time)?.number ?? 1, [0, 1, known.releases.length, 99]),
    platformId: mostly(PLATFORMS[0] as PlatformId, PLATFORMS),
    operator: next.pick([null, ...OPERATORS]),
    osImageHash: mostly(IMAGES[0] as Bytes32, IMAGES),
    measurementDigest: mostly(DIGESTS[0] as Bytes32, DIGESTS),
    pinnedMeasurementDigest: next.pick(DIGESTS),
    kind: mostly<number>(1, [0, 2, 3, 4]) as TeeKind,
    status: next.pick<number>([1, 1, 1, 0, 2, 3, 4, 5, 6, 7]) as TcbStatus,
    advisoriesDigest: next.pick([ZERO_KEY, ZERO_KEY, ...sets]),
    gpu: next.chance(0.8),
    proofSystems: mostly(0b1110, [0, 0b10, 0b100, 0b110]),
    simulated: next.chance(0.3),
  };
  const theirs = Number(await app.judge({ ...facts, operator: facts.operator ?? ZeroAddress }));
  const ours = judge(known, facts, { time, chainId: 31_337, library: state.library });
  expect(nameOf(Reason, ours), JSON.stringify({ facts, time })).to.equal(nameOf(Reason, theirs));
  return nameOf(Reason, ours);
}

async function askBootInfo({ app, address, state }: Twins, next: Random, time: number): Promise<string> {
  const mostly = <T>(likely: T, others: readonly T[]): T => (next.chance(0.75) ? likely : next.pick(others));
  const bootInfo: BootInfo = {
    appId: mostly(address, [OPERATORS[0] as Address]),
    composeHash: next.pick(HASHES),
    instanceId: OPERATORS[1] as Address,
    deviceId: next.pick(PLATFORMS),
    mrAggregated: bytes32("aggregated"),
    mrSystem: bytes32("system"),
    osImageHash: next.pick(IMAGES),
    tcbStatus: mostly("UpToDate", ["", "OutOfDate", "SWHardeningNeeded", "Unknown", "uptodate", "Revoked"]),
    advisoryIds: mostly<readonly string[]>([], [...SETS, ["", "x"]]),
  };
  const [allowed, text] = await app.isAppAllowed({ ...bootInfo, advisoryIds: [...bootInfo.advisoryIds] });
  const ours = judgeBootInfo(state.apps.get(address), bootInfo, time, state.library);
  expect(
    { allowed: ours.reason === Reason.Allowed, text: ours.text },
    JSON.stringify({ bootInfo, time }),
  ).to.deep.equal({ allowed, text });
  return nameOf(Reason, ours.reason);
}
