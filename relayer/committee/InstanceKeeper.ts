import { evidenceDigest } from "../../protocol/evidence/facts/evidenceDigest.ts";
import { reportData } from "../../protocol/evidence/reportData.ts";
import { CharterError } from "../../protocol/errors/CharterError.ts";
import { instanceEntryTypes, ledgerDomain } from "../../protocol/session/domains.ts";
import type { InstanceRegistration } from "../../protocol/session/messages.ts";
import type { Address, Bytes32 } from "../../protocol/words/hex.ts";
import { Beat } from "../beat.ts";
import type { AttestedKey } from "../keys/attestedKey.ts";

/** What the ledger says of the signer's key in the newest block; times in unix seconds. */
export interface InstanceStanding {
  readonly isLive: boolean;
  /** 0: it was never entered. */
  readonly expiresAt: number;
  readonly time: number;
}

interface Options {
  readonly chainId: number;
  readonly ledger: Address;
  readonly key: AttestedKey;
  /** Number of the node that the signer runs on. */
  readonly node: number;
  readonly standing: (app: Address, key: Address) => Promise<InstanceStanding>;
  readonly finalBlock: () => Promise<{ readonly number: bigint; readonly hash: Bytes32 }>;
  /** Gives a relayer this entry. @throws CharterError where none takes it. */
  readonly enter: (entry: InstanceRegistration) => Promise<void>;
  /** Whether the signer counts as live changed. */
  readonly onStanding: (standing: InstanceStanding) => void;
  readonly onFailed: (cause: unknown) => void;
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: () => number;
}

const EVERY_MS = 5_000;
/** What a relayer took has this long to be proven, before newer evidence is given. */
const PATIENCE_MS = 60_000;

/**
 * Keeps a signer's key a live instance of the app that it runs as, by evidence of its own: a signature counts only while
 * its signer is live. New evidence is given when half of the time is over that the ledger gave, and when the key is not live.
 */
export class InstanceKeeper {
  readonly #options: Options;
  readonly #app: Address;
  readonly #now: () => number;
  readonly #beat = new Beat();
  #isLive: boolean | null = null;
  /** The end that the ledger gave, and when that was first seen. */
  #term = { expiresAt: 0, since: 0 };
  #enteredAtMs = -Infinity;

  /** @throws CharterError `keys/agent-malformed` where the key is not this instance's alone. */
  constructor(options: Options) {
    if (options.key.app === null) {
      throw new CharterError("keys/agent-malformed", "expected a key that is this instance's alone");
    }
    this.#app = options.key.app;
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#beat.run(() => this.tick(), EVERY_MS, signal, this.#options.onFailed);
  }

  /** One look at the ledger, and new evidence where it is due. */
  async tick(): Promise<void> {
    const { key, standing, onStanding, enter } = this.#options;
    const found = await standing(this.#app, key.account.address.toLowerCase() as Address);
    if (found.isLive !== this.#isLive) onStanding(found);
    // What was given has been proven, so newer evidence need not wait for it.
    if (found.isLive && !this.#isLive) this.#enteredAtMs = -Infinity;
    this.#isLive = found.isLive;
    if (found.expiresAt !== this.#term.expiresAt) {
      this.#term = { expiresAt: found.expiresAt, since: found.time };
    }
    const isDue = !found.isLive || found.time >= (this.#term.since + this.#term.expiresAt) / 2;
    if (!isDue || this.#now() < this.#enteredAtMs + PATIENCE_MS) return;
    await enter(await this.#entry());
    this.#enteredAtMs = this.#now();
  }

  async #entry(): Promise<InstanceRegistration> {
    const { chainId, ledger, key, node, finalBlock } = this.#options;
    const [app, { account }] = [this.#app, key];
    const address = account.address.toLowerCase() as Address;
    const { number, hash } = await finalBlock();
    const binding = reportData({
      purpose: "instance",
      chainId,
      consumer: ledger,
      subject: app,
      key: address,
      blockNumber: number,
      blockHash: hash,
    });
    const evidence = {
      kind: "tdx" as const,
      ...(await key.quote(binding)),
      blockNumber: Number(number),
      blockHash: hash,
    };
    const keySignature = await account.signTypedData({
      domain: ledgerDomain(chainId, ledger),
      types: instanceEntryTypes,
      primaryType: "InstanceEntry",
      message: { app, evidenceDigest: evidenceDigest(evidence) },
    });
    return { app, node, key: address, evidence, keySignature };
  }
}
