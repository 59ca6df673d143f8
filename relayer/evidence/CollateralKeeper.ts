import type { PublicClient } from "viem";
import { encodeAbiParameters, encodeFunctionData, keccak256 } from "viem";

import { dcapCollateralAbi } from "../../protocol/abi/dcapCollateral.ts";
import { dcapVerifierAbi } from "../../protocol/abi/dcapVerifier.ts";
import { PckCa } from "../../protocol/state/applyDcapEvent.ts";
import type { ChainState } from "../../protocol/state/types.ts";
import { TeeKind } from "../../protocol/words/enums.ts";
import type { Address, Bytes32, Hex } from "../../protocol/words/hex.ts";
import { upkeepId, type Intent, type IntentRequest } from "../outbox/intent.ts";
import { pause } from "../pause.ts";
import { isDue, piecesOf, type PieceName } from "./collateralPieces.ts";
import type { HeldCollateral } from "./genuineCollateral.ts";
import { familyKey, type PlatformFamily } from "./platformFamily.ts";

export interface KeeperOptions {
  readonly chainId: number;
  readonly dcapCollateral: Address;
  readonly dcapVerifier: Address;
  readonly client: Pick<PublicClient, "readContract">;
  /** The newest state. */
  readonly state: () => ChainState;
  /** What the vendor publishes now, genuine. @throws CharterError `collateral/…`. */
  readonly published: (family: PlatformFamily) => Promise<HeldCollateral>;
  /** Families of the nodes that are registered now. */
  readonly families: () => Promise<readonly PlatformFamily[]>;
  readonly plan: (intent: IntentRequest) => Promise<Intent>;
  readonly intentById: (id: Bytes32) => Promise<Intent | null>;
  /** Unix seconds. */
  readonly now: () => number;
  readonly onPlanned?: (piece: PieceName | "rejudge") => void;
  readonly onFailed: (cause: unknown) => void;
}

/** Something may be under way: look again soon. */
const SOON_MS = 1_000;
/** What the vendor publishes is fetched every few hours; looking is a few reads of memory and of the chain. */
const INTERVAL_MS = 60_000;
/** Families that are kept; strangers' evidence is not in it unless it was accepted. */
const MAX_FAMILIES = 256;

/**
 * Keeps DcapCollateral as fresh as what the vendor publishes, for every family of registered nodes and of evidence that
 * was accepted here, and has records judged anew when collateral changed. Anyone may do the same; nothing is trusted.
 */
