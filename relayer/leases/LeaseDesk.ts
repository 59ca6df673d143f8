import { CharterError } from "../../protocol/errors/CharterError.ts";
import { leaseDomain, leaseRequestTypes } from "../../protocol/session/domains.ts";
import type { SignedLease } from "../../protocol/session/lease.ts";
import type { LeaseRequest } from "../../protocol/session/messages.ts";
import type { Address, Bytes32, ComposeHash } from "../../protocol/words/hex.ts";
import type { LeaseDecision, LeaseSession } from "../decisions/lease.ts";
import { bounded } from "../bounded.ts";
import { recoverTypedData } from "../keys/recoverTypedData.ts";
import { denialError } from "./denial.ts";
import { InstanceMap } from "./InstanceMap.ts";
import type { LeaseTicker } from "./LeaseTicker.ts";
import { NonceBook } from "./NonceBook.ts";
import { SharedWords } from "./SharedWords.ts";

/** A lease that this process granted and that may still run. */
export interface GrantedLease {
  readonly app: Address;
  readonly key: Address;
  readonly node: number;
  readonly release: number;
  readonly composeHash: ComposeHash;
  /** Unix seconds: no guest counts longer than this. */
  readonly until: number;
}

/** A key that the store does not know is not looked up again for so long, and so many such keys are kept. */
const UNKNOWN_SECONDS = 5;
const MAX_UNKNOWN = 4_096;
/** Beyond so many, keys that hold no lease are forgotten: the store knows them. */
const MAX_KEYS = 100_000;
/** Look-ups in the store at once. */
const MAX_RECALLS = 64;

interface Options {
  readonly chainId: number;
  readonly ledger: Address;
  /** Pure decision over what the chain says now. */
  readonly decide: (session: LeaseSession, now: number) => LeaseDecision;
  /** Session of a key that this process did not see attest: another replica's, or from before a restart. */
  readonly recall: (app: Address, key: Address) => Promise<LeaseSession | undefined>;
  /** The longest lease that the measured manifest accepts. */
  readonly maxLeaseSeconds: (composeHash: Bytes32) => Promise<number>;
  readonly ticker: LeaseTicker;
  /** Keys that are remembered without a lease. */
  readonly maxKeys?: number;
  /** The longest lease of all: for so long a nonce is remembered. */
  readonly nonceSeconds?: number;
  /** Unix seconds. */
  readonly now: () => number;
  /** Told of each lease before it is signed. */
  readonly onGranted?: (lease: GrantedLease) => void;
  readonly onDecided?: (outcome: { granted: boolean; reason: string; seconds: number }) => void;
}

/**
 * Where leases are asked for: knows which keys have attested (sessions), decides on every request anew, and has the
 * grants signed. It holds no authority of its own: a session only says that evidence was verified.
 */
export class LeaseDesk {
  readonly #options: Options;
  readonly #sessions = new InstanceMap<LeaseSession>();
  readonly #granted = new InstanceMap<GrantedLease>();
  readonly #words = new SharedWords();
  readonly #nonces: NonceBook;
  /** Keys that the store does not know, and until when (unix seconds) it is not asked again. */
  readonly #unknown = new Map<string, number>();
  readonly #recall: (of: { app: Address; key: Address }) => Promise<LeaseSession | undefined>;

