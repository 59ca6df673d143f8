import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import type { PrivateKeyAccount } from "viem/accounts";

import { isCharterError } from "../../protocol/errors/CharterError.ts";
import type { SignedLease } from "../../protocol/session/lease.ts";
import type { EvidenceMessage } from "../../protocol/session/messages.ts";
import type { Hex } from "../../protocol/words/hex.ts";
import type { Clock } from "../clock.ts";
import { anyRelayer } from "../session/anyRelayer.ts";
import { askLater, pauseAsked } from "../session/askLater.ts";
import { RelayerClient } from "../session/RelayerClient.ts";
import { SessionKeeper } from "../session/SessionKeeper.ts";
import type { EvidenceSource } from "../tee/EvidenceSource.ts";
import { measureBoot } from "../tee/measureBoot.ts";
import { attest, type AttestOptions } from "./attest.ts";
import { awaitPorts } from "./awaitPorts.ts";
import type { ComposeProject, PublishedPort } from "./compose/parseCompose.ts";
import { parseCompose } from "./compose/parseCompose.ts";
import type { Runtime } from "./compose/Runtime.ts";
import type { GuestConfig } from "./config.ts";
import { fetchManifest, type RunnableManifest } from "./fetchManifest.ts";
import type { Holdings } from "./holdings/Holdings.ts";
import type { BytePlaces } from "./sources/fetchBytes.ts";
import { requirePinned } from "./requirePinned.ts";
import { requireServable } from "./requireServable.ts";
import type { NoteStanding } from "./note/NoteStanding.ts";
import { readNote } from "./note/readNote.ts";
import { tendNote } from "./note/tendNote.ts";
import { takeDown } from "./takeDown.ts";
import { tendContainers } from "./tendContainers.ts";
import { leaseFromAny } from "./leaseFromAny.ts";
import type { HeldLease, LeaseTerms } from "./requestLease.ts";
import { TlsFront } from "./tls/TlsFront.ts";
import { reported, type GuestState, type StopReason } from "./state.ts";

export interface GuestSeams {
  readonly clock: Clock;
  /** Evidence of the TD that this guest runs in. */
  readonly source: EvidenceSource;
  readonly runtime: (project: ComposeProject, manifest: RunnableManifest) => Promise<Runtime>;
  /** Secrets and volume of the manifest. @throws CharterError `keys/no-source` where it asks for what no key serves. */
  readonly holdings: (project: ComposeProject, manifest: RunnableManifest) => Promise<Holdings>;
  readonly report: (state: GuestState) => void;
  /** What becomes known of the release's note, beside the state. */
  readonly tellNote?: (standing: NoteStanding) => void;
  /** Unix seconds; default: the machine's clock. */
  readonly unixNow?: () => number;
  /** Default: a new key for every start. Nothing survives a guest. */
  readonly account?: PrivateKeyAccount;
}

/** What is run, and what it needs. */
interface Running {
  readonly runtime: Runtime;
  readonly holdings: Holdings;
  readonly ports: readonly PublishedPort[];
  readonly tls: RunnableManifest["charter"]["tls"];
}

/** Pause after an attempt in which no relayer granted and none denied. */
const RETRY_MS = 1_000;
/** However often relayers say that they would deny: no sooner than this after the last question. */
const HINT_PAUSE_MS = 250;
/** Pause after evidence that no relayer took. */
const REATTEST_PAUSE_MS = 20_000;
/** Given to what tends containers to end, before they are taken down all the same: a disk or an engine may hang. */
const TEND_END_MS = 1_000;

/** No relayer grants, and at least one says that this must not run. */
const DENIALS = new Set(["lease/denied", "instance/denied"]);

/**
 * The launcher inside the VM: manifest by hash, measurement, key, evidence, lease, containers; and containers stopped
 * when the lease is denied, ends, or the guest is asked to stop (DESIGN section 7).
 */
