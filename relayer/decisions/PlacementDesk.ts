import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { PlacementInputs } from "../../protocol/placement/assignSlots.ts";
import { drainTypedData } from "../../protocol/placement/drain.ts";
import { placements } from "../../protocol/placement/placements.ts";
import type { Placement } from "../../protocol/placement/placements.ts";
import { releaseAllowedAt } from "../../protocol/policy/releases.ts";
import type { DrainMessage, PlacementReport, Placements } from "../../protocol/session/messages.ts";
import type { Address } from "../../protocol/words/hex.ts";
import type { Projection } from "../chain/projection.ts";
import { recoverTypedData } from "../keys/recoverTypedData.ts";
import type { GrantedLease } from "../leases/LeaseDesk.ts";
import { pause } from "../pause.ts";
import { CLOSED_SECONDS } from "../../protocol/placement/closedNode.ts";
import type { Heard, NodeStore, SignedDrain } from "../store/nodeStore.ts";
import { asInput, asMessage, closedAfter, readClosings, type Closing } from "./closedNodes.ts";
import { silentNodes } from "./silence.ts";

interface Options {
  readonly chainId: number;
  readonly nodeRegistry: Address;
  /** @throws chain/not-ready */
  readonly projection: () => Projection;
  readonly nodes: NodeStore;
  /** An app's leases that may still run, of all replicas. */
  readonly leases: (app: Address) => readonly GrantedLease[];
  /** Unix seconds. */
  readonly now: () => number;
  readonly silentSeconds: number;
  readonly handoverSeconds: number;
  readonly onFailed?: (cause: unknown) => void;
}

/** How often replicas tell each other what they know of nodes. */
const SHARE_MS = 1_000;
/** An operator's word is of now, give or take clocks: an old one cannot be sent again later. */
const MAX_SKEW_SECONDS = 300;

/** How often a node that asks all the time is heard within the time that would make it silent. */
const HEARD_PER_SILENCE = 6;

/** Placements that are remembered: those of now, and those before a node opened again. */
const MAX_KNOWN = 4;

/**
 * Where nodes ask what to run. It adds to the pure placements what is known beside the chain (drains, silence, nodes that
 * take on nothing new), and what only this moment can say: a slot leaves its node only when it has a lease where it goes.
 */
export class PlacementDesk {
  readonly #options: Options;
  readonly #listeningSince: number;
  readonly #heardNow = new Set<number>();
  /** When this process heard a node last; unix seconds. */
  readonly #heardHere = new Map<number, number>();
  #drains: readonly SignedDrain[] = [];
  #heard: readonly Heard[] = [];
  #closings: readonly Closing[] = [];
  readonly #known = new Map<string, readonly Placement[]>();

  constructor(options: Options) {
    this.#options = options;
    this.#listeningSince = options.now();
  }

  /** Shares with the other replicas until `signal` aborts. While the store is away, what was known goes on. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await pause(SHARE_MS, signal);
      try {
        await this.share();
      } catch (error) {
        this.#options.onFailed?.(error);
      }
    }
  }

  /** Tells whom it heard, and learns what others heard and were told. */
  async share(): Promise<void> {
    const { nodes, now, silentSeconds, handoverSeconds } = this.#options;
    const heard = [...this.#heardNow];
    if (heard.length > 0) await nodes.hear(heard, now(), silentSeconds);
    for (const node of heard) this.#heardNow.delete(node);
    const [drains, heardOf, closings] = await Promise.all([
      nodes.drains(),
      nodes.heard(),
      nodes.closingReports(now() - CLOSED_SECONDS - handoverSeconds),
    ]);
    this.#drains = drains;
    this.#heard = heardOf;
    this.#closings = readClosings(closings);
  }

  /** A node's agent has just shown, by the node's key, that it is there. */
  hear(node: number): void {
    this.#heardNow.add(node);
    this.#heardHere.set(node, this.#options.now());
  }

  /** Whether hearing this node again would tell anything: several times before it would count as silent. */
  isDue(node: number): boolean {
    const { now, silentSeconds } = this.#options;
    return now() - (this.#heardHere.get(node) ?? -Infinity) >= silentSeconds / HEARD_PER_SILENCE;
  }

  /**
   * Takes an operator's word that a node is to be drained, or is not any more.
   * @throws CharterError `node/unknown`, `drain/not-of-now`, `drain/signature-invalid`, `drain/superseded`.
   */
  async drain({ signature, ...drain }: DrainMessage): Promise<void> {
    const { chainId, nodeRegistry, projection, nodes, now } = this.#options;
    const node = projection().final.state.nodes.get(drain.node);
    if (node === undefined || node.retired) {
      throw new CharterError("node/unknown", "no such node stands in the final block", { node: drain.node });
    }
    if (Math.abs(now() - drain.at) > MAX_SKEW_SECONDS) {
      throw new CharterError("drain/not-of-now", "a drain must have been signed just now", {
        expected: now(),
        actual: drain.at,
      });
    }
    const signer = recoverTypedData(drainTypedData(chainId, nodeRegistry, drain), signature);
    if (signer !== node.operator) {
      throw new CharterError("drain/signature-invalid", "a drain must be signed by the node's operator", {
        expected: node.operator,
        actual: signer,
      });
    }
    if (!(await nodes.drain({ ...drain, operator: node.operator, signature }))) {
      throw new CharterError(
        "drain/superseded",
        "another word of this second or a later one on this node is known",
        { node: drain.node },
      );
    }
    await this.share();
  }

  /** What should run where, as of the final block. */
  all(): readonly Placement[] {
    return this.#placed(this.#inputs());
  }

  /** For whoever watches. */
  counts(): { placed: number; drained: number; silent: number; closed: number } {
    const { drained, silent, closed } = this.#inputs();
    return { placed: this.all().length, drained: drained.size, silent: silent.size, closed: closed.size };
  }

  /** The same with all that it follows from, for whoever recomputes it. */
  report(app?: Address): Omit<PlacementReport, "block"> {
    const closed = this.#closed(this.#options.now());
    const inputs = this.#inputs(closed);
    const { drained, silent } = inputs;
    return {
      drains: this.#drains
        .filter(({ node }) => drained.has(node))
        .map(({ node, draining, at, signature }) => ({ node, draining, at, signature })),
      silent: [...silent].sort((a, b) => a - b),
      closed: asMessage(closed),
      placements: this.#placed(inputs).filter((one) => app === undefined || one.app === app),
    };
  }

  /**
   * What this node should run now: its placements, without what the newest block denies, and what it hands over. A release
   * that was revoked goes back to the one before at once, where that is still in its grace.
   */
  ofNode(node: number): Placements["placements"] {
    const placed = this.all();
    const mine = placed.filter((one) => one.node === node);
    return [...mine, ...this.#handedOver(node, placed)].flatMap((one) => {
      const allowed = this.#allowed(one);
      if (allowed === undefined) return [];
      const { app, release, composeHash, slot, predecessor } = this.#asOfNow(allowed, placed);
      return [{ app, release, composeHash, slot, ...(predecessor === null ? {} : { predecessor }) }];
    });
  }

  /** Once the slot has a lease for its release, nothing of the release before has to stay. */
  #asOfNow(one: Placement, placed: readonly Placement[]): Placement {
    return one.predecessor !== null && this.#isLeased(one, placed) ? { ...one, predecessor: null } : one;
  }

