import { CharterError, isCharterError } from "../../protocol/errors/CharterError.ts";
import { nodePollTypedData, readPoll, type NodePoll } from "../../protocol/session/nodePoll.ts";
import type { Address } from "../../protocol/words/hex.ts";
import type { KeyGuard } from "../api/limits/KeyGuard.ts";
import { recoverTypedData } from "../keys/recoverTypedData.ts";
import type { PlacementDesk } from "./PlacementDesk.ts";

interface Options {
  readonly chainId: number;
  readonly nodeRegistry: Address;
  readonly placements: Pick<PlacementDesk, "hear" | "isDue">;
  readonly guard: Pick<KeyGuard, "run">;
  /** Unix seconds. */
  readonly now: () => number;
}

/** Who asked what a node shall run, and how they showed that they are its agent. */
export interface AskedPlacements {
  readonly node: number;
  readonly key: Address;
  /** Value of the header, if there was one. */
  readonly poll: unknown;
  /** Where the question came from. */
  readonly address: string;
}

/** A question is of now, give or take clocks, as reports and drains are. */
const MAX_SKEW_SECONDS = 300;

/**
 * Hears nodes' agents when they ask what to run. A question counts when the node's key signed it, just now and later than
 * the one that counted last: an overheard one keeps nobody alive for longer than clocks may differ. One that proves
 * nothing is answered all the same, since placements are public, and no signature is looked at that nothing depends on.
 */
export class NodePolls {
  readonly #options: Options;
  /** When the last question that counted was signed, by key. */
  readonly #lastAt = new Map<Address, number>();

  constructor(options: Options) {
    this.#options = options;
  }

  /** @return whether the node is heard by this question. Never throws for what it says. */
  async hear({ node, key, poll: said, address }: AskedPlacements): Promise<boolean> {
    const { placements, guard } = this.#options;
    const poll = readPoll(said);
    // What costs nothing first: an agent whose clock is off uses up nobody's budget of signatures.
    if (poll === null || !this.#isOfNow(key, poll) || !placements.isDue(node)) return false;
    try {
      await guard.run({ key, address }, async () => this.#requireSigned(key, poll));
    } catch (error) {
      if (!isCharterError(error)) throw error;
      return false;
    }
    this.#lastAt.set(key, poll.at);
    placements.hear(node);
    return true;
  }

  #isOfNow(key: Address, { at }: NodePoll): boolean {
    return Math.abs(this.#options.now() - at) <= MAX_SKEW_SECONDS && at > (this.#lastAt.get(key) ?? 0);
  }

  #requireSigned(key: Address, { at, signature }: NodePoll): void {
    const { chainId, nodeRegistry } = this.#options;
    const signer = recoverTypedData(nodePollTypedData(chainId, nodeRegistry, at), signature);
    if (signer === key) return;
    throw new CharterError("node/poll-unproven", "the question is not signed by the node's key", {
      expected: key,
      actual: signer,
    });
  }
}