export class Guest {
  readonly #config: GuestConfig;
  readonly #seams: GuestSeams;
  readonly #relayers: readonly RelayerClient[];
  readonly #account: PrivateKeyAccount;
  /** What clients of attested TLS are shown: of this key, and the newest there is. */
  #shown: { readonly evidence?: EvidenceMessage; readonly lease?: SignedLease } = {};
  /** Aborted when a relayer says that it would deny now what it leased; a new one for every wait. */
  #hint = new AbortController();

  constructor(config: GuestConfig, seams: GuestSeams) {
    this.#config = config;
    this.#seams = seams;
    this.#relayers = config.relayerUrls.map((url) => new RelayerClient(url));
    this.#account = seams.account ?? privateKeyToAccount(generatePrivateKey());
  }

  /**
   * Runs until the lease is denied or over, or the signal is given. Returns after the containers were stopped.
   * @throws CharterError when it cannot begin: no container was started then.
   */
  async run(signal: AbortSignal): Promise<StopReason> {
    const ended = new AbortController();
    try {
      return await this.#run(signal, ended.signal);
    } finally {
      ended.abort();
    }
  }

  /** @param ended given when this has returned. */
  async #run(signal: AbortSignal, ended: AbortSignal): Promise<StopReason> {
    const config = this.#config;
    const { report } = this.#seams;
    report({ state: "starting", pid: process.pid });
    const places = { relayers: this.#relayers, sources: config.manifestSources };
    const manifest = await fetchManifest(places, config.composeHash, signal);
    void this.#tendNote(places, manifest, AbortSignal.any([signal, ended]));
    const project = parseCompose(manifest.docker_compose_file, { hostPorts: config.hostPorts });
    report({ state: "manifest-checked", name: manifest.name, unpinnedImages: project.unpinnedImages });
    requirePinned(project, manifest);
    const { source } = this.#seams;
    requireServable(manifest, project, { tls: config.tls, hasGpu: source.gpus !== undefined });
    const holdings = await this.#seams.holdings(project, manifest);

    // Before any lease: opening it stops what a guest that was killed left behind, and a successor's images are here
    // before its predecessor stops.
    const runtime = await this.#seams.runtime(project, manifest);
    await runtime.pull(signal);

    const noInstanceId = manifest.no_instance_id === true;
    const instanceId = noInstanceId ? "0x" : (this.#account.address.toLowerCase() as Hex);
    const { app, composeHash } = config;
    await measureBoot(source, { app, composeHash, instanceId, keyProvider: holdings.keyProvider });
    await this.#attest(signal);

    const terms: LeaseTerms = {
      ...config,
      account: this.#account,
      leaseSigners: manifest.charter.lease_signers,
      maxLeaseSeconds: manifest.charter.max_lease_seconds,
      clock: this.#seams.clock,
    };
    const sessions = new SessionKeeper(terms, this.#seams.clock, () => this.#hint.abort());
    try {
      const first = await this.#lease(terms, sessions, signal);
      this.#reportLease(first);
      const running = { runtime, holdings, ports: project.publishedPorts, tls: manifest.charter.tls };
      return await this.#runWhileLeased(running, terms, sessions, first, signal);
    } finally {
      sessions.closeAll();
      await holdings.close(); // No container is left by now.
    }
  }

  /** Never rejects, and nothing waits for it. */
  async #tendNote(places: BytePlaces, manifest: RunnableManifest, ended: AbortSignal): Promise<void> {
    const { clock, tellNote: tell = () => undefined } = this.#seams;
    const read = (until: AbortSignal): Promise<NoteStanding> =>
      readNote({ places, release: this.#config, manifest }, until);
    const relayers = this.#relayers.length;
    await tendNote({ read, relayers, clock, tell }, ended).catch(reported);
  }

  async #runWhileLeased(
    { runtime, holdings, ports, tls }: Running,
    terms: LeaseTerms,
    sessions: SessionKeeper,
    first: HeldLease,
    signal: AbortSignal,
  ): Promise<StopReason> {
    const { report } = this.#seams;
    // Aborted the moment the right to run ends, so that even a start that hangs is cut off.
    const ended = new AbortController();
    const failed = new AbortController();
    const renewing = this.#renew(terms, sessions, first, AbortSignal.any([signal, failed.signal])).finally(
      () => ended.abort(),
    );
    void this.#keepAttested(ended.signal);
    let tending: Promise<unknown> = Promise.resolve();
    const asking = { account: this.#account, relayers: this.#relayers };
    try {
      if (runtime.kind === "docker") {
        await holdings.openSecrets(asking, ended.signal);
        await this.#awaitPorts(ports, ended.signal);
        await holdings.openVolume(asking, ended.signal);
      }
      if (!ended.signal.aborted) await runtime.up(ended.signal);
      if (!ended.signal.aborted) {
        const front = tls && (await this.#openTls(runtime, tls));
        report({ state: "running", key: this.#account.address, runtime: runtime.kind, note: runtime.note });
        tending = Promise.all([
          tendContainers(runtime, { ...this.#seams, key: this.#account.address }, ended.signal),
          front?.run(ended.signal),
          runtime.kind === "docker" ? holdings.tend(asking, ended.signal) : undefined,
        ]);
      }
    } catch (error) {
      if (!ended.signal.aborted) {
        failed.abort();
        const { reason, expiresAt } = await renewing;
        await takeDown(runtime, { reason, expiresAt }, this.#seams);
        throw error;
      }
    }
    const { reason, expiresAt, error } = await renewing;
    report({ state: "stopping", reason, ...(error === undefined ? {} : { error: reported(error) }) });
    const waited = new AbortController();
    await Promise.race([tending, this.#seams.clock.sleep(TEND_END_MS, waited.signal)]);
    waited.abort();
    await takeDown(runtime, { reason, expiresAt }, this.#seams);
    report({ state: "stopped", reason });
    return reason;
  }

  /** The manifest asked for it, and `requireServable` saw that there is an address. */
  #openTls(runtime: Runtime, to: NonNullable<Running["tls"]>): Promise<TlsFront> {
    const { chainId, ledger, app, node, tls: listen = { host: "127.0.0.1", port: 0 } } = this.#config;
    const { clock, report, unixNow = () => Math.floor(Date.now() / 1_000) } = this.#seams;
    return TlsFront.open({
      ...{ chainId, ledger, app, account: this.#account, relayers: this.#relayers },
      ...{ runtime, to, listen, clock, unixNow, report },
      attestation: () => {
        const { evidence, lease } = this.#shown;
        if (evidence === undefined || lease === undefined) return null;
        return {
          node,
          evidence,
          lease: { ...lease, path: [...lease.path], blockNumber: Number(lease.blockNumber) },
        };
      },
    });
  }

  #awaitPorts(ports: readonly PublishedPort[], signal: AbortSignal): Promise<void> {
    const { clock, report } = this.#seams;
    const onTaken = (taken: readonly PublishedPort[]): void =>
      report({
        state: "awaiting-ports",
        key: this.#account.address,
        ports: taken.map(({ port }) => port),
      });
    return awaitPorts(ports, { clock, onTaken }, signal);
  }

  /**
   * Renews at a third of each lease, or as soon as a relayer says that it would deny; returns when the right to run has
   * ended, why, and when the last lease ends.
   */
  async #renew(
    terms: LeaseTerms,
    sessions: SessionKeeper,
    first: HeldLease,
    signal: AbortSignal,
  ): Promise<{ reason: StopReason; expiresAt: number; error?: unknown }> {
    const { clock, report } = this.#seams;
    let held = first;
    const ends = (reason: StopReason, error?: unknown) => ({ reason, expiresAt: held.expiresAt, error });
    let askedAt = first.sentAt;
    let next = held.sentAt + (held.maxSeconds * 1_000) / 3;
    for (;;) {
      await clock.sleep(
        Math.max(0, Math.min(next, held.expiresAt) - clock.now()),
        AbortSignal.any([signal, this.#hint.signal]),
      );
      if (this.#hint.signal.aborted && !signal.aborted) {
        const soonest = askedAt + HINT_PAUSE_MS;
        await clock.sleep(Math.max(0, Math.min(soonest, held.expiresAt) - clock.now()), signal);
        this.#hint = new AbortController();
      }
      if (signal.aborted) return ends("asked");
      if (clock.now() >= held.expiresAt) return ends("expired");
      askedAt = clock.now();
      const untilExpiry = this.#deadline(held.expiresAt, signal);
      try {
        held = await this.#lease(terms, sessions, untilExpiry.signal, held.expiresAt);
        next = held.sentAt + (held.maxSeconds * 1_000) / 3;
        this.#reportLease(held);
      } catch (error) {
        if (signal.aborted) return ends("asked");
        if (isCharterError(error) && DENIALS.has(error.code)) return ends("denied", error);
        if (clock.now() >= held.expiresAt) return ends("expired", error);
        report({
          state: "lease-not-renewed",
          secondsLeft: Math.floor((held.expiresAt - clock.now()) / 1_000),
          error: reported(error),
        });
        // However long a busy relayer asks to be left alone: it is asked again while there is something to renew.
        const longest = (held.expiresAt - clock.now()) / 3;
        next = clock.now() + Math.max(RETRY_MS, Math.min(pauseAsked(error), longest));
      } finally {
        untilExpiry.end();
      }
    }
  }

  /** A signal that is given when the lease ends or the guest is asked to stop. */
  #deadline(expiresAt: number, signal: AbortSignal): { signal: AbortSignal; end: () => void } {
    const { clock } = this.#seams;
    const over = new AbortController();
    const done = new AbortController();
    void clock.sleep(Math.max(0, expiresAt - clock.now()), done.signal).then(() => over.abort());
    return { signal: AbortSignal.any([signal, over.signal]), end: () => done.abort() };
  }

  /**
   * Newer evidence, so that the proof on chain outlives its age. Beside renewals, never before one: a relayer that lets it
   * wait, or a GPU that takes its minute, costs no lease; and failing is no reason to stop while leases are given.
   */
  async #keepAttested(ended: AbortSignal): Promise<void> {
    const { clock, report } = this.#seams;
    let pause = this.#config.reattestSeconds * 1_000;
    for (;;) {
      await clock.sleep(pause, ended);
      if (ended.aborted) return;
      try {
        await this.#attest(ended);
        pause = this.#config.reattestSeconds * 1_000;
      } catch (error) {
        if (!ended.aborted) report({ state: "reattest-failed", error: reported(error) });
        pause = REATTEST_PAUSE_MS;
      }
    }
  }

  async #attest(signal: AbortSignal): Promise<void> {
    const { intent, evidence } = await askLater(this.#seams.clock, signal, () =>
      anyRelayer(this.#relayers, (relayer) => attest(relayer, this.#attestOptions(), signal)),
    );
    this.#shown = { ...this.#shown, evidence };
    this.#seams.report({ state: "attested", key: this.#account.address, intent });
  }

  #attestOptions(): AttestOptions {
    const { chainId, genesisHash, ledger, app, node } = this.#config;
    const pinned = { chainId, genesisHash, ledger };
    return { pinned, app, node, account: this.#account, source: this.#seams.source };
  }

  #lease(
    terms: LeaseTerms,
    sessions: SessionKeeper,
    signal: AbortSignal,
    expiresAt?: number,
  ): Promise<HeldLease> {
    const giveEvidence = async (relayer: RelayerClient, ended: AbortSignal): Promise<void> => {
      const { evidence } = await attest(relayer, this.#attestOptions(), ended);
      this.#shown = { ...this.#shown, evidence };
    };
    return leaseFromAny(
      { relayers: this.#relayers, terms, sessions, attest: giveEvidence },
      signal,
      expiresAt,
    );
  }

  #reportLease({ maxSeconds, signer, signed }: HeldLease): void {
    this.#shown = { ...this.#shown, lease: signed };
    this.#seams.report({ state: "leased", key: this.#account.address, maxSeconds, signer });
  }
}
