import { expect } from "chai";
import {
  createPublicClient,
  createWalletClient,
  encodeFunctionData,
  http,
  parseEventLogs,
  type Abi,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";

import { appAbi } from "../../protocol/abi/app.ts";
import { governorAbi } from "../../protocol/abi/governor.ts";
import { toJson } from "../../cli/support/output.ts";
import { afterChange, type Change } from "../../protocol/policy/change.ts";
import { headAt, pendingAt } from "../../protocol/policy/releases.ts";
import { SettingKind } from "../../protocol/policy/settingKind.ts";
import { effectiveSetting, ZERO_KEY } from "../../protocol/policy/settings.ts";
import { applyEvent } from "../../protocol/state/applyEvent.ts";
import { emptyChainState } from "../../protocol/state/chainState.ts";
import { decodeLog } from "../../protocol/state/decodeLog.ts";
import type { AppState, ChainState } from "../../protocol/state/types.ts";
import type { Address, Bytes32, ComposeHash, Hex } from "../../protocol/words/hex.ts";
import { devnetAccounts } from "../../scripts/devnet/accounts.ts";
import { attestInstance, MEASUREMENT, OS_IMAGE, PLATFORM_ID } from "./support/attest.ts";
import { startGovernedChain, type GovernedChain } from "./support/governedChain.ts";

const { owner, lease } = devnetAccounts;
const NOTICE = 100;
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);

interface Simulated {
  readonly time: number;
  readonly live: number;
  readonly stops: { key: string; stopsAt: number; reason: string; otherwiseAt: number | null }[];
  readonly ineligible: { node: number; at: number }[];
  readonly eligible: { node: number; at: number }[];
}

