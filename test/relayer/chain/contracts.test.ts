import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { expect } from "chai";
import { encodeAbiParameters, encodeFunctionData, keccak256, parseEventLogs } from "viem";
import type { Abi, PublicClient } from "viem";

import { appAbi } from "../../../protocol/abi/app.ts";
import { appRegistryAbi } from "../../../protocol/abi/appRegistry.ts";
import type { Deployment } from "../../../protocol/deployment/deployment.ts";
import { headAt, releaseAllowedAt, releasesAt } from "../../../protocol/policy/releases.ts";
import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import { effectiveGuardian, effectiveSetting } from "../../../protocol/policy/settings.ts";
import type { AppState, ChainState } from "../../../protocol/state/types.ts";
import type { Address, Bytes32, Hex } from "../../../protocol/words/hex.ts";
import { createChainClient } from "../../../relayer/chain/client.ts";
import { Follower } from "../../../relayer/chain/follower.ts";
import { openStore } from "../../../relayer/store/store.ts";
import type { Store } from "../../../relayer/store/store.ts";
import { startAnvil } from "../../support/anvil.ts";
import type { Anvil } from "../../support/anvil.ts";
import { random } from "../../support/random.ts";
import { freshDatabase } from "../../support/postgres.ts";
import { account, placeDeployment, word } from "./scene.ts";

const ARTIFACT = fileURLToPath(
  new URL("../../../artifacts/contracts/apps/AppRegistry.sol/AppRegistry.json", import.meta.url),
);
/** Operations are picked at random, so no call's type is known. */
const ANY_CALL: Abi = appAbi;
const CLOCK = account(0xc10c);
const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);

/** anvil's second and third account. */
const REBUILDERS: readonly Address[] = [
  "0x70997970c51812dc3a010c7d01b50e0d17dc79c8" as Address,
  "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc" as Address,
];

const ENTRIES: readonly { kind: SettingKind; key: Bytes32; values: readonly bigint[] }[] = [
  { kind: SettingKind.Notice, key: word(0), values: [0n, 10n, 40n, 90n] },
  { kind: SettingKind.Grace, key: word(0), values: [0n, 20n, 60n] },
  { kind: SettingKind.TcbStatus, key: word(1), values: [0n, 1n] },
  { kind: SettingKind.TcbStatus, key: word(2), values: [0n, 1n] },
  { kind: SettingKind.Node, key: word(77), values: [0n, 1n] },
  { kind: SettingKind.AnyNode, key: word(0), values: [0n, 1n] },
  { kind: SettingKind.OsImage, key: word(6), values: [0n, 5n, 7n] },
  { kind: SettingKind.MaxEvidenceAge, key: word(0), values: [10n, 100n] },
  { kind: SettingKind.AcceptBootInfo, key: word(0), values: [0n, 1n] },
  { kind: SettingKind.TcbStatusUntil, key: word(5), values: [0n, 2_000_000_000n, 3_000_000_000n] },
  { kind: SettingKind.Advisory, key: word(0xad), values: [0n, 2_000_000_000n] },
  { kind: SettingKind.GpuRequired, key: word(0), values: [0n, 1n] },
  { kind: SettingKind.Endorsement, key: word(0), values: [0n, 8n, 9n] },
  { kind: SettingKind.ReviewSeconds, key: word(0), values: [0n, 60n] },
  { kind: SettingKind.RebuildsRequired, key: word(0), values: [0n, 1n, 1n, 2n] },
  ...REBUILDERS.map((account) => ({
    kind: SettingKind.Rebuilder,
    key: word(BigInt(account)),
    values: [0n, 1n],
  })),
];

