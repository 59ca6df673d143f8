import { recoverTypedDataAddress } from "viem";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import { leaseDomain, leaseRequestTypes } from "../../protocol/session/domains.ts";
import type { SignedLease } from "../../protocol/session/lease.ts";
import type { LeaseRequest } from "../../protocol/session/messages.ts";
import type { Address, Bytes32, ComposeHash } from "../../protocol/words/hex.ts";
import type { LeaseDecision, LeaseSession } from "../decisions/lease.ts";
import { denialError } from "./denial.ts";
import type { LeaseTicker } from "./LeaseTicker.ts";

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
  /** Unix seconds. */
  readonly now: () => number;
  readonly onDecided?: (outcome: { granted: boolean; reason: string; seconds: number }) => void;
}

/**
 * Where leases are asked for: knows which keys have attested (sessions), decides on every request anew, and has the
 * grants signed. It holds no authority of its own: a session only says that evidence was verified.
 */
export class LeaseDesk {
  readonly #options: Options;
  readonly #sessions = new Map<string, LeaseSession>();
  readonly #granted = new Map<string, GrantedLease>();

  constructor(options: Options) {
    this.#options = options;
  }

  /** Remembers that a key's evidence was accepted; the newer evidence replaces the older. */
  admit(session: LeaseSession): void {
    const id = idOf(session.app, session.key);
    const known = this.#sessions.get(id);
    if (known !== undefined && known.verdict.evidenceBlock > session.verdict.evidenceBlock) return;
    this.#sessions.set(id, session);
  }

  /** Leases that may still run at this moment, newest grants last. */
  granted(): GrantedLease[] {
    const now = this.#options.now();
    for (const [id, lease] of this.#granted) if (lease.until <= now) this.#granted.delete(id);
    return [...this.#granted.values()];
  }

  /**
   * Answers a guest's nonce.
   * @throws CharterError `lease/signature-invalid`; `lease/denied` with `details.reason`; `chain/…` while the chain's
   * state is unknown or too old, which a guest waits out for as long as its lease lasts.
   */
  async request(request: LeaseRequest): Promise<SignedLease> {
    const started = performance.now();
    const { app, key, nonce } = request;
    await this.#requireSignature(request);
    const session = await this.#session(app, key);
    const { now, decide, maxLeaseSeconds, ticker, onDecided } = this.#options;
    const longest = session === undefined ? 0 : await maxLeaseSeconds(session.verdict.composeHash);
    const second = now();
    const told = (granted: boolean, reason: string): void =>
      onDecided?.({ granted, reason, seconds: (performance.now() - started) / 1_000 });
    if (session === undefined) {
      told(false, "EvidenceMissing");
      throw new CharterError("lease/denied", "this key gave no evidence", {
        reason: "EvidenceMissing",
        app,
        key,
      });
    }
    const decision = decide(session, second);
    if (!decision.allow) {
      told(false, decision.reason);
      throw denialError("lease/denied", decision);
    }
    told(true, "Allowed");
    const { release, composeHash, block } = decision;
    const maxSeconds = Math.min(decision.maxSeconds, longest);
    const signed = await ticker.sign({ lease: { app, key, release, composeHash, nonce, maxSeconds }, block });
    const until = second + maxSeconds;
    const id = idOf(app, key);
    this.#granted.delete(id);
    this.#granted.set(id, { app, key, node: session.node, release, composeHash, until });
    return signed;
  }

  async #requireSignature({ app, key, nonce, signature }: LeaseRequest): Promise<void> {
    const { chainId, ledger } = this.#options;
    let signer: string | undefined;
    try {
      signer = await recoverTypedDataAddress({
        domain: leaseDomain(chainId, ledger),
        types: leaseRequestTypes,
        primaryType: "LeaseRequest",
        message: { app, nonce },
        signature,
      });
    } catch {
      signer = undefined; // Not a signature at all: refused below like a stranger's.
    }
    if (signer?.toLowerCase() !== key) {
      throw new CharterError(
        "lease/signature-invalid",
        "the lease request must be signed by the instance key",
        { key },
      );
    }
  }

  async #session(app: Address, key: Address): Promise<LeaseSession | undefined> {
    const known = this.#sessions.get(idOf(app, key));
    if (known !== undefined) return known;
    const recalled = await this.#options.recall(app, key);
    if (recalled !== undefined) this.admit(recalled);
    return recalled;
  }
}

const idOf = (app: Address, key: Address): string => `${app}:${key}`;