describe("charter simulate", function () {
  this.timeout(180_000);
  let chain: GovernedChain;
  let app: Address;
  let instance: Address;

  const done = async <T>(...args: string[]): Promise<T> => {
    const run = await chain.as(owner, ...args);
    expect(run.stderr, args.join(" ")).to.equal("");
    return run.result<T>();
  };
  const simulate = (...args: string[]) => done<Simulated>("simulate", ...args);
  const compose = (image: string): string[] => {
    const file = chain.folder.file(
      `${image.replace(/\W/g, "-")}.yml`,
      `services:\n  web:\n    image: ${image}\n`,
    );
    return ["--compose", file, "--name", "hello", "--lease-signer", lease.address];
  };

  before(async () => {
    chain = await startGovernedChain();
    const rules = ["--notice", String(NOTICE), "--grace", "50", "--os-image", `${OS_IMAGE}:${MEASUREMENT}`];
    const created = await done<{ app: Address; composeHash: Bytes32 }>(
      ...["app", "create", ...compose("busybox:1.36"), ...rules, "--node", PLATFORM_ID],
    );
    app = created.app;
    instance = await attestInstance(chain, app, created.composeHash);
  });
  after(() => chain.stop());

  it("says what a change of policy would stop and shut out, in the direction that the contract accepts", async () => {
    const tightened = await simulate("policy", app, `Node:${PLATFORM_ID}=0`);
    expect(tightened).to.deep.include({
      live: 1,
      stops: [
        {
          ...tightened.stops[0],
          key: instance,
          stopsAt: tightened.time,
          reason: "NodeNotAllowed",
          otherwiseAt: null,
        },
      ],
    });
    expect(tightened.ineligible).to.have.length(1);
    const loosened = await simulate("policy", app, "AnyNode=1");
    expect(loosened).to.deep.include({ live: 1, stops: [], ineligible: [], eligible: [] });
    const wrongWay = await chain.as(owner, "simulate", "policy", app, "AnyNode=1", "--tighten");
    expect(wrongWay.exitCode).to.equal(2);
    expect(wrongWay.error().details).to.include({ error: "NotATightening" });
    const neither = await chain.as(owner, "simulate", "policy", app, `Node:${PLATFORM_ID}=0`, "AnyNode=1");
    expect(neither.exitCode).to.equal(2);
    expect(neither.error().details).to.include({ error: "NotALoosening" });
  });

  it("says what a new release and a revocation would stop, and when", async () => {
    const at = ["--at", "4000000000"];
    const proposed = await simulate("release", app, ...compose("busybox:1.37"), "--grace", "50");
    expect(proposed.stops[0]).to.include({
      reason: "ReleaseNotAllowed",
      stopsAt: proposed.time + NOTICE + 50,
    });
    const revoked = await simulate("release", app, "--revoke", "1");
    expect(revoked.stops[0]).to.include({ reason: "ReleaseNotAllowed", stopsAt: revoked.time });
    const refused = await chain.as(owner, "simulate", "release", app, "--revoke", "2");
    expect(refused.error().details).to.include({ error: "ReleaseNotLive" });
    // By then this evidence has expired: nothing is live that could stop.
    expect(await simulate("release", app, "--revoke", "1", ...at)).to.include({
      time: 4_000_000_000,
      live: 0,
    });
    expect(
      (await chain.as(owner, "simulate", "release", app, "--revoke", "1", ...compose("x"))).exitCode,
    ).to.equal(1);
    expect((await done<{ instances: { live: boolean }[] }>("instance", "list")).instances[0]?.live).to.equal(
      true,
    );
  });

  it("says what a proposal would stop if it were executed", async () => {
    await done("owner", "transfer", app, chain.deployment.timelock);
    const accepted = await done<{ proposal: string }>("--governor", "deployment", "owner", "accept", app);
    const nothing = await chain.as(owner, "simulate", "proposal", accepted.proposal);
    expect(nothing.exitCode).to.equal(2);
    expect(nothing.error().code).to.equal("simulate/not-a-change");
    await done("owner", "transfer", app, `0x${"00".repeat(20)}`);

    const data = encodeFunctionData({ abi: appAbi, functionName: "revoke", args: [1] });
    const hash = await walletOf(chain).writeContract({
      chain: null,
      address: chain.deployment.governor,
      abi: governorAbi,
      functionName: "propose",
      args: [[app], [0n], [data], "# End release 1"],
    });
    const { logs } = await clientOf(chain).waitForTransactionReceipt({ hash });
    const [made] = parseEventLogs({ abi: governorAbi, eventName: "ProposalCreated", logs });
    const proposal = String(made?.args.proposalId);
    const { apps } = await done<{ apps: Simulated[] }>("simulate", "proposal", proposal);
    expect(apps[0]?.stops[0]).to.include({ key: instance, reason: "ReleaseNotAllowed" });
  });

  it(`predicts the contract over random histories (SEED=${seed})`, async () => {
    const random = randomOf(seed);
    const agreed = { tighten: 0, loosen: 0, revoke: 0, propose: 0, veto: 0 };
    for (let round = 0; round < 4; round++) {
      const salt = `0x${(1_000 + round).toString(16).padStart(64, "0")}`;
      const created = await done<{ app: Address; transaction: Hex }>(
        ...["app", "create", "--compose-hash", hashOf(1), "--notice", "30", "--grace", "90", "--salt", salt],
      );
      const state = emptyChainState();
      await fold(chain, state, created.app, created.transaction);
      for (let step = 0; step < 60; step++) {
        const known = state.apps.get(created.app) as AppState;
        const time = Number((await clientOf(chain).getBlock()).timestamp) + 1 + random(30);
        const pending = pendingAt(known, time);
        const change: Change | "veto" =
          pending && random(4) === 0 ? "veto" : randomChange(random, known, time);
        const action = change === "veto" ? change : change.action;
        const name = `round ${round}, step ${step}: ${toJson(change)}`;
        const predicted = change === "veto" ? null : predictedBy(state, created.app, change, time);
        await chain.anvil.rpc("evm_setNextBlockTimestamp", time);
        const args = change === "veto" ? [pending?.number ?? 0] : argsOf(known, change, time);
        const { hash, accepted } = await call(chain, created.app, action, args);
        if (action === "propose" || action === "revoke") expect(accepted, name).to.equal(predicted !== null);
        if (!accepted) continue;
        await fold(chain, state, created.app, hash);
        agreed[action] += 1;
        if (action !== "veto") expect(predicted, name).to.deep.equal(state.apps.get(created.app));
      }
    }
    // Nothing was agreed on by being refused throughout.
    for (const [action, count] of Object.entries(agreed)) expect(count, action).to.be.greaterThan(0);
  });
});

