import { createHash, randomBytes } from "node:crypto";

import { CharterError, isCharterError } from "../../../protocol/errors/CharterError.ts";
import { KeyPurpose, signKeyBinding } from "../../../protocol/keys/keyBinding.ts";
import { recoverSecretSigner, REMOVED } from "../../../protocol/keys/secretChange.ts";
import {
  decodeSecret,
  openSecret,
  secretKeys,
  type SecretKeys,
} from "../../../protocol/keys/secretEnvelope.ts";
import { leaseDomain, leaseRequestTypes } from "../../../protocol/session/domains.ts";
import { recoverDeliverySigner } from "../../../protocol/session/secretDelivery.ts";
import type { StoredSecret } from "../../../protocol/session/secretMessages.ts";
import { toHex, type Address, type Bytes32 } from "../../../protocol/words/hex.ts";
import type { Clock } from "../../clock.ts";
import type { KeySource } from "../../keys/KeySource.ts";
import { anyRelayer } from "../../session/anyRelayer.ts";
import { reported, type GuestState } from "../state.ts";
import type { HoldingsTerms } from "./Holdings.ts";
import type { SecretCounters } from "./SecretCounters.ts";
import type { SecretFiles } from "./SecretFiles.ts";

/** How often values are asked for: while some are missing, and while containers run. */
const MISSING_MS = 2_000;
const TEND_MS = 10_000;
/** A binding speaks for an hour, and is renewed after a third of it. */
const BINDING_SECONDS = 3_600;

export interface SecretsHoldingOptions {
  readonly chainId: number;
  readonly ledger: Address;
  readonly app: Address;
  readonly source: KeySource;
  /** From the measured manifest: which secrets, for which services, set by whom. */
  readonly wanted: readonly { readonly name: string; readonly services: readonly string[] }[];
  readonly signers: readonly Address[];
  /** From the manifest, too: by whose word the values are those of now. */
  readonly leaseSigners: readonly Address[];
  readonly files: SecretFiles;
  readonly clock: Clock;
  readonly report: (state: GuestState) => void;
  /** Unix seconds. */
  readonly now: () => number;
}

/** The app's secrets, opened in this guest and readable by its services while containers may run. */
export class SecretsHolding {
  readonly #options: SecretsHoldingOptions;
  /** Highest counter of each that was accepted: an older value is never taken again. */
  readonly #counters = new Map<string, number>();
  /** Those that have a value now. */
  readonly #present = new Set<string>();
  #kept: SecretCounters | undefined;
  /** Whether the volume knows all of them: a full disk may have kept some from it. */
  #isKept = false;
  #keys: SecretKeys | undefined;
  #boundAt = -Infinity;

  constructor(options: SecretsHoldingOptions) {
    this.#options = options;
  }