describe("follower over the real contracts", function () {
  this.timeout(120_000);
  let anvil: Anvil;
  let client: PublicClient;
  let store: Store;
  let deployment: Deployment;
  let accounts: Address[];

  before(async function () {
    // `npm run compile` makes it; the suites that run before this one do.
    if (!existsSync(ARTIFACT)) return this.skip();
    anvil = await startAnvil(["--no-mining"]);
    client = createChainClient([anvil.url]);
    accounts = await anvil.rpc<Address[]>("eth_accounts");
    const { bytecode } = JSON.parse(readFileSync(ARTIFACT, "utf8")) as { bytecode: Hex };
    deployment = await placeDeployment(anvil);
    // What policies refer to is asked elsewhere; here nobody stands at those addresses.
    const nobody = `${"00".repeat(32)}${"00".repeat(32)}`;
    const hash = await send(accounts[0] as Address, null, `${bytecode}${nobody}`);
    const { contractAddress } = await client.getTransactionReceipt({ hash });
    deployment = { ...deployment, appRegistry: contractAddress?.toLowerCase() as Address };
    // Returns its block's time: by which the views below judge.
    await anvil.rpc("anvil_setCode", CLOCK, "0x425f5260205ff3");
    store = await openStore(await freshDatabase());
  });
  after(async () => {
    await (store as Store | undefined)?.close();
    await (anvil as Anvil | undefined)?.stop();
  });

  const send = async (from: Address, to: Address | null, data: Hex) => {
    const hash = await anvil.rpc<Hex>("eth_sendTransaction", {
      from,
      ...(to && { to }),
      data,
      gas: "0x1000000",
    });
    await anvil.rpc("evm_mine");
    return hash;
  };

  async function createApp(owner: Address, guardian: Address, salt: number): Promise<Address> {
    const settings = {
      noticeSeconds: 20,
      graceSeconds: 30,
      composeHash: word(0x1001),
      noteDigest: word(3),
      settings: [
        { kind: SettingKind.TeeKind, key: word(1), value: 1n },
        { kind: SettingKind.TcbStatus, key: word(1), value: 1n },
        { kind: SettingKind.ProofSystem, key: word(2), value: 1n },
        { kind: SettingKind.MaxEvidenceAge, key: word(0), value: 100n },
        ...REBUILDERS.map((account) => ({
          kind: SettingKind.Rebuilder,
          key: word(BigInt(account)),
          value: 1n,
        })),
      ],
    };
    const args = [owner, guardian, settings, word(salt)] as const;
    const data = encodeFunctionData({ abi: appRegistryAbi, functionName: "createApp", args });
    const { logs } = await client.getTransactionReceipt({
      hash: await send(owner, deployment.appRegistry, data),
    });
    const [created] = parseEventLogs({ abi: appRegistryAbi, logs, eventName: "AppCreated" });
    if (!created) throw new Error("no app");
    return created.args.app.toLowerCase() as Address;
  }

  /** Everything that the contract's views say, beside what the fold says. */
  async function compare(app: Address, state: ChainState): Promise<void> {
    const folded = state.apps.get(app) as AppState;
    const { data } = await client.call({ to: CLOCK });
    const time = Number(data);
    const read = { address: app, abi: appAbi } as const;
    const control = await client.readContract({ ...read, functionName: "control" });
    const orZero = (address: Address | null) => address ?? account(0);
    expect({
      owner: control.owner.toLowerCase(),
      pendingOwner: control.pendingOwner.toLowerCase(),
      guardian: control.guardian.toLowerCase(),
      level: control.level,
      floor: control.noticeFloorSeconds,
      notice: control.noticeSeconds,
      grace: control.graceSeconds,
    }).to.deep.equal({
      owner: folded.owner,
      pendingOwner: orZero(folded.pendingOwner),
      guardian: orZero(effectiveGuardian(folded, time)),
      level: folded.level,
      floor: folded.noticeFloorSeconds,
      notice: Number(effectiveSetting(folded, SettingKind.Notice, word(0), time)),
      grace: Number(effectiveSetting(folded, SettingKind.Grace, word(0), time)),
    });
    expect(await client.readContract({ ...read, functionName: "lastRelease" })).to.equal(
      folded.releases.length,
    );
    expect(await client.readContract({ ...read, functionName: "head" }), "head").to.equal(
      headAt(folded, time)?.number ?? 0,
    );
    for (const live of await client.readContract({ ...read, functionName: "liveReleases" })) {
      const { activatesAt, endsAt } = releasesAt(folded, time)[live.number - 1] ?? {};
      expect(endsAt, `end of release ${live.number}`).to.equal(live.endsAt);
      // Of releases that another one follows, the contract remembers only the end.
      if (live.activatesAt !== 0) expect(activatesAt, `start of ${live.number}`).to.equal(live.activatesAt);
    }
    for (const { number } of folded.releases) {
      const allowed = await client.readContract({
        ...read,
        functionName: "isReleaseNumberAllowed",
        args: [number],
      });
      expect(releaseAllowedAt(folded, number, time), `release ${number} at ${time}`).to.equal(allowed);
    }
    for (const { kind, key } of ENTRIES) {
      const [value] = await client.readContract({ ...read, functionName: "setting", args: [kind, key] });
      expect(effectiveSetting(folded, kind, key, time), `entry ${kind}`).to.equal(value);
    }
    const [replicas, digest] = await client.readContract({ ...read, functionName: "replicas" });
    expect(folded.replicas).to.equal(replicas);
    if (replicas !== 0) {
      const selector = appAbi.find((item) => item.type === "function" && item.name === "setReplicas")
        ?.inputs[1];
      expect(keccak256(encodeAbiParameters([selector as never], [folded.selector] as never))).to.equal(
        digest,
      );
    }
  }

  it(`replays events to the state that the contracts have (SEED=${seed})`, async () => {
    const next = random(seed);
    const { pick } = next;
    const [owner, guardian, other] = accounts as [Address, Address, Address];
    const following = new Follower({ client, store, deployment, finality: 0 });
    await following.start();
    let applied = 0;
    for (let round = 0; round < 6; round++) {
      const app = await createApp(owner, pick([guardian, account(0)]), seed + round);
      for (let step = 0; step < 40; step++) {
        await following.tick();
        const folded = following.projection().newest.state.apps.get(app) as AppState;
        const last = folded.releases.length;
        const entry = pick(ENTRIES);
        const changes = [{ kind: entry.kind, key: entry.key, value: pick(entry.values) }];
        const number = Math.max(1, last - Math.floor(next() * 3));
        const head = headAt(folded, following.projection().newest.block.timestamp)?.number ?? 0;
        const selector = { teeKinds: 2, gpu: next() < 0.5, operators: [owner] };
        const call = pick([
          ["propose", [word(0x1000 + Math.floor(next() * 6)), word(4), head, pick([0, 10, 30])]],
          ["propose", [word(0x1000 + Math.floor(next() * 6)), word(4), head, pick([0, 10, 30])]],
          ["veto", [last]],
          ["revoke", [number]],
          ["revokeByHash", [word(0x1000 + Math.floor(next() * 6))]],
          ["tighten", [changes]],
          ["loosen", [changes]],
          ["loosen", [changes]],
          ["cancelLoosening", [entry.kind, entry.key]],
          ["reportRebuild", [last, pick([folded.releases[last - 1]?.composeHash ?? word(1), word(2)])]],
          ["reportRebuild", [last, folded.releases[last - 1]?.composeHash ?? word(1)]],
          ["setGuardian", [pick([guardian, other, account(0)])]],
          ["cancelGuardianChange", []],
          ["transferOwnership", [pick([account(0), other])]],
          ["acceptOwnership", []],
          ["setReplicas", [Math.floor(next() * 4), selector]],
          ...(next() < 0.1 ? [["raiseLevel", [1 + Math.floor(next() * 4)]]] : []),
        ] as [string, unknown[]][]);
        const [functionName, args] = call;
        const from =
          functionName === "reportRebuild"
            ? pick([guardian, other])
            : functionName === "acceptOwnership"
              ? other
              : next() < 0.1
                ? guardian
                : folded.owner;
        const data = encodeFunctionData({ abi: ANY_CALL, functionName, args });
        await anvil.rpc("evm_increaseTime", Math.floor(next() * 30));
        const hash = await send(from, app, data);
        const receipt = await client.getTransactionReceipt({ hash });
        if (receipt.status === "success") applied += 1;
        if (next() < 0.05) {
          await anvil.rpc("anvil_reorg", 1, []);
          await anvil.rpc("evm_mine"); // What the reorg dropped waits in the pool, and may come back.
        }
        await following.tick();
        if (following.projection().newest.state.apps.has(app))
          await compare(app, following.projection().newest.state);
        else break; // A reorg took the app itself.
      }
    }
    expect(applied, "enough operations took effect to say anything").to.be.greaterThan(40);
    const restarted = new Follower({ client, store, deployment, finality: 0 });
    await restarted.start();
    expect(restarted.projection().newest.state).to.deep.equal(following.projection().newest.state);
  });
});