const walletOf = ({ anvil }: GovernedChain) =>
  createWalletClient({ account: privateKeyToAccount(owner.key), transport: http(anvil.url) });
const clientOf = ({ anvil }: GovernedChain) =>
  createPublicClient({ transport: http(anvil.url), cacheTime: 0, pollingInterval: 10 });

/** Sends without asking first: a question would be answered for another time than that of the block to come. */
async function call(chain: GovernedChain, address: Address, functionName: string, args: readonly unknown[]) {
  const abi: Abi = appAbi;
  const gas = 500_000n;
  const hash = await walletOf(chain).writeContract({ chain: null, gas, address, abi, functionName, args });
  const { status } = await clientOf(chain).waitForTransactionReceipt({ hash });
  return { hash, accepted: status === "success" };
}

async function fold(chain: GovernedChain, state: ChainState, app: Address, hash: Hex): Promise<void> {
  const client = clientOf(chain);
  const receipt = await client.waitForTransactionReceipt({ hash });
  const { timestamp } = await client.getBlock({ blockNumber: receipt.blockNumber });
  for (const log of receipt.logs.filter((one) => one.address.toLowerCase() === app)) {
    const event = decodeLog("app", {
      ...log,
      address: app,
      topics: log.topics as readonly Hex[],
      blockHash: log.blockHash as Bytes32,
      blockTimestamp: Number(timestamp),
    });
    if (event) applyEvent(state, event);
  }
}

function predictedBy(state: ChainState, app: Address, change: Change, time: number): AppState | null {
  try {
    return afterChange(state, app, change, time).apps.get(app) ?? null;
  } catch (error) {
    expect(error).to.have.property("code", "simulate/not-possible");
    return null;
  }
}

function argsOf(app: AppState, change: Change, time: number): readonly unknown[] {
  switch (change.action) {
    case "propose":
      return [change.composeHash, ZERO_KEY, headAt(app, time)?.number ?? 0, change.graceSeconds];
    case "revoke":
      return [change.release];
    case "tighten":
    case "loosen":
      return [change.entries];
  }
}

function randomChange(random: (below: number) => number, app: AppState, time: number): Change {
  const last = app.releases.length;
  const notice = Number(effectiveSetting(app, SettingKind.Notice, ZERO_KEY, time));
  switch (random(5)) {
    case 0:
      return { action: "revoke", release: Math.max(1, last - random(3)) };
    case 1: {
      const value = BigInt(notice + random(10));
      return { action: "tighten", entries: [{ kind: SettingKind.Notice, key: ZERO_KEY, value }] };
    }
    case 2: {
      const value = BigInt(random(notice + 1));
      return { action: "loosen", entries: [{ kind: SettingKind.Notice, key: ZERO_KEY, value }] };
    }
    default:
      return {
        action: "propose",
        composeHash: hashOf(last + 1) as string as ComposeHash,
        graceSeconds: random(90),
      };
  }
}

/** mulberry32. */
function randomOf(from: number): (below: number) => number {
  let a = from;
  return (below) => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const hashOf = (number: number): Bytes32 =>
  `0x${(0xc0de0000 + number).toString(16).padStart(64, "0")}` as Bytes32;