  /** Slots that this node had before it was avoided, or before another opened again, and that do not run where they went. */
  #handedOver(node: number, placed: readonly Placement[]): Placement[] {
    const { drained, silent, closed } = this.#inputs();
    const { now, handoverSeconds } = this.#options;
    const late = new Set(
      this.#drains
        .filter((drain) => drained.has(drain.node) && now() > drain.at + handoverSeconds)
        .map((drain) => drain.node),
    );
    if (late.has(node)) return [];
    const isAvoided = drained.has(node) || silent.has(node);
    const before = this.#closed(now() - handoverSeconds);
    if (!isAvoided && before.size === closed.size) return [];
    const others = new Set([...silent].filter((number) => number !== node));
    const had = this.#placed({
      ...(isAvoided ? { drained: late, silent: others } : { drained, silent }),
      closed: asInput(before),
    });
    return had
      .filter((one) => one.node === node && (isAvoided || this.#isLeased(one, had)))
      .filter((one) => {
        const target = placed.find(({ app, slot }) => app === one.app && slot === one.slot);
        return target === undefined || (target.node !== node && !this.#isLeased(target, placed));
      });
  }

  /** Leases name no slot: a node's n-th slot of a release runs when n keys of it are leased there. */
  #isLeased({ app, node, release, slot }: Placement, placed: readonly Placement[]): boolean {
    const before = placed.filter(
      (one) => one.app === app && one.node === node && one.release === release && one.slot < slot,
    ).length;
    const keys = this.#options
      .leases(app)
      .filter((lease) => lease.app === app && lease.node === node && lease.release === release);
    return keys.length > before;
  }

  /** A node need not start what may not get a lease. */
  #allowed(one: Placement): Placement | undefined {
    const { block, state } = this.#options.projection().newest;
    const app = state.apps.get(one.app);
    if (app === undefined) return undefined;
    if (releaseAllowedAt(app, one.release, block.timestamp)) return one;
    const { predecessor } = one;
    if (predecessor === null || !releaseAllowedAt(app, predecessor.release, block.timestamp))
      return undefined;
    return { ...one, release: predecessor.release, composeHash: predecessor.composeHash, predecessor: null };
  }

  #placed(inputs: PlacementInputs): readonly Placement[] {
    const { final } = this.#options.projection();
    const closed = [...inputs.closed].map(([node, { reason, keeps }]) => [node, reason, ...keeps]);
    const key = JSON.stringify([final.block.hash, [...inputs.drained], [...inputs.silent], closed]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = placements(final.state, final.block, inputs);
    const [oldest] = this.#known.keys();
    if (this.#known.size >= MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(key, made);
    return made;
  }

  /** Nodes whose closing words count for longer than until `time`. */
  #closed(time: number): Map<number, Closing> {
    return closedAfter(this.#options.projection().final.state.nodes, this.#closings, time);
  }

  #inputs(closed = this.#closed(this.#options.now())): PlacementInputs {
    const { projection, now, silentSeconds } = this.#options;
    const { nodes } = projection().final.state;
    const drained = this.#drains.filter(
      ({ node, draining, operator }) => draining && nodes.get(node)?.operator === operator,
    );
    return {
      drained: new Set(drained.map(({ node }) => node)),
      silent: silentNodes(nodes.keys(), this.#heard, now(), {
        silentSeconds,
        listeningSince: this.#listeningSince,
      }),
      closed: asInput(closed),
    };
  }
}
