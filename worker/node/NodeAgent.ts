import type { PrivateKeyAccount } from "viem/accounts";

import { CharterError, isCharterError } from "../../protocol/errors/CharterError.ts";
import type { NodeInfo } from "../../protocol/session/messages.ts";
import { nodePollTypedData, type NodePoll } from "../../protocol/session/nodePoll.ts";
import { placementsDigest } from "../../protocol/session/placementsDigest.ts";
import type { Address, Bytes32, PlatformId } from "../../protocol/words/hex.ts";
import type { Clock } from "../clock.ts";
import { anyRelayer } from "../session/anyRelayer.ts";
import { askLater } from "../session/askLater.ts";
import { chainOf, type PinnedChain } from "../session/pinnedChain.ts";
import type { RelayerClient } from "../session/RelayerClient.ts";
import type { Guests } from "./Guests.ts";
import { registerNode, type RegisterOptions } from "./register.ts";

export interface NodeAgentOptions {
  readonly relayers: readonly RelayerClient[];
  /** Null where the machine's evidence is given elsewhere (`charter-node register` inside a TD of it). */
  readonly register: RegisterOptions | null;
  readonly pinned: PinnedChain;
  readonly account: PrivateKeyAccount;
  /** The machine that this key must be registered for; null where only its evidence, given elsewhere, says. */
  readonly platformId: PlatformId | null;
  readonly guests: Guests;
  readonly clock: Clock;
  readonly pollMilliseconds: number;
  /** Unix seconds: entries on chain end by the world's time. */
  readonly unixNow: () => number;
  readonly report: (message: Readonly<Record<string, unknown>>) => void;
}

/** A registration that has not appeared in the final block is sent again, with fresh evidence. */
const REGISTRATION_PATIENCE_MS = 60_000;
/** A failed renewal is tried again no sooner. */
const RENEWAL_PAUSE_MS = 30_000;

/** The agent of one platform: registers and renews it, and runs the guests that are placed here. */
export class NodeAgent {
  readonly #options: NodeAgentOptions;
  readonly #key: Address;

  constructor(options: NodeAgentOptions) {
    this.#options = options;
    this.#key = options.account.address.toLowerCase() as Address;
  }

  /**
   * Runs until the signal is given, then stops every guest.
   * @throws CharterError `node/retired`, `node/platform-changed` for a key that cannot be registered here any more.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { report, guests, clock, pollMilliseconds } = this.#options;
    const registered = await this.#untilRegistered(signal);
    if (registered === undefined) return;
    let node = registered;
    const { number, platformId, expiresAt } = node;
    report({ ready: true, node: number, key: this.#key, platformId, expiresAt });
    let lifetime = expiresAt - this.#options.unixNow();
    let renewNotBefore = 0;
    let complaint = "";
    let known: Bytes32 | undefined;
    const ended = new AbortController();
    void this.#tend(AbortSignal.any([signal, ended.signal]));
    try {
      while (!signal.aborted) {
        const askedAt = clock.now();
        try {
          // Relayers hold the question until there is something new to say.
          const { placements } = await anyRelayer(this.#options.relayers, async (relayer) =>
            relayer.placements(this.#key, signal, known, await this.#poll()),
          );
          guests.reconcile(placements, node.number);
          known = placementsDigest(placements);
          complaint = "";
          if (this.#isDue(node, lifetime) && clock.now() >= renewNotBefore) {
            renewNotBefore = clock.now() + RENEWAL_PAUSE_MS;
            await this.#sendRegistration(signal);
          }
          const current = renewNotBefore > 0 ? await this.#node(signal) : node;
          if (current !== undefined && current.expiresAt > node.expiresAt) {
            node = current;
            lifetime = node.expiresAt - this.#options.unixNow();
            renewNotBefore = 0;
            report({ state: "renewed", node: node.number, expiresAt: node.expiresAt });
          }
        } catch (error) {
          if (signal.aborted) break;
          if (!isCharterError(error)) throw error;
          known = undefined;
          // What runs goes on: its own leases say for how long. Said once per kind of trouble, not every second.
          if (error.code !== complaint) report({ state: "relayers-failed", error: error.toJSON() });
          complaint = error.code;
        }
        await clock.sleep(Math.max(0, askedAt + pollMilliseconds - clock.now()), signal);
      }
    } finally {
      ended.abort();
      await guests.stopAll();
    }
  }

  /** Starts guests anew when their pauses are over, also while a relayer holds our question. */
  async #tend(signal: AbortSignal): Promise<void> {
    const { guests, clock, pollMilliseconds } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(pollMilliseconds, signal);
      if (!signal.aborted) guests.tick();
    }
  }

  /** That this agent asks, by the node's key: whoever else asks keeps no node heard. */
  async #poll(): Promise<NodePoll | undefined> {
    const { pinned, account, unixNow } = this.#options;
    if (pinned.nodeRegistry === undefined) return undefined;
    const at = unixNow();
    const typedData = nodePollTypedData(pinned.chainId, pinned.nodeRegistry, at);
    return { at, signature: await account.signTypedData(typedData) };
  }

  /** Renewed in the last third of its time. */
  #isDue(node: NodeInfo, lifetimeSeconds: number): boolean {
    return node.expiresAt - this.#options.unixNow() < lifetimeSeconds / 3;
  }

  /** The registered node; undefined when asked to stop before. */
  async #untilRegistered(signal: AbortSignal): Promise<NodeInfo | undefined> {
    const { clock, pollMilliseconds, report, unixNow } = this.#options;
    let sentAt = -Infinity;
    let complaint = "";
    while (!signal.aborted) {
      try {
        const node = await this.#node(signal);
        if (node !== undefined && node.expiresAt > unixNow()) return node;
        if (clock.now() - sentAt >= REGISTRATION_PATIENCE_MS) {
          await this.#sendRegistration(signal);
          sentAt = clock.now();
        }
        complaint = "";
      } catch (error) {
        if (signal.aborted) return undefined;
        if (!isCharterError(error) || PERMANENT.has(error.code)) throw error;
        if (error.code !== complaint) report({ state: "not-registered", error: error.toJSON() });
        complaint = error.code;
      }
      await clock.sleep(pollMilliseconds, signal);
    }
    return undefined;
  }

  async #sendRegistration(signal: AbortSignal): Promise<void> {
    const { relayers, register, report, clock } = this.#options;
    if (register === null) return report({ state: "awaiting-registration", key: this.#key });
    const { intent } = await askLater(clock, signal, () =>
      anyRelayer(relayers, (relayer) => registerNode(relayer, register, signal)),
    );
    report({ state: "registering", key: this.#key, intent });
  }

  /** This node as the final block has it; undefined when it is not there. */
  async #node(signal: AbortSignal): Promise<NodeInfo | undefined> {
    const { relayers, pinned, platformId } = this.#options;
    let node: NodeInfo;
    try {
      node = await anyRelayer(relayers, async (relayer) => {
        await chainOf(relayer, pinned, signal);
        return relayer.node(this.#key, signal);
      });
    } catch (error) {
      if (isCharterError(error) && error.code === "node/unknown") return undefined;
      throw error;
    }
    if (node.retired) {
      throw new CharterError(
        "node/retired",
        "this node's key was retired: remove node.key to register anew",
        {
          node: node.number,
          key: this.#key,
        },
      );
    }
    if (platformId !== null && node.platformId !== platformId) {
      throw new CharterError("node/platform-changed", "this key is registered for another platform", {
        expected: node.platformId,
        actual: platformId,
      });
    }
    return node;
  }
}

const PERMANENT = new Set(["node/retired", "node/platform-changed"]);