  constructor(options: Options) {
    this.#options = options;
    this.#nonces = new NonceBook(options.nonceSeconds ?? 60);
    this.#recall = bounded("keys that are not known yet", MAX_RECALLS, ({ app, key }) =>
      options.recall(app, key),
    );
  }

  /** Remembers that a key's evidence was accepted; the newer evidence replaces the older. */
  admit(session: LeaseSession): void {
    const { app, key, node, verdict } = session;
    this.#unknown.delete(idOf(app, key));
    const known = this.#sessions.get(app, key);
    if (known !== undefined && known.verdict.evidenceBlock > verdict.evidenceBlock) return;
    const shared = this.#words.of(verdict);
    this.#sessions.set(app, key, { app, key, node, verdict: shared });
  }

  /** Leases that may still run at this moment, of all apps or of one. */
  granted(app?: Address): GrantedLease[] {
    const now = this.#options.now();
    return [...this.#granted.values(app)].filter(({ until }) => until > now);
  }

  /** Forgets leases that are over, sessions whose evidence has ended, and those without a lease where they are too many. */
  sweep(): void {
    const { now, maxKeys = MAX_KEYS } = this.#options;
    const second = now();
    this.#granted.prune(({ until }) => until <= second);
    this.#sessions.prune(({ verdict }) => verdict.validUntil <= second);
    if (this.#sessions.size <= maxKeys) return;
    this.#sessions.prune(({ app, key }) => this.#granted.get(app, key) === undefined);
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Whether this key has given evidence, here or to another replica. @throws CharterError `store/…`, `relayer/busy`. */
  async knows(app: Address, key: Address): Promise<boolean> {
    return (await this.#session(app, key)) !== undefined;
  }

  /** Would this key be given a lease now? @throws CharterError `store/…`, `relayer/busy`, `chain/…`. */
  async mayRun(app: Address, key: Address): Promise<boolean> {
    const session = await this.#session(app, key);
    return session !== undefined && this.#options.decide(session, this.#options.now()).allow;
  }

  /** The node that this key's evidence named, while the key is remembered. */
  nodeOf(app: Address, key: Address): number | undefined {
    return this.#sessions.get(app, key)?.node;
  }

  /** Why this key's lease, if it has one, would not be granted now; null where it would, or there is none. */
  objection(app: Address, key: Address): CharterError | null {
    const session = this.#sessions.get(app, key);
    const lease = this.#granted.get(app, key);
    const now = this.#options.now();
    if (session === undefined || lease === undefined || lease.until <= now) return null;
    const decision = this.#options.decide(session, now);
    return decision.allow ? null : denialError("lease/denied", decision);
  }

  /**
   * Answers a nonce that the instance key signed; each one once.
   * @throws CharterError `lease/signature-invalid`, `lease/nonce-replayed`, and as `grant`.
   */
  async request(request: LeaseRequest): Promise<SignedLease> {
    const { app, key, nonce } = request;
    this.#requireNew(key, nonce); // Before the signature: a replay costs nothing.
    this.#requireSignature(request);
    // Whoever has given no evidence gets no lease, and makes up keys for nothing: their nonces are not remembered.
    if (!(await this.knows(app, key))) this.#unattested(app, key, performance.now());
    this.#requireNew(key, nonce);
    this.#nonces.add(key, nonce);
    return this.grant(app, key, nonce);
  }

  /**
   * Answers a nonce that is known to come from the key, once, as a session's channel knows it.
   * @throws CharterError `lease/denied` with `details.reason`; `relayer/busy`; `chain/…` while the chain's state is
   * unknown or too old, which a guest waits out for as long as its lease lasts.
   */
  async grant(app: Address, key: Address, nonce: Bytes32): Promise<SignedLease> {
    const started = performance.now();
    const session = await this.#session(app, key);
    const { now, decide, maxLeaseSeconds, ticker, onDecided } = this.#options;
    const longest = session === undefined ? 0 : await maxLeaseSeconds(session.verdict.composeHash);
    const second = now();
    const told = (granted: boolean, reason: string): void =>
      onDecided?.({ granted, reason, seconds: (performance.now() - started) / 1_000 });
    if (session === undefined) return this.#unattested(app, key, started);
    const decision = decide(session, second);
    if (!decision.allow) {
      told(false, decision.reason);
      throw denialError("lease/denied", decision);
    }
    told(true, "Allowed");
    const { release, composeHash, block } = decision;
    const maxSeconds = Math.min(decision.maxSeconds, longest);
    // Known before it is signed: a block that comes in between must find it.
    const lease = {
      ...{ app: session.app, key: session.key, node: session.node, release, composeHash },
      until: second + maxSeconds,
    };
    this.#granted.set(app, key, lease);
    this.#options.onGranted?.(lease);
    return ticker.sign({ lease: { app, key, release, composeHash, nonce, maxSeconds }, block });
  }

  #unattested(app: Address, key: Address, started: number): never {
    const seconds = (performance.now() - started) / 1_000;
    this.#options.onDecided?.({ granted: false, reason: "EvidenceMissing", seconds });
    throw new CharterError("lease/denied", "this key gave no evidence", {
      reason: "EvidenceMissing",
      app,
      key,
    });
  }

  #requireNew(key: Address, nonce: Bytes32): void {
    if (!this.#nonces.has(key, nonce)) return;
    throw new CharterError("lease/nonce-replayed", "this nonce was answered before: send a new one", {
      key,
      nonce,
    });
  }

  #requireSignature({ app, key, nonce, signature }: LeaseRequest): void {
    const { chainId, ledger } = this.#options;
    const typedData = {
      domain: leaseDomain(chainId, ledger),
      types: leaseRequestTypes,
      primaryType: "LeaseRequest",
      message: { app, nonce },
    } as const;
    if (recoverTypedData(typedData, signature) !== key) {
      throw new CharterError(
        "lease/signature-invalid",
        "the lease request must be signed by the instance key",
        { key },
      );
    }
  }

  async #session(app: Address, key: Address): Promise<LeaseSession | undefined> {
    const known = this.#sessions.get(app, key);
    if (known !== undefined) return known;
    const id = idOf(app, key);
    const now = this.#options.now();
    if ((this.#unknown.get(id) ?? 0) > now) return undefined;
    const recalled = await this.#recall({ app, key });
    if (recalled !== undefined) {
      this.admit(recalled);
      return this.#sessions.get(app, key);
    }
    this.#unknown.delete(id);
    this.#unknown.set(id, now + UNKNOWN_SECONDS);
    const oldest = this.#unknown.keys().next();
    if (this.#unknown.size > MAX_UNKNOWN && oldest.done !== true) this.#unknown.delete(oldest.value);
    return this.#sessions.get(app, key); // It may have attested meanwhile.
  }
}

const idOf = (app: Address, key: Address): string => `${app}:${key}`;
