import { Contract, id, Wallet, ZeroHash, type InterfaceAbi, type JsonRpcProvider } from "ethers";

import { advisorySetsAbi } from "../../../protocol/abi/advisorySets.ts";
import { appAbi } from "../../../protocol/abi/app.ts";
import { appRegistryAbi } from "../../../protocol/abi/appRegistry.ts";
import { endorsementsAbi } from "../../../protocol/abi/endorsements.ts";
import { governorAbi } from "../../../protocol/abi/governor.ts";
import { timelockAbi } from "../../../protocol/abi/timelock.ts";
import { votesAbi } from "../../../protocol/abi/votes.ts";
import type { Deployment } from "../../../protocol/deployment/deployment.ts";
import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import { devnetAccounts } from "../../../scripts/devnet/accounts.ts";
import type {
  AdvisorySets,
  App,
  AppRegistry,
  CharterGovernor,
  CharterTimelock,
  CharterVotes,
  Endorsements,
} from "../../../types/typechain/index.ts";
import type { Random } from "../../support/random.ts";
import { AppPlayer } from "./AppPlayer.ts";
import { mined, pass } from "./chain.ts";
import { choicesOf, word, type Choices } from "./choices.ts";
import { curate, defineExpressions, publish } from "./curation.ts";
import { govern, type Governance } from "./governing.ts";

const STEPS_PER_APP = 100;
/** The first app stays Open, so that every kind of its settings goes both ways; the second gives up control. */
const LEVELS = [0, 3] as const;

export interface History {
  readonly apps: readonly App[];
  /** The Timelock's. */
  readonly governed: App;
  readonly governance: Governance;
  readonly endorsements: Endorsements;
  readonly sets: AdvisorySets;
  readonly voters: readonly Wallet[];
  readonly choices: readonly Choices[];
  /** How many steps the contracts accepted, and how many they refused. */
  readonly accepted: number;
  readonly refused: number;
}

/** Plays a history that `random` decides: apps, lists, advisories and a vote. Needs time in its hands (chain.ts). */
export async function playHistory(
  provider: JsonRpcProvider,
  deployment: Deployment,
  random: Random,
): Promise<History> {
  const wallet = ({ key }: { key: string }): Wallet => new Wallet(key, provider);
  const accounts = [devnetAccounts.owner, devnetAccounts.guardian, devnetAccounts.operator].map(wallet);
  const rebuilders = devnetAccounts.committee.map(wallet);
  const owner = wallet(devnetAccounts.owner);
  const at = <T>(address: string, abi: InterfaceAbi): T => new Contract(address, abi, owner) as unknown as T;
  const registry = at<AppRegistry>(deployment.appRegistry, appRegistryAbi);
  const endorsements = at<Endorsements>(deployment.endorsements, endorsementsAbi);
  const sets = at<AdvisorySets>(deployment.advisorySets, advisorySetsAbi);
  const governance = {
    governor: at<CharterGovernor>(deployment.governor, governorAbi),
    timelock: at<CharterTimelock>(deployment.timelock, timelockAbi),
    votes: at<CharterVotes>(deployment.votes, votesAbi),
  };
  const expressions = await defineExpressions(endorsements, owner);
  const choices = choicesOf(
    rebuilders.map(({ address }) => address),
    expressions,
  );

  const create = async (salt: number, by: string): Promise<App> => {
    const settings = {
      noticeSeconds: 30,
      graceSeconds: 600,
      composeHash: id(`first code ${salt}`),
      noteDigest: id("first note"),
      settings: [
        { kind: SettingKind.ProofSystem, key: word(2), value: 1 },
        { kind: SettingKind.RebuildsRequired, key: ZeroHash, value: 1 },
        ...rebuilders.map(({ address }) => ({ kind: SettingKind.Rebuilder, key: word(address), value: 1 })),
      ],
    };
    const guardian = wallet(devnetAccounts.guardian).address;
    const address = await registry.createApp.staticCall(by, guardian, settings, word(salt));
    await mined(registry.createApp(by, guardian, settings, word(salt)));
    return at<App>(address, appAbi);
  };

  const apps: App[] = [];
  let accepted = 0;
  let refused = 0;
  const count = (took: boolean): void => void (took ? accepted++ : refused++);
  for (const [index, levels] of LEVELS.entries()) {
    const app = await create(index + 1, owner.address);
    apps.push(app);
    const player = new AppPlayer({ app, accounts, rebuilders, choices, random });
    await rebuild(player, provider);
    // Each kind at least twice, at random places among the other steps.
    const steps = Array.from({ length: STEPS_PER_APP }, () => random.pick(player.operations));
    for (const { kind } of levels === 0 ? choices.flatMap((of) => [of, of]) : []) {
      steps.splice(random.below(steps.length + 1), 0, () => persist(() => player.change(kind)));
    }
    for (let level = 0; level < levels; level++) {
      const half = steps.length / 2;
      steps.splice(Math.floor(half + random() * half), 0, player.raiseLevel);
    }
    for (const step of steps) {
      count(await step());
      if (random.chance(0.4)) await pass(provider, 1 + random.below(60));
      if (random.chance(0.3)) count(await curate(endorsements, accounts, random));
      if (random.chance(0.1)) count(await publish(sets, random));
    }
  }
  const governed = await create(LEVELS.length + 1, deployment.timelock);
  await govern(governance, governed, { voters: accounts, random, provider });
  return { apps, governed, governance, endorsements, sets, voters: accounts, choices, accepted, refused };
}

/** A release whose rebuilders report in time, and one that lapses. */
async function rebuild(player: AppPlayer, provider: JsonRpcProvider): Promise<void> {
  await persist(player.propose);
  await player.report(false);
  await persist(() => player.report(true));
  await pass(provider, 31);
  await persist(player.propose);
  await pass(provider, 31);
}

/** Until it is accepted: what is picked may be what is so already, or not be possible now. */
async function persist(step: () => Promise<boolean>): Promise<true> {
  for (let tries = 0; tries < 40; tries++) if (await step()) return true;
  throw new Error("the contracts refused 40 times");
}