  /**
   * Tells the app's public key, and resolves when every secret has its value, or the signal is given.
   * @throws CharterError `secret/not-in-memory`, `keys/…`.
   */
  async open(terms: HoldingsTerms, signal: AbortSignal): Promise<void> {
    const { app, source, wanted, files, clock, report } = this.#options;
    this.#keys = await secretKeys(await source.key(app, "hpke"));
    await files.open();
    let told = "";
    while (!signal.aborted) {
      await this.#bring(terms, signal);
      const names = wanted.map(({ name }) => name).filter((name) => !this.#present.has(name));
      if (names.length === 0) return;
      if (told !== names.join()) report({ state: "awaiting-secrets", key: terms.account.address, names });
      told = names.join();
      await clock.sleep(MISSING_MS, signal);
    }
  }

  /**
   * From now on keeps counters in the app's volume as well, for the instances that come after this one.
   * @throws CharterError `secret/rolled-back` where an earlier instance had a later value of one; `secret/counters-malformed`.
   */
  async keepIn(kept: SecretCounters): Promise<void> {
    const before = await kept.read();
    for (const [name, counter] of this.#counters) {
      const expected = before.get(name) ?? counter;
      if (counter < expected) throw rolledBack(name, expected, counter);
    }
    await kept.raise(this.#counters);
    this.#kept = kept;
    this.#isKept = true;
  }

  /** Brings newer values, and takes away what was removed, until the signal is given. */
  async tend(terms: HoldingsTerms, signal: AbortSignal): Promise<void> {
    const { clock, report } = this.#options;
    for (;;) {
      await clock.sleep(TEND_MS, signal);
      if (signal.aborted) return;
      const names = await this.#bring(terms, signal);
      if (names.length > 0) report({ state: "secrets-changed", key: terms.account.address, names });
    }
  }

  async close(): Promise<void> {
    this.#keys = undefined;
    this.#kept = undefined;
    this.#present.clear();
    await this.#options.files.close();
  }

  /** Asks once. A failure is told and changes nothing. Gives the names that changed. */
  async #bring(terms: HoldingsTerms, signal: AbortSignal): Promise<string[]> {
    const changed: string[] = [];
    try {
      await this.#bind(terms, signal);
      for (const secret of await this.#ask(terms, signal)) {
        if (signal.aborted) break;
        if (await this.#take(secret)) changed.push(secret.name);
      }
      if (!this.#isKept && this.#kept !== undefined) {
        await this.#kept.raise(this.#counters);
        this.#isKept = true;
      }
    } catch (error) {
      if (!signal.aborted) this.#options.report({ state: "secrets-failed", error: reported(error) });
    }
    return changed;
  }

  async #bind({ account, relayers }: HoldingsTerms, signal: AbortSignal): Promise<void> {
    const { chainId, ledger, app, clock, now } = this.#options;
    if (this.#keys === undefined || clock.now() - this.#boundAt < (BINDING_SECONDS * 1_000) / 3) return;
    const binding = await signKeyBinding(account, {
      ...{ chainId, ledger, app },
      instance: account.address.toLowerCase() as Address,
      purpose: KeyPurpose.Hpke,
      publicKey: this.#keys.publicKey,
      notAfter: now() + BINDING_SECONDS,
    });
    const told = await Promise.allSettled(relayers.map((relayer) => relayer.publishBinding(binding, signal)));
    const failed = told.find((one) => one.status === "rejected");
    if (told.every((one) => one.status === "rejected") && failed !== undefined) throw failed.reason;
    this.#boundAt = clock.now();
  }

  /**
   * One relayer's answer: it gives none without a lease that it would grant, and counts only with a lease signer's word that
   * it is of now. Whoever carries it could else give an older one again.
   */
  #ask({ account, relayers }: HoldingsTerms, signal: AbortSignal): Promise<readonly StoredSecret[]> {
    const { chainId, ledger, app, leaseSigners } = this.#options;
    const key = account.address.toLowerCase() as Address;
    return anyRelayer(relayers, async (relayer) => {
      const nonce = toHex(randomBytes(32)) as Bytes32;
      const asked = await account.signTypedData({
        domain: leaseDomain(chainId, ledger),
        types: leaseRequestTypes,
        primaryType: "LeaseRequest",
        message: { app, nonce },
      });
      const { secrets, signature } = await relayer.secrets({ app, key, nonce, signature: asked }, signal);
      const delivery = { app, key, nonce, secrets };
      const signer = await recoverDeliverySigner(chainId, ledger, delivery, signature);
      if (signer !== null && leaseSigners.includes(signer)) return secrets;
      throw new CharterError(
        "secret/delivery-unsigned",
        "a lease signer of the manifest must have signed what is delivered",
        { expected: leaseSigners, actual: signer, relayer: relayer.url },
      );
    });
  }

  /** Whether it changed anything. One that cannot be believed is told and left alone; the others still count. */
  async #take(secret: StoredSecret): Promise<boolean> {
    const { files, wanted, report } = this.#options;
    const services = wanted.find(({ name }) => name === secret.name)?.services;
    const last = this.#counters.get(secret.name) ?? -1;
    if (services === undefined || secret.counter === last) return false;
    try {
      const value = await this.#open(secret, last);
      for (const service of services) {
        if (value === null) await files.remove(service, secret.name);
        else await files.write(service, secret.name, value);
      }
      value?.fill(0);
      if (value === null) this.#present.delete(secret.name);
      else this.#present.add(secret.name);
      this.#counters.set(secret.name, secret.counter);
      this.#isKept = false;
      return true;
    } catch (error) {
      if (!isCharterError(error)) throw error;
      report({ state: "secrets-failed", error: reported(error) });
      return false;
    }
  }

  /** The value; null where a signer took it away. */
  async #open(
    { name, counter, digest, envelope, signature }: StoredSecret,
    last: number,
  ): Promise<Uint8Array | null> {
    const { chainId, ledger, app, signers } = this.#options;
    if (counter < last) throw rolledBack(name, last, counter);
    const signer = await recoverSecretSigner({ chainId, ledger, app, name, counter, digest }, signature);
    if (signer === null || !signers.includes(signer)) {
      throw new CharterError(
        "secret/signer-not-named",
        "the manifest does not name the signer of this secret",
        {
          name,
          expected: signers,
          actual: signer,
        },
      );
    }
    const actual = envelope === null ? REMOVED : sha256(envelope);
    if (actual !== digest) {
      throw new CharterError("secret/digest-mismatch", "the envelope has another SHA-256 than was signed", {
        expected: digest,
        actual,
      });
    }
    if (envelope === null) return null;
    const opened = decodeSecret(new TextEncoder().encode(envelope));
    if (opened.counter !== counter) {
      throw new CharterError("secret/other-label", "this secret is for something else", {
        field: "counter",
        expected: counter,
        actual: opened.counter,
      });
    }
    if (this.#keys === undefined)
      throw new CharterError("secret/closed", "secrets are closed already", { name });
    return openSecret(this.#keys, opened, { chainId, app, name });
  }
}

const sha256 = (text: string): Bytes32 =>
  toHex(createHash("sha256").update(text, "utf8").digest()) as Bytes32;

const rolledBack = (name: string, expected: number, actual: number): CharterError =>
  new CharterError("secret/rolled-back", "an older value was given than before", { name, expected, actual });
