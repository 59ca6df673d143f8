import { id, ZeroAddress, type Wallet } from "ethers";

import type { App } from "../../../types/typechain/index.ts";
import type { Random } from "../../support/random.ts";
import { GAS, took } from "./chain.ts";
import type { Choices } from "./choices.ts";

type Operation = () => Promise<boolean>;

/** Does to one app whatever its choices allow, with an account that may or may not be allowed to. */
export class AppPlayer {
  readonly #app: App;
  readonly #accounts: readonly Wallet[];
  readonly #rebuilders: readonly Wallet[];
  readonly #choices: readonly Choices[];
  readonly #random: Random;
  #hashes = 0;

  constructor(options: {
    readonly app: App;
    /** Owner and guardian, now or later. */
    readonly accounts: readonly Wallet[];
    readonly rebuilders: readonly Wallet[];
    readonly choices: readonly Choices[];
    readonly random: Random;
  }) {
    this.#app = options.app;
    this.#accounts = options.accounts;
    this.#rebuilders = options.rebuilders;
    this.#choices = options.choices;
    this.#random = options.random;
  }

  /** What a step may be; the more often a name stands here the likelier it is. */
  get operations(): readonly Operation[] {
    return [
      ...[this.change, this.change, this.change, this.cancelLoosening, this.cancelLoosening],
      ...[this.propose, this.propose, this.propose, this.report, this.report, this.veto, this.revoke],
      ...[this.setGuardian, this.cancelGuardianChange, this.transferOwnership, this.acceptOwnership],
      this.setReplicas,
    ];
  }

  /** Tightens or loosens an entry of this kind, or of any. */
  readonly change = async (kind?: number): Promise<boolean> => {
    const choices = this.#choices.find((of) => of.kind === kind) ?? this.#random.pick(this.#choices);
    const entry = {
      kind: choices.kind,
      key: this.#random.pick(choices.keys),
      value: this.#random.pick(choices.values),
    };
    const app = await this.#asOwner();
    return (await took(app.tighten([entry], GAS))) || took(app.loosen([entry], GAS));
  };

  readonly cancelLoosening = async (): Promise<boolean> => {
    const waiting: [number, string][] = [];
    for (const { kind, keys } of this.#choices) {
      for (const key of keys) if ((await this.#app.setting(kind, key)).effectiveAt) waiting.push([kind, key]);
    }
    if (waiting.length === 0) return false;
    return took((await this.#asOwnerOrGuardian()).cancelLoosening(...this.#random.pick(waiting), GAS));
  };

  /** Proposes new code, or sometimes what was there before. */
  readonly propose = async (): Promise<boolean> => {
    const app = await this.#asOwner();
    const which = this.#random.chance(0.2) ? this.#random.below(this.#hashes + 1) : ++this.#hashes;
    const head = await app.head();
    const grace = this.#random.pick([0, 40, 400]);
    return took(app.propose(id(`code ${which}`), id(`note ${which}`), head, grace, GAS));
  };

  readonly report = async (matching?: boolean): Promise<boolean> => {
    const [newest] = await this.#app.liveReleases();
    const rebuilder = this.#random.pick(this.#rebuilders);
    const matches = matching ?? this.#random.chance(0.6);
    const proposed = await this.#app.queryFilter(this.#app.filters.ReleaseProposed(newest?.number));
    const built = matches ? proposed[0]?.args.composeHash : undefined;
    const number = newest?.number ?? 1n;
    return took(this.#app.connect(rebuilder).reportRebuild(number, built ?? id("something else"), GAS));
  };

  readonly veto = async (): Promise<boolean> =>
    took((await this.#asOwnerOrGuardian()).veto(await this.#app.lastRelease(), GAS));

  readonly revoke = async (): Promise<boolean> => {
    const live = await this.#app.liveReleases();
    if (live.length === 0) return false;
    return took((await this.#asOwnerOrGuardian()).revoke(this.#random.pick(live).number, GAS));
  };

  readonly setGuardian = async (): Promise<boolean> => {
    const guardian = this.#random.chance(0.3) ? ZeroAddress : this.#random.pick(this.#accounts).address;
    return took((await this.#asOwner()).setGuardian(guardian, GAS));
  };

  readonly cancelGuardianChange = async (): Promise<boolean> =>
    took((await this.#asOwner()).cancelGuardianChange(GAS));

  readonly transferOwnership = async (): Promise<boolean> => {
    const to = this.#random.chance(0.2) ? ZeroAddress : this.#random.pick(this.#accounts).address;
    return took((await this.#asOwner()).transferOwnership(to, GAS));
  };

  readonly acceptOwnership = async (): Promise<boolean> => {
    const { pendingOwner } = await this.#app.control();
    const account = this.#accounts.find(({ address }) => address === pendingOwner);
    return account !== undefined && took(this.#app.connect(account).acceptOwnership(GAS));
  };

  readonly setReplicas = async (): Promise<boolean> => {
    const operators = this.#accounts.slice(0, this.#random.below(3)).map(({ address }) => address);
    const selector = { teeKinds: this.#random.below(8), gpu: this.#random.chance(0.5), operators };
    return took((await this.#asOwner()).setReplicas(this.#random.below(9), selector, GAS));
  };

  readonly raiseLevel = async (): Promise<boolean> => {
    const { level } = await this.#app.control();
    return took((await this.#asOwner()).raiseLevel(Number(level) + 1, GAS));
  };

  async #asOwner(): Promise<App> {
    return this.#as(await this.#app.owner());
  }

  async #asOwnerOrGuardian(): Promise<App> {
    const { owner, guardian } = await this.#app.control();
    return this.#as(guardian !== ZeroAddress && this.#random.chance(0.5) ? guardian : owner);
  }

  #as(address: string): App {
    const account = this.#accounts.find((of) => of.address === address);
    if (!account) throw new Error(`no key for ${address}`);
    return this.#app.connect(account);
  }
}