export class CollateralKeeper {
  readonly #options: KeeperOptions;
  readonly #families = new Map<string, PlatformFamily>();
  /** Intent that was planned last, by the piece's key: one at a time. */
  readonly #planned = new Map<string, Bytes32>();
  readonly #validUntil = new Map<string, number>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** Seconds until something of a family's collateral on chain ends; 0 where none is valid. */
  secondsLeft(): ReadonlyMap<string, number> {
    const now = this.#options.now();
    return new Map([...this.#validUntil].map(([key, until]) => [key, Math.max(0, until - now)]));
  }

  /**
   * Whether the chain can judge this family now; brings what is missing, for as long as `patienceMs`.
   * @throws CharterError `collateral/…`, `chain/…`.
   */
  async ready(family: PlatformFamily, patienceMs: number, pollMs = 250): Promise<boolean> {
    if (this.#families.size < MAX_FAMILIES) this.#families.set(familyKey(family), family);
    const signal = AbortSignal.timeout(patienceMs);
    for (;;) {
      await this.#inTurn(() => this.#bring(family));
      if (await this.#isValid(family)) return true;
      if (signal.aborted) return false;
      await pause(pollMs, signal);
    }
  }

  /** One pass over every family and every record in use. How many effects are under way. */
  async pass(): Promise<number> {
    const { families, onFailed } = this.#options;
    for (const family of await families()) {
      if (this.#families.size < MAX_FAMILIES) this.#families.set(familyKey(family), family);
    }
    let underWay = 0;
    for (const family of [...this.#families.values()]) {
      try {
        underWay += await this.#inTurn(() => this.#bring(family));
        await this.#isValid(family);
      } catch (cause) {
        onFailed(cause);
      }
    }
    return underWay + (await this.#rejudge());
  }

  /**
   * Passes again and again until the signal; a failure is told of and waits for the next time. While nothing is under way
   * the waits grow: a relayer that has just started may not know its nodes yet, and looks again within seconds.
   */
  async run(signal: AbortSignal): Promise<void> {
    let waitMs = 0;
    while (!signal.aborted) {
      let underWay = 0;
      try {
        underWay = await this.pass();
      } catch (cause) {
        this.#options.onFailed(cause);
      }
      waitMs = underWay > 0 || waitMs === 0 ? SOON_MS : Math.min(INTERVAL_MS, 2 * waitMs);
      await pause(waitMs, signal);
    }
  }

  /** Pieces are shared between families: two callers must not bring the same one at once. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work, work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Plans what is due and can be verified now; how many pieces are under way. */
  async #bring(family: PlatformFamily): Promise<number> {
    const { chainId, dcapCollateral, published, state, now } = this.#options;
    const pieces = piecesOf(family, await published(family));
    const { collateral } = state();
    const due = pieces.filter((piece) => isDue(piece, collateral.get(piece.key), now()));
    // Documents of a signer that was replaced count no more, whatever their number: they come again under the new one.
    const wanted = due.length > 0 || (await this.#isValid(family)) ? due : pieces.filter(isDocument);
    const tier = Math.min(...wanted.map((piece) => piece.tier));
    const first = wanted.filter((piece) => piece.tier === tier);
    let open = 0;
    for (const piece of first) {
      const id = upkeepId(chainId, dcapCollateral, piece.digest);
      const label = `collateral.${piece.name}`;
      const request = { id, to: dcapCollateral, data: piece.data, label };
      if (await this.#planOnce(piece.key, piece.name, request)) open++;
    }
    return open;
  }

  /**
   * Plans a call, unless the one that was planned last for the same thing is still on its way. False where nothing comes
   * of it soon: it was refused before (it is tried again, and need not be looked at soon), or has had its effect.
   */
  async #planOnce(key: string, what: PieceName | "rejudge", request: IntentRequest): Promise<boolean> {
    const { plan, intentById, onPlanned } = this.#options;
    const last = this.#planned.get(key);
    if (last !== undefined && last !== request.id && isOpen(await intentById(last))) return true;
    const before = await intentById(request.id);
    if (before?.state === "final" || isOpen(before)) return isOpen(before);
    await plan(request);
    this.#planned.set(key, request.id);
    if (before === null) onPlanned?.(what);
    return before === null;
  }

  async #isValid({ tee, fmspc, ca }: PlatformFamily): Promise<boolean> {
    const { client, dcapCollateral, now } = this.#options;
    const [, validUntil] = await client
      .readContract({
        address: dcapCollateral,
        abi: dcapCollateralAbi,
        functionName: "documentsOf",
        args: [
          tee === "tdx" ? TeeKind.Tdx : TeeKind.Sgx,
          `0x${fmspc}`,
          ca === "platform" ? PckCa.Platform : PckCa.Processor,
        ],
      })
      // It reverts where something is missing or has ended: no answer is a denial.
      .catch(() => [null, 0] as const);
    this.#validUntil.set(familyKey({ tee, fmspc, ca }), validUntil);
    return validUntil > now();
  }

  /** Has records judged by today's collateral, where nodes or instances rest on them and collateral has changed. */
  async #rejudge(): Promise<number> {
    const { chainId, dcapVerifier, client, state, now, onFailed } = this.#options;
    const { nodes, instances, records } = state();
    const used = new Set([
      ...[...nodes.values()].filter(({ retired }) => !retired).map(({ record }) => record),
      ...[...instances.values()].filter(({ expiresAt }) => expiresAt > now()).map(({ record }) => record),
    ]);
    let underWay = 0;
    for (const number of used) {
      const record = records.get(number);
      if (record === undefined) continue;
      try {
        const { staleSince, validUntil } = await client.readContract({
          address: dcapVerifier,
          abi: dcapVerifierAbi,
          functionName: "standing",
          args: [number],
        });
        if (staleSince === 0 || validUntil <= now()) continue;
        const isUnderWay = await this.#planOnce(`record:${number}`, "rejudge", {
          id: upkeepId(chainId, dcapVerifier, rejudgement(number, staleSince)),
          to: dcapVerifier,
          data: encodeRejudge(number, record.facts),
          label: "record.rejudge",
        });
        if (isUnderWay) underWay++;
      } catch (cause) {
        onFailed(cause);
      }
    }
    return underWay;
  }
}

const ENDED: ReadonlySet<string> = new Set(["final", "failed", "replaced"]);
const isOpen = (intent: Intent | null): boolean => intent !== null && !ENDED.has(intent.state);

const isDocument = ({ name }: { readonly name: PieceName }): boolean =>
  name === "qe-identity" || name === "tcb-info";

const encodeRejudge = (record: number, facts: Hex): Hex =>
  encodeFunctionData({ abi: dcapVerifierAbi, functionName: "rejudge", args: [record, facts] });

/** Once per record and change of its collateral. */
const rejudgement = (record: number, staleSince: number): Bytes32 =>
  keccak256(encodeAbiParameters([{ type: "uint32" }, { type: "uint40" }], [record, staleSince])) as Bytes32;
